/**
 * Reads a recording from end to end in bounded memory and hands every row to a sink.
 *
 * The first byte tells JSON candles from lines; the first lines decide the layout; from there each line is parsed,
 * judged and counted (row-reader.ts). What is refused is counted by reason, and the first refusal is kept with its line.
 */
import { FailureError, invariant, type Digest, type Failure, type Result } from "@rumi/kernel";
import { VENUE_LIMITS, type VenueLimits } from "../limits.ts";
import { CandleLines } from "./candles.ts";
import type { KnownFormat } from "./layouts.ts";
import { DEFAULT_QUALITY, type QualityBounds, type RowChecker } from "./row-checker.ts";
import { RowReader } from "./row-reader.ts";
import type { RowSink, ScanFile } from "./row-sink.ts";
import { openRecording, tooLarge, type Compression } from "./source.ts";

export type ScanProgress = { readonly path: string; readonly bytes: number; readonly rows: number };

export type ScanOptions = Partial<QualityBounds> & {
  /** Tests lower them. */
  readonly limits?: Partial<VenueLimits>;
  /** Called about once per 256 KiB. */
  readonly onProgress?: (progress: ScanProgress) => void;
};

export type ScanReport = {
  readonly path: string;
  readonly sha256: Digest;
  readonly format: KnownFormat;
  readonly time_unit: "ms" | "us";
  readonly header: boolean;
  readonly compression: Compression;
  readonly bytes: number;
  readonly names: readonly string[];
  readonly rows_read: number;
  readonly rows_accepted: number;
  readonly rows_rejected: number;
  readonly first_rejected: { readonly line: number; readonly problem: string } | null;
  readonly rejections: Readonly<Record<string, number>>;
  readonly quality: Pick<
    RowChecker,
    | "out_of_order"
    | "duplicates"
    | "gaps"
    | "id_gaps"
    | "time_gaps"
    | "stale"
    | "clock_drift"
    | "id_conflicts"
    | "id_collisions"
    | "first_event_time_us"
    | "last_event_time_us"
  >;
};

export async function scanRecording(
  file: ScanFile,
  sink: RowSink,
  options: ScanOptions = {},
): Promise<Result<ScanReport, Failure>> {
  const limits = { ...VENUE_LIMITS, ...options.limits };
  try {
    const source = await openRecording(file.path, limits);
    const quality = qualityBounds(options);
    const lines = (): RowReader => new RowReader(file, sink, quality, limits, -1);
    const candles = (): CandleLines =>
      new CandleLines((duration_us) => new RowReader(file, sink, quality, limits, duration_us), limits.line_bytes);
    let reader: RowReader | CandleLines | undefined;
    let bytes = 0;
    for await (const chunk of source.chunks) {
      bytes += chunk.length;
      reader ??= CandleLines.isStart(chunk, file.format) ? candles() : lines();
      reader.push(chunk);
      options.onProgress?.({ path: file.path, bytes, rows: reader.read });
      const pause = sink.pause?.("chunk");
      if (pause !== undefined) await pause;
    }
    reader ??= lines();
    const rows = reader.end();
    await sink.pause?.("end");
    return {
      ok: true,
      value: {
        ...reportOf(rows),
        path: file.path,
        sha256: source.digest(),
        compression: source.compression,
        bytes,
      },
    };
  } catch (cause) {
    if (cause instanceof FailureError) return { ok: false, error: cause.failure };
    throw cause;
  }
}

/** The bounds in force. */
export function qualityBounds(options: ScanOptions): QualityBounds {
  return {
    max_time_gap_us: options.max_time_gap_us ?? DEFAULT_QUALITY.max_time_gap_us,
    stale_after_us: options.stale_after_us ?? DEFAULT_QUALITY.stale_after_us,
    max_clock_drift_us: options.max_clock_drift_us ?? DEFAULT_QUALITY.max_clock_drift_us,
  };
}

function reportOf(rows: RowReader): Omit<ScanReport, "path" | "sha256" | "compression" | "bytes"> {
  const { layout, checker, parser } = rows;
  invariant(layout !== undefined && checker !== undefined, "a reading that ended well has found a layout");
  return {
    format: layout.format,
    time_unit: parser?.unit ?? "us",
    header: rows.header,
    names: parser?.names ?? [],
    rows_read: rows.read,
    rows_accepted: rows.accepted,
    rows_rejected: rows.read - rows.accepted,
    first_rejected: rows.firstRejected,
    rejections: Object.fromEntries(rows.rejections),
    quality: {
      out_of_order: checker.out_of_order,
      duplicates: checker.duplicates,
      gaps: checker.gaps,
      id_gaps: checker.id_gaps,
      time_gaps: checker.time_gaps,
      stale: checker.stale,
      clock_drift: checker.clock_drift,
      id_conflicts: checker.id_conflicts,
      id_collisions: checker.id_collisions,
      first_event_time_us: checker.first_event_time_us,
      last_event_time_us: checker.last_event_time_us,
    },
  };
}

/** Throws `FailureError` when a load would hold more rows than `recording_rows`. */
export function boundRows(path: string, rows: number, limits: VenueLimits): void {
  if (rows > limits.recording_rows) throw tooLarge(path, "recording_rows", limits.recording_rows);
}
