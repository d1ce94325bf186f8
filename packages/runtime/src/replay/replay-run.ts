/**
 * Replays a recorded run from its directory and says whether it comes out again, byte for byte.
 *
 * How to think: the same machine, gate and venue as then, over the recording with the digest on record; every record
 * that the machine makes is compared with the journal's, every state checkpoint with the digest that its record bears.
 * Nothing is written, nothing is asked of anybody: a copy of the home and the recording are enough.
 *
 * Invariants (replay-run.test.ts)
 * - A run with kills, pauses and inputs in it is identical; a changed record, configuration or pack is found.
 * - A journal's torn tail is told, not judged: what never was durable proves nothing.
 */
import { type Digest, err, type Failure, failure, ok, type Result } from "@rumi/kernel";
import { createSimulatedVenue } from "@rumi/venues";
import { join } from "node:path";
import { ExternalVenue } from "../gateway/external-venue.ts";
import { TapeStream } from "../tape/reader.ts";
import { TAPE_LIMITS } from "../tape/limits.ts";
import type { Checkpoint } from "../checkpoint/format.ts";
import { originOf } from "../instance/earlier-life.ts";
import type { MachineEntry } from "../instance/entry.ts";
import { venueOptionsOf } from "../instance/gate-context.ts";
import { beginMachine } from "../instance/host-begin.ts";
import { machineOf } from "../instance/host-machine.ts";
import { type Divergence, DivergenceError, Expectation, isReproduced, type Tape } from "../instance/recorder.ts";
import { replayLife } from "../instance/replay.ts";
import { readRunRecord, type RunRecord, tellsRefused } from "../instance/run-record.ts";
import { closedSegment, readJournal } from "../journal/reader.ts";
import { loadFeed } from "../lane/lane.ts";
import type { JournalEntry, SegmentClosed } from "../protocol.ts";
import { shadowVenueOf } from "../shadow/open-shadow.ts";
import { loadStrategy, type LoadStrategyOptions } from "../strategy/load.ts";

export type ReplayRunOptions = {
  readonly run_dir: string;
  /** The pack whose digest is on record; the caller proved that. */
  readonly pack_dir: string;
  /** Python strategies need what a lane needs. */
  readonly python?: LoadStrategyOptions["python"];
  readonly native?: LoadStrategyOptions["native"];
  /** Where a recording lies now, by the path on record; its digest is checked either way. */
  readonly recordings?: Readonly<Record<string, string>>;
};

export type ReplayReport = {
  readonly run_id: string;
  readonly bot_id: string;
  readonly instance_id: string;
  readonly strategy: string;
  readonly pack_digest: Digest;
  readonly outcome: "identical" | "diverged";
  /** Records of the journal, and those of them that came out again and were compared. */
  readonly records: number;
  readonly compared: number;
  /** Inputs given again: configuration, safety, signals, faults, stops. */
  readonly inputs: number;
  /** Lives after the first one. */
  readonly resumed: number;
  readonly states_compared: number;
  /** Digest of the last state that was compared. */
  readonly state_digest: string | null;
  readonly journal_chain: string;
  /** Root of every segment, closed ones as the audit log has them. */
  readonly segments: readonly SegmentClosed[];
  readonly merkle_root: string | null;
  /** The journal ends in `run_stopped`. */
  readonly stopped: boolean;
  readonly torn_tail: string | null;
  readonly feed: readonly { readonly path: string; readonly sha256: Digest }[];
  /** The first difference: what the journal says and what came out. */
  readonly divergence: Divergence | null;
};

/** Compares and counts; what comes after the journal's end is nobody's business. */
class ComparingTape implements Tape {
  readonly #expected: Expectation;
  #compared = 0;

