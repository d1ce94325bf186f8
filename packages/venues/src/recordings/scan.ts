/**
 * Reads a recording from end to end in bounded memory and hands every row to a sink.
 *
 * The first lines decide the layout; from there each line is parsed, judged and counted. What is refused
 * is counted by reason, and the first refusal is kept with its line.
 *
 * Invariants
 * - rows_read = rows_accepted + rows_rejected, whatever the bytes are (load.test.ts, random bytes).
 */
import { failure, FailureError, type Digest, type Failure, type Result } from "@rumi/kernel";
import { VENUE_LIMITS, type VenueLimits } from "../limits.ts";
import type { RecordingFormat } from "../types.ts";
import { isKnownHeader, KNOWN_LAYOUTS, LAYOUTS, type KnownFormat, type Layout } from "./layouts.ts";
import { DEFAULT_QUALITY, RowChecker, type QualityBounds } from "./row-checker.ts";
import { RowParser, type Precision } from "./row-parser.ts";
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
    | "id_conflicts"
    | "id_collisions"
    | "first_event_time_us"
    | "last_event_time_us"
  >;
};

export interface RowSink {
  row(row: RowParser, flags: number): void;
  /** Between chunks; may wait, which holds the reading back. */
  pause?(): void | Promise<void>;
}

export type ScanFile = {
  readonly path: string;
  readonly format: RecordingFormat;
  readonly precision: Precision;
};

