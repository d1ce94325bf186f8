/**
 * The stand-alone verifier: trusts a public key and nothing else.
 *
 * How to think: everything is recomputed from the entries and held against everything that claims to be
 * the same log: the signed head, the tiles, the payloads, the JSONL views, and earlier signed heads that
 * somebody kept elsewhere. It never stops at the first finding. A copy that was cut off together with its
 * checkpoint looks whole; only an earlier checkpoint (`against`) shows it.
 *
 * Invariants
 * - Edited, removed, inserted, reordered, truncated and forked logs, changed payloads and changed JSONL
 *   lines are each found and named (verify.test.ts tampers with bytes of each).
 * - Memory does not grow with the log, but for the ids of erased payloads (verify.test.ts).
 * - Who vouches for ranges saves time and changes no report (vouch.test.ts).
 * - A log that grows while it is verified is verified as of its head (verify.test.ts).
 * - The same code checks the store's rows and a copied directory (both are a {@link LogSource}).
 */
import { isoFromMicros, type Micros, ok, type Uuid } from "@rumi/kernel";
import { keptUntil } from "./catalogue.ts";
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { openLogDirectory, readVerifierKey } from "./directory-source.ts";
import type { LedgerEvent } from "./event.ts";
import { equalBytes } from "./hashing.ts";
import { type LeafRecord, type OpenedLeaf, openRecord, parseLeaf, reopenLeaf } from "./leaf.ts";
import type { NoteVerifier } from "./note.ts";
import { parseVerifier } from "./note.ts";
import type { IndexedEvent, IndexSource, LogSource, OpenedPayload, PayloadSource, RangeVouchers } from "./source.ts";
import { TILE_WIDTH } from "./tiles.ts";
import { checkEarlierPartials } from "./verify/earlier-partials.ts";
import { type Finding, Findings } from "./verify/finding.ts";
import { indexProblem } from "./verify/index-check.ts";
import { JsonlCheck } from "./verify/jsonl-check.ts";
import { type StreamResult, type TreeRoots, streamLog } from "./verify/stream.ts";

export { FINDINGS_MAX, type Finding, type FindingKind, findingText } from "./verify/finding.ts";

export type VerifyOptions = {
  readonly source: LogSource;
  /** The log's public key: parsed, or the line of log.vkey. */
  readonly verifier: NoteVerifier | string;
  /** Without it commitments are not opened. */
  readonly payloads?: PayloadSource;
  /** What the store searches by; held against the leaves and payloads. */
  readonly index?: IndexSource;
  /** Directory of the JSONL views. */
  readonly jsonl?: string;
  /** Others who look at ranges of the same log, payloads and index; asked where those are given and no views are held. */
  readonly vouchers?: RangeVouchers;
  /** Earlier signed checkpoints of this log; each must be a prefix of it. */
  readonly against?: readonly string[];
  /** Entries below were pruned by policy (whole bundles); their tiles must still be there. */
  readonly minimum_index?: number;
  readonly onProgress?: (done: number, total: number) => void;
};

export type VerifyReport = {
  /** Whether there is nothing to report. */
  readonly ok: boolean;
  readonly origin: string | null;
  readonly size: number;
  readonly entries_checked: number;
  readonly payloads_checked: number;
  /** Payloads that are gone and named by a later audit.erasure event. */
  readonly payloads_erased: number;
  readonly jsonl_lines_checked: number;
  /** Entries that the JSONL views claim to cover; fewer than `size` means that they are behind. */
  readonly jsonl_complete_to: number | null;
  readonly against_checked: number;
  readonly findings: readonly Finding[];
  /** Number of findings, also of those beyond the listed ones. */
  readonly findings_total: number;
};

/** Verifies a log wherever it is kept. Throws only when the source itself does (a disk that cannot be read). */
export async function verifyLog(options: VerifyOptions): Promise<VerifyReport> {
  const findings = new Findings();
  return verifyAll(options, await openViews(options, findings), findings);
}

