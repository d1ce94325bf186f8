/**
 * Loads recordings into one ordered feed, with a report that leaves nothing unsaid.
 *
 * Order of delivery: received time (Tardis `local_timestamp`; where a layout has one clock, event time), stable: rows of equal time keep their file's order, earlier files first. A row that had to be moved, or
 * whose event time lies before one already seen, carries the out-of-order flag.
 *
 * Invariants
 * - What is in the report is what is in the columns (load.test.ts).
 */
import type { InstrumentSpec } from "@rumi/abi";
import { canonicalJson, failure, FailureError, type Failure, type Result } from "@rumi/kernel";
import { mergeFeeds, orderByReceivedTime } from "../columns.ts";
import { VENUE_LIMITS } from "../limits.ts";
import type { LoadReport, RecordingFile, MarketFeed } from "../types.ts";
import { readCached, writeCached, type CacheKey } from "./cache.ts";
import type { RowSink } from "./row-sink.ts";
import { boundRows, scanRecording, type ScanOptions, type ScanReport } from "./scan.ts";
import { FeedSink } from "./sinks.ts";
import { fileDigest } from "./source.ts";

export type LoadOptions = ScanOptions & {
  /** Folder of decoded copies, keyed by the source's SHA-256; none is kept without it. */
  readonly cache_dir?: string;
};

export type LoadedRecordings = {
  /** `feed.instrument[row]` indexes `instruments`, which are in order of first mention. */
  readonly feed: MarketFeed;
  readonly instruments: readonly InstrumentSpec[];
  readonly report: LoadReport;
};

/** Errors RUMI-MKT-001 to -007. */
export async function loadRecordings(
  files: readonly RecordingFile[],
  options: LoadOptions = {},
): Promise<Result<LoadedRecordings, Failure>> {
  const limits = { ...VENUE_LIMITS, ...options.limits };
  if (files.length > limits.recording_files) {
    return {
      ok: false,
      error: failure("RUMI-MKT-005", {
        path: files[0]?.path ?? "",
        limit_name: "recording_files",
        limit: limits.recording_files,
      }),
    };
  }
  const instruments: InstrumentSpec[] = [];
  const parts: { readonly columns: MarketFeed; readonly instruments: readonly number[] }[] = [];
  const scans: FileScan[] = [];
  let rows = 0;
  for (const file of files) {
    const index = placeOf(file.instrument, instruments);
    if (index === undefined)
      return {
        ok: false,
        error: failure("RUMI-MKT-007", { instrument: file.instrument.instrument_id }),
      };
    const loaded = await loadFile(file, {
      ...options,
      limits: { ...limits, recording_rows: limits.recording_rows - rows },
    });
    if (!loaded.ok) return loaded;
    rows += loaded.value.events;
    parts.push({ columns: loaded.value.columns, instruments: [index] });
    scans.push(loaded.value);
  }
  const [only] = parts;
  const feed = parts.length === 1 && only !== undefined ? only.columns : mergeFeeds(parts);
  return { ok: true, value: { feed, instruments, report: reportOf(scans) } };
}

/**
 * Rows in file order, in batches, with bounded memory. Nothing is sorted across batches: rows out of
 * order carry their flag. `onBatch` may return a promise; reading waits for it.
 */
export async function streamRecording(
  file: RecordingFile,
  onBatch: (batch: MarketFeed) => void | Promise<void>,
  options: ScanOptions & { readonly batch_rows?: number } = {},
): Promise<Result<LoadReport, Failure>> {
  const least = options.batch_rows ?? 65_536;
  const rows = new FeedSink(least + 8_192);
  let events = 0;
  const flush = async (): Promise<void> => {
    const batch = rows.take(least + 8_192);
    events += batch.length;
    await onBatch(batch);
  };
  const sink: RowSink = {
    begin: (layout) => rows.begin(layout),
    row: (values, flags) => rows.row(values, flags),
    pause: (at) => {
      if (at === "end") rows.end();
      return rows.length >= least ? flush() : undefined;
    },
  };
  const scanned = await scanRecording({ ...file, precision: file.instrument }, sink, options);
  if (!scanned.ok) return scanned;
  if (rows.length > 0) await flush();
  return { ok: true, value: reportOf([{ scan: scanned.value, cache: "off", events }]) };
}

type FileScan = {
  readonly scan: ScanReport;
  readonly cache: LoadReport["files"][number]["cache"];
  /** Rows of the feed. */
  readonly events: number;
};