  constructor(entries: readonly JournalEntry[]) {
    this.#expected = new Expectation(entries, 0);
  }
  get compared(): number {
    return this.#compared;
  }
  get live(): boolean {
    return this.#expected.isOver;
  }
  get head(): JournalEntry | undefined {
    return this.#expected.head;
  }
  get epochInForce(): number {
    return this.#expected.epochInForce;
  }
  record(entry: MachineEntry): void {
    if (this.#expected.meets(entry)) this.#compared += 1;
    this.#expected.skipResumed();
  }
  passHead(): void {
    this.#expected.pass();
  }
  goLiveIfDone(): void {
    this.#expected.skipResumed();
  }
}

/** Errors RUMI-STR-020, -023, -034, -070, -073; a difference is no error but the report's outcome. */
export async function replayRun(options: ReplayRunOptions): Promise<Result<ReplayReport, Failure>> {
  const { run_dir } = options;
  const read = readRunRecord(run_dir);
  if (!read.ok) return read;
  if (read.value === null) return err(impossible(run_dir, "it began before runs kept a record"));
  const { record, digest } = read.value;
  const journal = readJournal({ directory: join(run_dir, "journal"), runId: record.run_id, durableSeq: 0 });
  if (!journal.ok) return journal;
  const { entries, last, torn } = journal.value;
  const [first] = entries;
  if (first?.kind !== "run_started" || first.run !== digest)
    return err(
      failure(
        "RUMI-STR-070",
        { path: join(run_dir, "run.json"), problem: "it is not the record that the journal names" },
        { reasonCode: "M.RUN.RECORD" },
      ),
    );
  const played = await play(options, record, entries);
  if (!played.ok) return played;
  const open = last === null ? [] : [closedSegment(record.run_id, last)];
  const segments = [...journal.value.closed.filter(({ segment }) => segment !== last?.segment), ...open];
  return ok({
    run_id: record.run_id,
    bot_id: record.bot_id,
    instance_id: record.instance_id,
    strategy: `${record.strategy_id} ${record.strategy_version}`,
    pack_digest: record.pack_digest,
    outcome: played.value.divergence === null ? "identical" : "diverged",
    records: entries.length,
    inputs: entries.filter(({ kind }) => kind === "input").length,
    resumed: entries.filter(({ kind }) => kind === "run_resumed").length,
    ...played.value,
    journal_chain: journal.value.chain.toString("hex"),
    segments,
    merkle_root: segments.at(-1)?.root ?? null,
    stopped: entries.at(-1)?.kind === "run_stopped",
    torn_tail: torn === null ? null : torn.problem,
    feed: record.venue.files.map(({ path, sha256 }) => ({ path, sha256 })),
  });
}

type Played = Pick<ReplayReport, "compared" | "states_compared" | "state_digest" | "divergence">;

async function play(
  options: ReplayRunOptions,
  record: RunRecord,
  entries: readonly JournalEntry[],
): Promise<Result<Played, Failure>> {
  const { run_dir, pack_dir, python, native, recordings = {} } = options;
  const files = record.venue.files.map((file) => ({ ...file, path: recordings[file.path] ?? file.path }));
  const { follows, from: _from, ...kept } = record;
  const spec = { ...kept, run_dir, venue: { ...record.venue, files } };
  const origin = originOf(run_dir, { record });
  if (!origin.ok) return origin;
  // What a live run received is on its tape; its venue's word is in the journal.
  const taped = spec.venue.live === undefined ? undefined : TapeStream.open(run_dir, firstRowOf(origin.value, follows));
  if (taped?.ok === false) return taped;
  const feed = taped === undefined ? await loadFeed(spec) : ok(taped.value.feed.feed);
  if (!feed.ok) return feed;
  const venue =
    taped === undefined
      ? createSimulatedVenue(venueOptionsOf(spec.instruments, spec.venue))
      : ok(new ExternalVenue(spec.instruments));
  if (!venue.ok) return venue;
  const strategy = loadStrategy({
    descriptor: spec.descriptor,
    pack_dir,
    pack_digest: spec.pack_digest,
    isolation: "any",
    ...(spec.isolation_level === undefined ? {} : { isolation_level: spec.isolation_level }),
    ...(python === undefined ? {} : { python }),
    ...(native === undefined ? {} : { native }),
  });
  if (!strategy.ok) return strategy;
  const tape = new ComparingTape(entries);
  const states: string[] = [];
  const played = (divergence: Divergence | null): Result<Played, Failure> =>
    ok({
      compared: tape.compared,
      states_compared: states.length,
      state_digest: states.at(-1) ?? null,
      divergence,
    });
  try {
    const parts = {
      spec,
      feed: feed.value,
      strategy: strategy.value,
      venue: follows === null ? venue.value : shadowVenueOf(spec),
    };
    const machine = machineOf(parts, tape, spec.config, tellsRefused(record));
    const refused = await replayLife({
      machine,
      recorder: tape,
      expected: entries,
      rowsUpTo: taped === undefined ? () => null : (row) => windowOf(taped.value, machine.cursor, row),
      feed: feed.value,
      begin: () => beginMachine(machine, parts, origin.value),
      venueState: () => parts.venue.save(),
      onState: (digest) => states.push(digest),
      mayEmit: () => true,
      sync: () => Promise.resolve(),
    });
    if (refused !== null) return err(refused);
    const unheard = entries.filter(isReproduced).length - tape.compared;
    return unheard === 0 ? played(null) : err(impossible(run_dir, `${unheard} records were not heard`));
  } catch (error) {
    if (error instanceof DivergenceError) return played(error.divergence);
    throw error;
  } finally {
    strategy.value.close();
    taped?.value.close();
  }
}

/** A run that goes on from another one needs the row before its own first; a shadow's tape begins with that one. */
function firstRowOf(origin: Checkpoint | null, follows: string | null): number {
  const cursor = origin?.header.last_event_cursor ?? 0;
  return follows === null ? Math.max(0, cursor - 1) : cursor;
}

/** Reads on to `row`, and leaves what the machine has behind it. */
function windowOf(tape: TapeStream, cursor: number, row: number): Failure | null {
  tape.feed.forget(cursor - TAPE_LIMITS.rows_behind);
  return tape.fill(row);
}

const impossible = (run_dir: string, problem: string): Failure =>
  failure(
    "RUMI-STR-073",
    { run_id: run_dir.split("/").at(-1) ?? "", problem },
    { reasonCode: "M.REPLAY.NOT_POSSIBLE" },
  );