/** The JSONL views as they are now; a head that is read after this covers each of their lines. */
async function openViews({ jsonl }: Pick<VerifyOptions, "jsonl">, findings: Findings): Promise<JsonlCheck | undefined> {
  return jsonl === undefined ? undefined : JsonlCheck.open(jsonl, findings);
}

async function verifyAll(
  options: VerifyOptions,
  jsonl: JsonlCheck | undefined,
  findings: Findings,
  directory?: string,
): Promise<VerifyReport> {
  const head = await readHead(options, findings);
  if (head === undefined) return report(findings, undefined, new Contents(options, undefined, findings), 0);
  const contents = new Contents(options, jsonl, findings);
  const earlier = earlierHeads(options, head, findings);
  const stream = await streamLog({
    source: options.source,
    size: head.size,
    minimum_index: Math.floor((options.minimum_index ?? 0) / TILE_WIDTH) * TILE_WIDTH,
    anchors: earlier.map((checkpoint) => checkpoint.size),
    findings,
    vouchers: vouchersFor(options),
    onEntries: (first, leaves) => contents.check(first, leaves),
    onVouched: (entries) => contents.vouched(entries),
    onProgress: (done) => options.onProgress?.(done, head.size),
  });
  const whole = judge(stream, head, findings);
  for (const checkpoint of earlier) judgeEarlier(checkpoint, whole, findings);
  await contents.finish();
  if (directory !== undefined) await checkEarlierPartials(directory, options.source, head.size, findings);
  return report(findings, head, contents, earlier.length);
}

/** Those who look at just what is to be looked at. */
function vouchersFor({ payloads, index, jsonl, vouchers }: VerifyOptions): RangeVouchers | undefined {
  return payloads === undefined || index === undefined || jsonl !== undefined ? undefined : vouchers;
}

export type VerifyDirectoryOptions = Omit<VerifyOptions, "source" | "verifier" | "vouchers"> & {
  readonly directory: string;
  /** Without it the directory's own log.vkey is believed, which proves only that the copy agrees with itself. */
  readonly verifier?: NoteVerifier | string;
};

/** Verifies a directory in the standard layout, wherever it was copied to. */
export async function verifyDirectory(options: VerifyDirectoryOptions): Promise<VerifyReport> {
  const { directory, verifier, ...rest } = options;
  const findings = new Findings();
  const nothing = (): VerifyReport => report(findings, undefined, new Contents({}, undefined, findings), 0);
  const key = verifier ?? (await readVerifierKey(directory));
  if (key === undefined) {
    findings.add("unreadable", null, "RUMI-LOG-016", {
      what: "log.vkey",
      problem: "there is no such file and no key was given",
    });
    return nothing();
  }
  const views = await openViews(rest, findings);
  const source = await openLogDirectory(directory);
  if (!source.ok) {
    findings.add("unreadable", null, source.error.code, source.error.params);
    return nothing();
  }
  return verifyAll({ ...rest, source: source.value, verifier: key }, views, findings, directory);
}

/** The signed head. With a bad signature the rest is still checked, against what the note claims. */
async function readHead(options: VerifyOptions, findings: Findings): Promise<Checkpoint | undefined> {
  const note = await options.source.checkpoint();
  if (note === undefined) {
    findings.add("unreadable", null, "RUMI-LOG-016", { what: "checkpoint", problem: "there is none" });
    return undefined;
  }
  const key = typeof options.verifier === "string" ? parseVerifier(options.verifier) : undefined;
  if (key?.ok === false) {
    findings.add("signature", null, key.error.code, key.error.params);
    return undefined;
  }
  const signed = verifyCheckpoint(note, options.verifier);
  if (signed.ok) return signed.value;
  findings.add("signature", null, signed.error.code, signed.error.params);
  const stated = parseCheckpoint(note);
  return stated.ok ? stated.value : undefined;
}