async function loadFile(
  file: RecordingFile,
  options: LoadOptions,
): Promise<Result<FileScan & { readonly columns: MarketFeed }, Failure>> {
  try {
    const key: CacheKey | undefined =
      options.cache_dir === undefined
        ? undefined
        : { folder: options.cache_dir, source: await fileDigest(file.path), file, options };
    const cached = key === undefined ? undefined : await readCached(key);
    if (cached?.kind === "hit") {
      boundRows(file.path, cached.columns.length, { ...VENUE_LIMITS, ...options.limits });
      return {
        ok: true,
        value: {
          columns: cached.columns,
          scan: { ...cached.scan, path: file.path },
          cache: "hit",
          events: cached.columns.length,
        },
      };
    }
    const decoded = await decode(file, options);
    if (!decoded.ok) return decoded;
    const events = decoded.value.columns.length;
    if (key === undefined) return { ok: true, value: { ...decoded.value, events, cache: "off" } };
    // The file may have changed since it was digested; then this copy belongs to no key.
    if (decoded.value.scan.sha256 === key.source) await writeCached(key, decoded.value.columns, decoded.value.scan);
    return {
      ok: true,
      value: { ...decoded.value, events, cache: cached?.kind === "damaged" ? "rebuilt" : "written" },
    };
  } catch (cause) {
    if (cause instanceof FailureError) return { ok: false, error: cause.failure };
    throw cause;
  }
}

async function decode(
  file: RecordingFile,
  options: LoadOptions,
): Promise<Result<{ readonly columns: MarketFeed; readonly scan: ScanReport }, Failure>> {
  const limits = { ...VENUE_LIMITS, ...options.limits };
  const rows = new FeedSink(65_536);
  const sink: RowSink = {
    begin: (layout) => rows.begin(layout),
    row: (values, flags) => rows.row(values, flags),
    pause: (at) => {
      if (at === "end") rows.end();
      boundRows(file.path, rows.length, limits);
    },
  };
  const scanned = await scanRecording(
    { path: file.path, format: file.format, precision: file.instrument },
    sink,
    options,
  );
  if (!scanned.ok) return scanned;
  return {
    ok: true,
    value: { columns: orderByReceivedTime(rows.take(0)), scan: scanned.value },
  };
}

function placeOf(instrument: InstrumentSpec, known: InstrumentSpec[]): number | undefined {
  const at = known.findIndex((other) => other.instrument_id === instrument.instrument_id);
  if (at < 0) return known.push(instrument) - 1;
  return canonicalJson(known[at] ?? null) === canonicalJson(instrument) ? at : undefined;
}

function reportOf(files: readonly FileScan[]): LoadReport {
  const sum = (of: (scan: ScanReport) => number): number => files.reduce((total, { scan }) => total + of(scan), 0);
  const times = (of: (scan: ScanReport) => number | null): number[] => files.flatMap(({ scan }) => of(scan) ?? []);
  const firsts = times((scan) => scan.quality.first_event_time_us);
  const lasts = times((scan) => scan.quality.last_event_time_us);
  const rejecting = files.find(({ scan }) => scan.first_rejected !== null)?.scan;
  const rejections: Record<string, number> = {};
  for (const { scan } of files)
    for (const [problem, count] of Object.entries(scan.rejections))
      rejections[problem] = (rejections[problem] ?? 0) + count;
  return {
    files: files.map(({ scan, cache }) => ({
      path: scan.path,
      sha256: scan.sha256,
      format: scan.format,
      time_unit: scan.time_unit,
      header: scan.header,
      compression: scan.compression,
      rows_accepted: scan.rows_accepted,
      bytes: scan.bytes,
      cache,
    })),
    rows_read: sum((scan) => scan.rows_read),
    rows_accepted: sum((scan) => scan.rows_accepted),
    rows_rejected: sum((scan) => scan.rows_rejected),
    events: files.reduce((total, { events }) => total + events, 0),
    first_rejected: rejecting?.first_rejected == null ? null : { path: rejecting.path, ...rejecting.first_rejected },
    out_of_order: sum((scan) => scan.quality.out_of_order),
    duplicates: sum((scan) => scan.quality.duplicates),
    gaps: sum((scan) => scan.quality.gaps),
    id_gaps: sum((scan) => scan.quality.id_gaps),
    time_gaps: sum((scan) => scan.quality.time_gaps),
    stale: sum((scan) => scan.quality.stale),
    clock_drift: sum((scan) => scan.quality.clock_drift),
    id_conflicts: sum((scan) => scan.quality.id_conflicts),
    id_collisions: sum((scan) => scan.quality.id_collisions),
    rejections,
    first_event_time_us: firsts.length === 0 ? null : Math.min(...firsts),
    last_event_time_us: lasts.length === 0 ? null : Math.max(...lasts),
  };
}
