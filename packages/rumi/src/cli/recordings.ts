/** `rumi recordings inspect` and `rumi venues add`: what is in a file, and making it a venue without writing JSON. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { isoFromMicros, micros, type Failure, type Result } from "@rumi/kernel";
import {
  inferInstrument,
  loadRecordings,
  type InferredInstrument,
  type LoadedRecordings,
  type RecordingFile,
} from "@rumi/venues";
import { newCommandId } from "./client.ts";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson, printObject, progressBar } from "./output.ts";

type InspectOptions = { readonly instrument?: string; readonly json?: boolean };
type AddOptions = InspectOptions & {
  readonly pace: string;
  readonly makerPpm: string;
  readonly takerPpm: string;
  readonly latencyUs: string;
  readonly reason: string;
};

export function addRecordingCommands(program: Command, context: CliContext): void {
  program
    .command("recordings")
    .description("Files of recorded market data.")
    .command("inspect")
    .description("Read a recording and say what is in it: rows, rejects, gaps, duplicates, the instrument it suggests")
    .argument("<file>")
    .option("--instrument <id>", "SYMBOL.VENUE (default: after the file's name)")
    .option("--json", "print the report as JSON")
    .action(async (path: string, options: InspectOptions) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const read = await readRecording(context, path, options.instrument, style);
      if (!read.ok) return fail(context, read.error, style);
      const { inferred, loaded } = read.value;
      if (style === "json")
        return printJson(context.terminal, {
          instrument: inferred.instrument,
          assumptions: inferred.assumptions,
          report: loaded.report,
        });
      printObject(context.terminal, { ...summary(loaded), instrument: inferred.instrument });
      for (const assumption of inferred.assumptions) context.terminal.out(`assumed: ${assumption}\n`);
    });

  const venues = program.command("venues").description("Commands about venues.");
  venues
    .command("add")
    .description("Register a recording as a venue; the instrument is read from the data")
    .argument("<venue_id>", "e.g. XRP (upper case)")
    .argument("<file>", "path on the machine where the program runs")
    .option("--instrument <id>", "SYMBOL.VENUE (default: after the file's name)")
    .option("--pace <factor|max>", "recorded time × factor, or max", "1")
    .option("--maker-ppm <ppm>", "maker fee, parts per million", "0")
    .option("--taker-ppm <ppm>", "taker fee, parts per million", "0")
    .option("--latency-us <us>", "order latency, microseconds", "0")
    .requiredOption("--reason <text>", "why; it is written into the audit log")
    .option("--json", "print the answer as JSON")
    .action(async (venue_id: string, path: string, options: AddOptions) => addVenue(context, venue_id, path, options));
}

async function addVenue(context: CliContext, venue_id: string, path: string, options: AddOptions): Promise<void> {
  const style: OutputStyle = options.json === true ? "json" : "words";
  const pace =
    options.pace === "max" ? { kind: "max" as const } : { kind: "multiple" as const, factor: Number(options.pace) };
  const numbers = [options.makerPpm, options.takerPpm, options.latencyUs].map(Number);
  if (numbers.some((value) => !Number.isSafeInteger(value)) || (pace.kind === "multiple" && !(pace.factor > 0))) {
    context.terminal.err(
      "--pace is max or a number above 0; --maker-ppm, --taker-ppm and --latency-us are whole numbers\n",
    );
    context.exit_code = EXIT.usage;
    return;
  }
  const [maker_ppm, taker_ppm, base_us] = numbers;
  const client = clientOf(context);
  if (!client.ok) return fail(context, client.error, style);
  const read = await readRecording(context, path, options.instrument, style);
  if (!read.ok) return fail(context, read.error, style);
  const { inferred } = read.value;
  const answer = await client.value.request({
    method: "POST",
    path: "/api/venues",
    body: {
      command_id: newCommandId(),
      venue_id,
      kind: "recording",
      files: [{ path: resolve(path), format: inferred.format, instrument: inferred.instrument }],
      pace,
      fees: { maker_ppm, taker_ppm },
      latency: { base_us, jitter_us: 0 },
      reason: options.reason,
    },
  });
  if (!answer.ok) return failFromApi(context, answer.error, style);
  if (style === "json") return printJson(context.terminal, answer.value.body);
  context.terminal.out(`venue ${venue_id}: ${inferred.instrument.instrument_id}, ${inferred.rows} rows\n`);
  for (const assumption of inferred.assumptions) context.terminal.out(`assumed: ${assumption}\n`);
}

/** Infers the instrument, then loads with it; a bar shows the bytes read. */
export async function readRecording(
  context: CliContext,
  path: string,
  instrument_id: string | undefined,
  style: OutputStyle,
): Promise<
  Result<
    { readonly inferred: InferredInstrument; readonly loaded: LoadedRecordings; readonly file: RecordingFile },
    Failure
  >
> {
  const bar = style === "json" ? { update: () => {}, end: () => {} } : progressBar(context.terminal, "reading");
  const total = sizeOf(path) * 2;
  let before = 0;
  const onProgress = ({ bytes }: { readonly bytes: number }): void =>
    bar.update(Math.min(total, before + bytes), total);
  try {
    const inferred = await inferInstrument(path, {
      onProgress,
      ...(instrument_id === undefined ? {} : { instrument_id }),
    });
    if (!inferred.ok) return inferred;
    before = total / 2;
    const file: RecordingFile = { path, format: inferred.value.format, instrument: inferred.value.instrument };
    const loaded = await loadRecordings([file], { onProgress });
    return loaded.ok ? { ok: true, value: { inferred: inferred.value, loaded: loaded.value, file } } : loaded;
  } finally {
    bar.end();
  }
}

function summary({ report }: LoadedRecordings): Readonly<Record<string, unknown>> {
  const { files, first_event_time_us: first, last_event_time_us: last, ...counts } = report;
  return {
    ...counts,
    from: first === null ? null : isoFromMicros(micros(first)),
    to: last === null ? null : isoFromMicros(micros(last)),
    ...files[0],
  };
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // the reader names what is wrong with the file
  }
}