function earlierHeads(options: VerifyOptions, head: Checkpoint, findings: Findings): readonly Checkpoint[] {
  const heads: Checkpoint[] = [];
  for (const note of options.against ?? []) {
    const checkpoint = verifyCheckpoint(note, options.verifier);
    if (!checkpoint.ok) findings.add("signature", null, checkpoint.error.code, checkpoint.error.params);
    else if (checkpoint.value.size > head.size) {
      findings.add("truncated", head.size, "RUMI-LOG-010", { present: head.size, expected: checkpoint.value.size });
    } else heads.push(checkpoint.value);
  }
  return heads;
}

/** Says what the recomputed trees mean, and which of them is the signed log if either is. */
function judge(stream: StreamResult, head: Checkpoint, findings: Findings): TreeRoots {
  const entriesHold = stream.entries.size === head.size && equalBytes(stream.entries.root, head.root);
  const tilesHold = stream.tiles.size === head.size && equalBytes(stream.tiles.root, head.root);
  if (entriesHold) {
    for (const { index } of stream.differences)
      findings.add("tile", index, "RUMI-LOG-015", { what: `the tile of entry ${index}` });
    return stream.entries;
  }
  const cut = reportDifferences(stream, head, findings);
  if (!tilesHold && !cut) {
    const problem = "the root recomputed from its entries is not the signed one";
    findings.add("forked", null, "RUMI-LOG-009", { problem });
  }
  return tilesHold ? stream.tiles : stream.entries;
}

/** Names each difference; a run of removals up to the end is one truncation. Answers whether it was cut. */
function reportDifferences(stream: StreamResult, head: Checkpoint, findings: Findings): boolean {
  const differences = [...stream.differences];
  let kept = head.size;
  while (differences.at(-1)?.kind === "removed" && differences.at(-1)?.index === kept - 1) {
    differences.pop();
    kept -= 1;
  }
  for (const difference of differences) {
    const { index } = difference;
    switch (difference.kind) {
      case "edited":
        findings.add("edited", index, "RUMI-LOG-011", { index });
        break;
      case "removed":
        findings.add("removed", index, "RUMI-LOG-012", { index });
        break;
      case "inserted":
        findings.add("inserted", index, "RUMI-LOG-013", { index });
        break;
      case "reordered":
        findings.add("reordered", index, "RUMI-LOG-014", { index, found_at: difference.found_at });
        break;
    }
  }
  const cut = kept < head.size || (stream.present < head.size && stream.tiles.size < head.size);
  if (cut)
    findings.add("truncated", Math.min(kept, stream.present), "RUMI-LOG-010", {
      present: stream.present,
      expected: head.size,
    });
  if (stream.overflowed)
    findings.add("forked", null, "RUMI-LOG-009", { problem: "too many entries differ to be told apart" });
  return cut;
}

function judgeEarlier(earlier: Checkpoint, log: TreeRoots, findings: Findings): void {
  const root = log.anchors.get(earlier.size);
  if (root !== undefined && equalBytes(root, earlier.root)) return;
  const problem = `its first ${earlier.size} entries are not those of the earlier checkpoint`;
  findings.add("forked", null, "RUMI-LOG-009", { problem });
}

/** Looks inside the entries: form, commitments, erasures, JSONL lines. */
class Contents {
  readonly #payloads: PayloadSource | undefined;
  readonly #index: IndexSource | undefined;
  readonly #jsonl: JsonlCheck | undefined;
  readonly #findings: Findings;
  /** Payloads that were gone when their entry came by, until a later erasure names them. */
  readonly #missing = new Map<Uuid, { readonly index: number; readonly kept_until: Micros | null }>();
  entries = 0;
  opened = 0;
  erased = 0;

  constructor(options: Pick<VerifyOptions, "payloads" | "index">, jsonl: JsonlCheck | undefined, findings: Findings) {
    this.#payloads = options.payloads;
    this.#index = options.index;
    this.#jsonl = jsonl;
    this.#findings = findings;
  }

  get jsonlLines(): number {
    return this.#jsonl?.lines ?? 0;
  }
  get jsonlCompleteTo(): number | null {
    return this.#jsonl?.complete_to ?? null;
  }