export async function scanRecording(
  file: ScanFile,
  sink: RowSink,
  options: ScanOptions = {},
): Promise<Result<ScanReport, Failure>> {
  const limits = { ...VENUE_LIMITS, ...options.limits };
  try {
    const source = await openRecording(file.path, limits);
    const rows = new RowReader(file, sink, options, limits);
    let bytes = 0;
    for await (const chunk of source.chunks) {
      bytes += chunk.length;
      rows.push(chunk);
      options.onProgress?.({ path: file.path, bytes, rows: rows.read });
      const pause = sink.pause?.();
      if (pause !== undefined) await pause;
    }
    rows.end();
    await sink.pause?.();
    return {
      ok: true,
      value: {
        ...rows.report(),
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

/** Cuts bytes into lines, finds the layout, parses and counts. */
class RowReader {
  read = 0;
  #line = 0;
  #accepted = 0;
  #blankFrom = 0;
  #header = false;
  #carry = new Uint8Array(0);
  #tooLong = false;
  #firstLine: string | undefined;
  #parser: RowParser | undefined;
  #layout: Layout | undefined;
  #checker: RowChecker | undefined;
  #firstRejected: { readonly line: number; readonly problem: string } | null = null;
  readonly #rejections = new Map<string, number>();
  readonly #file: ScanFile;
  readonly #sink: RowSink;
  readonly #quality: QualityBounds;
  readonly #limits: VenueLimits;
  readonly #candidates: readonly Layout[];

  constructor(file: ScanFile, sink: RowSink, options: ScanOptions, limits: VenueLimits) {
    this.#file = file;
    this.#sink = sink;
    this.#limits = limits;
    this.#quality = {
      max_time_gap_us: options.max_time_gap_us ?? DEFAULT_QUALITY.max_time_gap_us,
      stale_after_us: options.stale_after_us ?? DEFAULT_QUALITY.stale_after_us,
    };
    this.#candidates = LAYOUTS.filter((layout) => file.format === "auto" || layout.format === file.format);
  }

  push(chunk: Uint8Array): void {
    // A plain view: Uint8Array.indexOf is several times quicker than Buffer's.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    if (this.#carry.length > 0 || this.#tooLong) {
      const end = bytes.indexOf(10);
      if (end < 0) return this.#keep(bytes);
      this.#keep(bytes.subarray(0, end));
      this.#endOfCarry();
      at = end + 1;
    }
    for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
      this.#lineOf(bytes, at, end);
      at = end + 1;
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  end(): void {
    if (this.#carry.length > 0 || this.#tooLong) this.#endOfCarry();
    if (this.#layout === undefined) throw this.#unknownLayout();
    if (this.#accepted === 0 && this.read > 0) {
      const first = this.#firstRejected ?? { line: 1, problem: "unknown" };
      throw new FailureError(
        failure("RUMI-MKT-003", {
          path: this.#file.path,
          line: first.line,
          problem: first.problem,
        }),
      );
    }
  }

  report(): Omit<ScanReport, "path" | "sha256" | "compression" | "bytes"> {
    const { format } = this.#layout ?? { format: "binance_agg_trades" };
    const checker = this.#checker ?? new RowChecker(this.#quality, false);
    return {
      format,
      time_unit: this.#parser?.unit ?? "us",
      header: this.#header,
      names: this.#parser?.names ?? [],
      rows_read: this.read,
      rows_accepted: this.#accepted,
      rows_rejected: this.read - this.#accepted,
      first_rejected: this.#firstRejected,
      rejections: Object.fromEntries(this.#rejections),
      quality: {
        out_of_order: checker.out_of_order,
        duplicates: checker.duplicates,
        gaps: checker.gaps,
        id_gaps: checker.id_gaps,
        time_gaps: checker.time_gaps,
        stale: checker.stale,
        id_conflicts: checker.id_conflicts,
        id_collisions: checker.id_collisions,
        first_event_time_us: checker.first_event_time_us,
        last_event_time_us: checker.last_event_time_us,
      },
    };
  }

  #keep(bytes: Uint8Array): void {
    if (this.#tooLong) return;
    if (this.#carry.length + bytes.length > this.#limits.line_bytes) {
      this.#tooLong = true;
      return;
    }
    const joined = new Uint8Array(this.#carry.length + bytes.length);
    joined.set(this.#carry);
    joined.set(bytes, this.#carry.length);
    this.#carry = joined;
  }

  #endOfCarry(): void {
    const line = this.#carry;
    this.#carry = new Uint8Array(0);
    if (!this.#tooLong) return this.#lineOf(line, 0, line.length);
    this.#tooLong = false;
    this.#line += 1;
    this.#firstLine ??= printable(line);
    this.#reject(this.#line, `is longer than ${this.#limits.line_bytes} bytes`);
  }

  #lineOf(bytes: Uint8Array, from: number, to: number): void {
    this.#line += 1;
    let start = from;
    let end = to;
    if (end > start && bytes[end - 1] === 13) end -= 1;
    if (
      this.#line === 1 &&
      end - start >= 3 &&
      bytes[start] === 0xef &&
      bytes[start + 1] === 0xbb &&
      bytes[start + 2] === 0xbf
    )
      start += 3;
    if (end === start) {
      if (this.#blankFrom === 0) this.#blankFrom = this.#line;
      return;
    }
    // Blank lines are only the file's last ones; before a row they are refused rows.
    if (this.#blankFrom !== 0) {
      for (let line = this.#blankFrom; line < this.#line; line += 1) this.#reject(line, "is empty");
      this.#blankFrom = 0;
    }
    if (end - start > this.#limits.line_bytes)
      return this.#reject(this.#line, `is longer than ${this.#limits.line_bytes} bytes`);
    if (this.#layout === undefined && !this.#find(bytes, start, end)) return;
    this.#row(bytes, start, end);
  }

  #row(bytes: Uint8Array, start: number, end: number): void {
    const parser = this.#parser as RowParser;
    const problem = parser.parse(bytes, start, end);
    if (problem !== "") return this.#reject(this.#line, problem);
    this.read += 1;
    this.#accepted += 1;
    this.#sink.row(parser, (this.#checker as RowChecker).check(parser));
  }

  /** Tries the known layouts on a line; answers whether the line is data of the one found. */
  #find(bytes: Uint8Array, start: number, end: number): boolean {
    const isFirst = this.#firstLine === undefined;
    this.#firstLine ??= printable(bytes.subarray(start, end));
    for (const layout of this.#candidates) {
      if (new RowParser(layout, "any").parse(bytes, start, end) === "") {
        this.#layout = layout;
        this.#parser = new RowParser(layout, this.#file.precision);
        this.#checker = new RowChecker(this.#quality, layout.consecutive_ids);
        return true;
      }
    }
    if (isFirst && isKnownHeader(printable(bytes.subarray(start, end)))) this.#header = true;
    else this.#reject(this.#line, "has no known layout");
    if (this.#line >= this.#limits.layout_search_lines) throw this.#unknownLayout();
    return false;
  }

  #reject(line: number, problem: string): void {
    this.read += 1;
    this.#firstRejected ??= { line, problem };
    this.#rejections.set(problem, (this.#rejections.get(problem) ?? 0) + 1);
  }

  #unknownLayout(): FailureError {
    const params = {
      path: this.#file.path,
      first_line: this.#firstLine ?? "(the file is empty)",
      layouts: KNOWN_LAYOUTS,
    };
    return new FailureError(failure("RUMI-MKT-002", params));
  }
}

function printable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  return text.replace(/[^\x20-\x7e]/g, "?");
}

/** Throws `FailureError` when a load would hold more rows than `recording_rows`. */
export function boundRows(path: string, rows: number, limits: VenueLimits): void {
  if (rows > limits.recording_rows) throw tooLarge(path, "recording_rows", limits.recording_rows);
}