  /** Entries that were looked at elsewhere, and their payloads with them. */
  vouched(entries: number): void {
    this.entries += entries;
    this.opened += entries;
  }

  async check(first: number, leaves: readonly (Uint8Array | undefined)[]): Promise<void> {
    const payloads = await this.#payloads?.payloads(first, first + leaves.length);
    const rows = await this.#index?.indexed(first, first + leaves.length);
    for (const [i, leaf] of leaves.entries()) {
      if (leaf === undefined) continue;
      const index = first + i;
      const payload = payloads?.[i];
      this.entries += 1;
      const whole = payload === undefined ? undefined : reopenLeaf(leaf, payload.salt, payload.payload);
      const record = whole === undefined ? parseLeaf(leaf) : ok(whole.record);
      if (!record.ok) {
        this.#findings.add("malformed", index, record.error.code, record.error.params);
        continue;
      }
      const event = this.#open(index, record.value, payload, whole);
      // Waited for only where there is something to wait for: a log of a million entries passes here.
      if (this.#jsonl !== undefined) {
        if (payloads !== undefined && payload === undefined) await this.#jsonl.erased(index, record.value);
        else await this.#jsonl.entry(index, record.value, event);
      }
      this.#holdRow(index, rows?.[i], record.value, event);
    }
  }

  /** The event, where payloads are looked at and this one is there and the leaf's own; `whole` where that is known. */
  #open(
    index: number,
    record: LeafRecord,
    payload: OpenedPayload | undefined,
    whole: OpenedLeaf | undefined,
  ): LedgerEvent | undefined {
    if (this.#payloads === undefined) return undefined;
    if (payload === undefined) {
      const kept_until = keptUntil({ action: record.type, occurred_at: record.time });
      this.#missing.set(record.event_id, { index, kept_until });
      return undefined;
    }
    this.opened += 1;
    const opened = whole === undefined ? openRecord(record, payload.salt, payload.payload) : ok(whole);
    if (!opened.ok) {
      this.#findings.add("commitment_mismatch", index, opened.error.code, opened.error.params);
      return undefined;
    }
    if (opened.value.event.action === "audit.erasure") this.#forgive(opened.value.event);
    return opened.value.event;
  }

  #holdRow(index: number, row: IndexedEvent | undefined, record: LeafRecord, event: LedgerEvent | undefined): void {
    const column = row === undefined ? undefined : indexProblem(row, record, event);
    if (column !== undefined) this.#findings.add("index_mismatch", index, "RUMI-LOG-026", { index, column });
  }

  /** What an erasure names may be gone, if its time was over by then, or a law took it. */
  #forgive({ details, occurred_at }: LedgerEvent): void {
    const { erased_event_ids, legal_basis } = details;
    if (!Array.isArray(erased_event_ids)) return;
    for (const id of erased_event_ids as readonly Uuid[]) {
      const missing = this.#missing.get(id);
      if (missing === undefined) continue;
      this.#missing.delete(id);
      this.erased += 1;
      const { index, kept_until } = missing;
      if (legal_basis === undefined && (kept_until === null || occurred_at < kept_until))
        this.#findings.add("erased_early", index, "RUMI-LOG-028", {
          index,
          kept_until: kept_until === null ? "the end of the log" : isoFromMicros(kept_until),
        });
    }
  }

  async finish(): Promise<void> {
    for (const { index } of this.#missing.values())
      this.#findings.add("payload_missing", index, "RUMI-LOG-017", { index });
    await this.#jsonl?.finish();
  }
}

function report(
  findings: Findings,
  head: Checkpoint | undefined,
  contents: Contents,
  against_checked: number,
): VerifyReport {
  return {
    ok: findings.total === 0,
    origin: head?.origin ?? null,
    size: head?.size ?? 0,
    entries_checked: contents.entries,
    payloads_checked: contents.opened,
    payloads_erased: contents.erased,
    jsonl_lines_checked: contents.jsonlLines,
    jsonl_complete_to: contents.jsonlCompleteTo,
    against_checked,
    findings: findings.listed,
    findings_total: findings.total,
  };
}
