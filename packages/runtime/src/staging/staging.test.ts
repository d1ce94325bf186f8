/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClientOrderId } from "@rumi/kernel";
import { FeedBuilder, type MarketFeed } from "@rumi/venues";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { type Heard, ScriptedStrategy, type Wish } from "../../test/scripted.ts";
import { spec } from "../../test/support.ts";
import { GATE_START, type GateMoment, type Verdict } from "../gate/gate.ts";
import type { IntentBody } from "../gate/intent.ts";
import type { MachineInput } from "../instance/input.ts";
import type { MachineOptions } from "../instance/machine-options.ts";
import { CHAIN_START, decodeSegmentHeader, readFrame, SEGMENT_HEADER_BYTES } from "../journal/frame.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import { Comparison } from "../shadow/comparison.ts";
import { STAGING_DEFAULT, type StagingPolicy } from "./policy.ts";
import { StagedIntents } from "./staged-intents.ts";

const START = 1_767_603_600_000_000;
const SECOND = 1_000_000;
const PRICE = 10_000;
const folders: { remove: () => void }[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

/** A trade a second, at 100.00 unless a row says otherwise. */
function feed(rows: number, prices: Readonly<Record<number, number>> = {}): MarketFeed {
  const builder = new FeedBuilder(rows);
  for (let row = 0; row < rows; row += 1)
    builder.trade({
      instrument: 0,
      event_time_us: START + row * SECOND,
      received_time_us: START + row * SECOND + 100,
      flags: 0,
      price: prices[row] ?? PRICE,
      quantity: 1_000_000,
      aggressor: 0,
      trade_id: row + 1,
    });
  return builder.finish();
}
const buy = (quantity: number, price = 9_000): Wish => ({ side: "buy", type: "limit", price, quantity });
const market = (side: "buy" | "sell", quantity: number): Wish => ({ side, type: "market", price: 0, quantity });
const ORDER = {
  kind: "order",
  instrument: 0,
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  reduce_only: false,
  post_only: false,
  price: 9_000,
  quantity: 1_000,
} as const satisfies IntentBody;
const MOMENT: GateMoment = {
  now_us: 0,
  safety: "NORMAL",
  kill_switch: "ALLOW",
  restriction: "none",
  open_orders: [],
  positions: [0],
  last_prices: [PRICE],
};
type Script = Readonly<Record<number, readonly Wish[]>>;
const scripted = (script: Script): ScriptedStrategy =>
  new ScriptedStrategy((event: Heard) => script[Math.round((event.event_time_us - START) / SECOND)] ?? []);

type Case = {
  readonly script: Script;
  readonly policy?: Partial<StagingPolicy>;
  readonly rows?: number;
  readonly prices?: Readonly<Record<number, number>>;
  readonly factor?: number;
  readonly change?: Partial<InstanceSpec>;
};

/** A run at the pace of a clock that the test moves: one row a second. */
async function open({ script, policy = {}, rows = 60, prices = {}, factor = 1, change = {} }: Case) {
  const folder = temporaryFolder();
  folders.push(folder);
  const base = spec(join(folder.path, "run"), { staging: { ...STAGING_DEFAULT, ...policy }, ...change });
  const of: InstanceSpec = { ...base, venue: { ...base.venue, pace: { kind: "multiple", factor } } };
  return live(of, feed(rows, prices), script, factor);
}
async function live(of: InstanceSpec, rows: MarketFeed, script: Script, factor: number) {
  const time = { ms: 0 };
  const strategy = scripted(script);
  const opened = await hosted(of, { feed: rows, strategy, monotonic: () => time.ms });
  const { host, venue } = opened;
  const from = host.status().cursor;
  /** Until the row was taken and everything that it brought about was sent. */
  const to = async (row: number): Promise<void> => {
    time.ms = Math.max(time.ms, ((row - from) * 1_000) / factor + 1);
    while (host.status().cursor <= row) await host.turn();
    await host.turn();
    await host.checkpoint("looked at");
  };
  const tell = async (input: MachineInput) => {
    const answer = host.input(input);
    await host.turn();
    return answer;
  };
  const word = (action: "approve" | "reject", key: number, actor = "ann") =>
    tell({ input: "staging", action, idempotency_key: String(key), actor, reason: "seen" });
  return {
    of,
    host,
    venue,
    strategy,
    time,
    to,
    tell,
    word,
    again: (more: Partial<InstanceSpec>) => live({ ...of, start: "resume", ...more }, rows, script, factor),
  };
}

/** The life of one intent in the journal: verdicts, states and what the venue said, with their reasons. */
function lifeOf(of: InstanceSpec, key: number): readonly string[] {
  return journalOf(of).flatMap((entry) => {
    const because = (reason: string | null | undefined) =>
      reason === null || reason === undefined ? "" : ` ${reason}`;
    if (entry.kind === "intent" && entry.idempotency_key === String(key))
      return [`${entry.verdict}${because(entry.reason_code)}`];
    if (entry.kind === "staging" && entry.staging.idempotency_key === String(key))
      return [
        `${entry.staging.state}${entry.staging.by === null ? "" : ` by ${entry.staging.by}`}${because(entry.staging.reason_code)}`,
      ];
    if (
      (entry.kind === "order" || entry.kind === "fill") &&
      (entry.kind === "order" ? entry.report : entry.fill)["idempotency_key"] === String(key)
    ) {
      const said = entry.kind === "order" ? entry.report : entry.fill;
      return [`${String(said["report"])}${because(said["reason_code"] as string | null)}`];
    }
    return [];
  });
}
/** Where each record of a segment ends. */
function frameEnds(bytes: Buffer): readonly number[] {
  const ends: number[] = [];
  let chain = decodeSegmentHeader(bytes)?.chain ?? CHAIN_START;
  for (let at = SEGMENT_HEADER_BYTES; ;) {
    const read = readFrame(bytes, at, chain);
    if (read.kind !== "record") return ends;
    ends.push(read.end);
    [at, chain] = [read.end, read.chain];
  }
}

describe("staging", () => {
  it("[M-8.3.1] staged → approved → committed: nothing is at the venue before somebody approved it, and then it is there once, under one trace", async () => {
    const { of, host, venue, to, word } = await open({ script: { 2: [buy(1_000)] } });
    await to(5);
    expect(lifeOf(of, 1)).toEqual(["staged"]);
    expect([venue.openOrders(), host.status().orders_open]).toEqual([[], 0]);
    const [staged] = journalOf(of).filter((entry) => entry.kind === "intent");
    expect(staged).toMatchObject({
      cursor: 2,
      client_order_id: null,
      intent: { normalised: { price: "90", quantity: "1" }, staging: { state: "staged", epoch: 1 } },
    });
    expect(await word("approve", 1)).toMatchObject({ ok: true });
    await to(7);
    expect(lifeOf(of, 1)).toEqual(["staged", "approved by ann", "forwarded", "committed by ann", "accepted"]);
    expect(venue.openOrders().map(({ remaining }) => remaining)).toEqual([1_000]);
    const its = journalOf(of).filter((entry) => ["intent", "staging", "order"].includes(entry.kind));
    expect(new Set(its.map(({ trace_id }) => trace_id)).size).toBe(1);
    // The record of the approval is durable before the order leaves: it stands before it.
    const kinds = journalOf(of).map((entry) => (entry.kind === "input" ? String(entry.input["input"]) : entry.kind));
    expect(kinds.indexOf("staging")).toBeLessThan(kinds.lastIndexOf("intent"));
    await host.stop("done");
  });

  it("[M-8.3.1] an unknown key, a second approval, and an approval after a rejection send nothing", async () => {
    const { of, host, venue, strategy, to, word } = await open({ script: { 1: [buy(1_000)], 2: [buy(2_000)] } });
    await to(3);
    await word("approve", 99);
    await Promise.all([word("approve", 1, "ann"), word("approve", 1, "bob")]);
    await word("reject", 1);
    await word("reject", 2);
    await word("approve", 2);
    await to(6);
    expect(lifeOf(of, 1)).toEqual(["staged", "approved by ann", "forwarded", "committed by ann", "accepted"]);
    expect(lifeOf(of, 2)).toEqual(["staged", "rejected by ann M.STAGING.REJECTED", "rejected M.STAGING.REJECTED"]);
    expect(venue.openOrders()).toHaveLength(1);
    expect(strategy.told, "the strategy hears what became of both").toEqual(["rejected 2", "accepted 1"]);
    expect(host.status().breaker, "a person's no is no refusal of the venue's").toMatchObject({ trips: 0 });
    await host.stop("done");
  });

  it("[M-8.3.1] cancels and what only closes a position never wait; a cancel of what waits takes it back", async () => {
    const { of, host, venue, to, word } = await open({
      script: {
        1: [market("buy", 2_000), buy(1_000)],
        5: [market("sell", 2_000), { cancel: 2 }],
        9: [buy(1_000)],
        10: [{ cancel: 5 }],
        12: [{ ...(market("sell", 1_000) as object), reduce_only: true } as Wish],
      },
    });
    await to(2);
    await word("approve", 1);
    await word("approve", 2);
    await to(4);
    expect(host.status().positions[0]?.quantity).toBe("2");
    await to(7);
    expect([lifeOf(of, 3)[0], lifeOf(of, 4)[0]]).toEqual(["forwarded", "forwarded"]);
    expect([host.status().positions[0]?.quantity, venue.openOrders()]).toEqual(["0", []]);
    await to(11);
    expect(lifeOf(of, 5)).toEqual(["staged", "voided M.STAGING.WITHDRAWN", "cancelled M.STAGING.WITHDRAWN"]);
    expect(lifeOf(of, 6)).toEqual(["forwarded"]);
    await word("approve", 5);
    await to(14);
    expect(lifeOf(of, 5)).toHaveLength(3);
    expect(lifeOf(of, 7)[0], "reduce-only with nothing to reduce is the venue's to refuse").toBe("forwarded");
    await host.stop("done");
  });

  it("[M-8.3.1] the gate judges again at the commit: safety, capital and restrictions of that moment hold", async () => {
    const { of, host, strategy, tell, to, word } = await open({
      script: { 1: [buy(1_000)], 2: [buy(900_000)], 3: [buy(900_000)], 4: [buy(1_000)] },
      change: { limits: { capital: "100000", intents_per_second: 100, max_open_orders: 10 } },
    });
    await to(4);
    await word("approve", 2);
    await word("approve", 3);
    await tell({ input: "breaker", action: "trip", mode: "reduce_only", actor: "ann", reason: "drill" });
    await word("approve", 4);
    await tell({ input: "breaker", action: "reset", actor: "ann", reason: "drill" });
    await tell({ input: "safety", mode: "SAFE", generation: 2 });
    await word("approve", 1);
    await to(6);
    expect(lifeOf(of, 2)).toEqual(["staged", "approved by ann", "forwarded", "committed by ann", "accepted"]);
    expect(lifeOf(of, 3), "each alone fits, both do not").toEqual([
      "staged",
      "approved by ann",
      "refused by ann M.LIMIT.CAPITAL",
      "rejected M.STAGING.REFUSED",
    ]);
    expect(lifeOf(of, 4)).toEqual([
      "staged",
      "approved by ann",
      "refused by ann M.DEGRADE.REDUCE_ONLY",
      "rejected M.STAGING.REFUSED",
    ]);
    expect(lifeOf(of, 1)).toEqual([
      "staged",
      "approved by ann",
      "refused by ann M.SAFETY.SAFE",
      "rejected M.STAGING.REFUSED",
    ]);
    expect(strategy.told).toEqual(expect.arrayContaining(["rejected 3", "rejected 4", "rejected 1"]));
    await host.stop("done");
  });

  it("[M-8.3.1] [M-8.1.3] never more than what was shown: a target reached meanwhile is cut or overtaken, a limit price stays", async () => {
    const { of, host, to, word } = await open({
      script: { 1: [{ target: 3_000 }], 2: [{ target: 3_000 }], 3: [market("buy", 1_000)] },
      prices: { 9: 20_000 },
    });
    await to(3);
    await word("approve", 3);
    await to(5);
    await word("approve", 1);
    await to(7);
    expect(lifeOf(of, 1).slice(0, 4)).toEqual([
      "staged",
      "approved by ann",
      "degraded M.STAGING.OVERTAKEN",
      "committed by ann",
    ]);
    expect(host.status().positions[0]?.quantity, "one held already, two more").toBe("3");
    await word("approve", 2);
    await to(9);
    expect(lifeOf(of, 2)).toEqual([
      "staged",
      "approved by ann",
      "refused by ann M.STAGING.OVERTAKEN",
      "rejected M.STAGING.REFUSED",
    ]);
    expect(host.status().positions[0]?.quantity).toBe("3");
    await host.stop("done");
  });

  it("[M-8.3.1] only so many wait; what is decided makes room", async () => {
    const { of, host, to, word } = await open({
      script: { 1: [buy(1_000), buy(1_000)], 2: [buy(1_000)], 4: [buy(1_000)] },
      policy: { max_staged: 2 },
    });
    await to(2);
    expect(lifeOf(of, 3)).toEqual(["discarded M.STAGING.FULL"]);
    await word("reject", 1);
    await to(5);
    expect(lifeOf(of, 4)).toEqual(["staged"]);
    await host.stop("done");
  });

  it("[M-8.3.1] the policy approves what adds little; the rest waits for a person", async () => {
    const { of, host, venue, to } = await open({
      script: { 1: [buy(1_000)], 2: [buy(1_001)] },
      policy: { approve_up_to: "90" },
    });
    await to(4);
    expect(lifeOf(of, 1)).toEqual(["staged", "approved by policy", "forwarded", "committed by policy", "accepted"]);
    expect(lifeOf(of, 2)).toEqual(["staged"]);
    expect(venue.openOrders()).toHaveLength(1);
    await host.stop("done");
  });

  it("[M-8.3.1] it expires by the run's own time, at the row; and by the clock where no row comes", async () => {
    const policy = { expires_after_us: 5 * SECOND };
    const { of, host, strategy, to, word } = await open({ script: { 1: [buy(1_000)] }, policy });
    await to(8);
    expect(lifeOf(of, 1)).toEqual(["staged", "expired M.STAGING.EXPIRED", "rejected M.STAGING.EXPIRED"]);
    expect(journalOf(of).find((entry) => entry.kind === "staging")?.cursor).toBe(6);
    await word("approve", 1);
    expect(lifeOf(of, 1)).toHaveLength(3);
    expect(strategy.told).toEqual(["rejected 1"]);
    await host.stop("done");

    // A row in a thousand seconds: the run's time stands still, the clock does not.
    const quiet = await open({ script: { 1: [buy(1_000)] }, policy, factor: 0.001 });
    await quiet.to(1);
    quiet.time.ms += 4_999;
    await quiet.host.turn();
    expect(lifeOf(quiet.of, 1)).toEqual(["staged"]);
    quiet.time.ms += 1;
    // Late by the clock: what is due is taken before the approval.
    await quiet.word("approve", 1);
    expect(lifeOf(quiet.of, 1)).toEqual(["staged", "expired M.STAGING.EXPIRED", "rejected M.STAGING.EXPIRED"]);
    expect(quiet.host.status().cursor).toBe(2);
    await quiet.host.stop("done");
  });

  it("[M-8.3.1] what stops or cancels everything takes what waits with it", async () => {
    const { of, host, tell, to, word } = await open({ script: { 1: [buy(1_000)], 4: [buy(1_000)], 6: [buy(1_000)] } });
    await to(2);
    await tell({ input: "safety", mode: "EMERGENCY_STOP", generation: 2 });
    await tell({ input: "safety", mode: "NORMAL", generation: 3 });
    await word("approve", 1);
    expect(lifeOf(of, 1)).toEqual(["staged", "voided M.STAGING.CANCELLED", "cancelled M.STAGING.CANCELLED"]);
    await to(4);
    await tell({ input: "breaker", action: "trip", mode: "cancel_all", actor: "ann", reason: "drill" });
    await tell({ input: "breaker", action: "reset", actor: "ann", reason: "drill" });
    expect(lifeOf(of, 2)).toEqual(["staged", "voided M.STAGING.CANCELLED", "cancelled M.STAGING.CANCELLED"]);
    await to(7);
    await host.stop("done");
    expect(lifeOf(of, 3)).toEqual(["staged", "voided M.STAGING.CANCELLED", "cancelled M.STAGING.CANCELLED"]);
  });

  it("[M-8.3.1] nothing is approved that could not be sent now: a paused run refuses, and approves again once it goes on", async () => {
    const { of, host, venue, to, word } = await open({ script: { 1: [buy(1_000)] } });
    await to(3);
    await host.pause("drill");
    const refused = await word("approve", 1);
    expect(refused).toMatchObject({ ok: false, error: { code: "RUMI-STR-074", reasonCode: "M.STAGING.NOT_RUNNING" } });
    expect(lifeOf(of, 1)).toEqual(["staged"]);
    await host.continue();
    expect(await word("approve", 1)).toMatchObject({ ok: true });
    await host.turn();
    expect(lifeOf(of, 1).slice(0, 4)).toEqual(["staged", "approved by ann", "forwarded", "committed by ann"]);
    expect(venue.openOrders().length + 1).toBeGreaterThan(0);
    await host.stop("done");
  });

  it("[M-8.3.1] under a newer lease what waited is voided, even where an approval was on its way; under the same one it waits on", async () => {
    const same = await open({ script: { 1: [buy(1_000)] } });
    await same.to(3);
    await same.host.suspend();
    const on = await same.again({ epoch: 1 });
    await on.word("approve", 1);
    await on.to(5);
    expect(lifeOf(on.of, 1)).toEqual(["staged", "approved by ann", "forwarded", "committed by ann", "accepted"]);
    await on.host.stop("done");

    const newer = await open({ script: { 1: [buy(1_000)] } });
    await newer.to(3);
    await newer.host.suspend();
    const next = await newer.again({ epoch: 2 });
    await next.word("approve", 1);
    await next.to(5);
    expect(lifeOf(next.of, 1)).toEqual(["staged", "voided M.STAGING.EPOCH", "cancelled M.STAGING.EPOCH"]);
    expect(next.venue.openOrders()).toEqual([]);
    await next.host.stop("done");
  });

  it("[M-8.3.1] [M-8.2.2] [M-0.7] cut off after any record and continued, twice: the journal stays what it was, and an approved intent is sent once, under one id", async () => {
    const script: Script = { 1: [buy(1_000)], 2: [buy(2_000)], 3: [buy(3_000)], 4: [market("buy", 1_000)] };
    const whole = await open({ script, rows: 12, policy: { expires_after_us: 6 * SECOND } });
    await whole.to(4);
    await whole.word("approve", 1);
    await whole.word("reject", 2);
    await whole.to(6);
    await whole.word("approve", 4);
    await whole.to(11);
    expect(lifeOf(whole.of, 3).at(-1)).toContain("M.STAGING.EXPIRED");
    await whole.host.suspend();
    const journal = join(whole.of.run_dir, "journal");
    const [file] = readdirSync(journal).filter((name) => name.endsWith(".journal"));
    if (file === undefined) throw new Error("a journal");
    const bytes = readFileSync(join(journal, file));
    const before = journalOf(whole.of);
    const saysOf = (entry: JournalEntry, key: number, state: string): boolean =>
      state === "staged"
        ? entry.kind === "intent" && entry.idempotency_key === String(key) && entry.verdict === "staged"
        : entry.kind === "staging" && entry.staging.idempotency_key === String(key) && entry.staging.state === state;
    const cuts = [...frameEnds(bytes).entries()].flatMap(([at, end]) => [1, 2].map((epoch) => ({ at, end, epoch })));
    for (const { at, end, epoch } of cuts) {
      writeFileSync(join(journal, file), bytes.subarray(0, end));
      for (const name of readdirSync(journal)) if (name !== file) rmSync(join(journal, name));
      loseCheckpoints(whole.of);
      const next = await whole.again({ epoch });
      await next.word("approve", 1, "late");
      await next.word("approve", 3, "late");
      await next.host.suspend();
      loseCheckpoints(whole.of);
      const prefix = journalOf(whole.of);
      const kept = before.slice(0, at + 1);
      expect(prefix.slice(0, at + 1), `cut after ${at + 1}`).toEqual(kept);
      const third = await whole.again({ epoch: 3 });
      expect(journalOf(whole.of).slice(0, prefix.length)).toEqual(prefix);
      await third.host.suspend();
      for (const key of [1, 2, 3, 4]) {
        const says = (state: string, entries = journalOf(whole.of)) => entries.filter((one) => saysOf(one, key, state));
        const sent = journalOf(whole.of).filter(
          (one) => one.kind === "intent" && one.idempotency_key === String(key) && one.client_order_id !== null,
        );
        const told = [at, epoch, key];
        expect([told, sent.length <= 1, says("committed").length]).toEqual([told, true, sent.length]);
        // What waited when the lease ended is not sent, though its approval may have been on the disk already.
        const isOld = epoch === 2 && says("staged", kept).length > 0 && says("approved", kept).length === 0;
        if (isOld) expect([told, sent.length]).toEqual([told, 0]);
      }
    }
  });

  it("[M-8.3.1] an approval that the venue's own time has overtaken finds it expired, though no row told so", () => {
    const time = { now: 0 };
    const told: string[] = [];
    const of = spec("");
    const staged = new StagedIntents({
      options: {
        ...({} as MachineOptions),
        instruments: of.instruments,
        orderId: () => "R1" as ClientOrderId,
        staging: { policy: { ...STAGING_DEFAULT, expires_after_us: 10 }, epoch: () => 1 },
      },
      clock: () => time.now,
      traceId: () => "t",
      moment: () => MOMENT,
      tell: (_, { state }) => void told.push(state),
      commit: () => void told.push("sent"),
      never: (_, how) => void told.push(how),
    });
    const { kind: _, ...order } = ORDER;
    const judged: Verdict = {
      verdict: "forwarded",
      reason_code: null,
      actions: [{ kind: "submit", key: 1, order }],
      state: GATE_START,
    };
    const risk = { max_slippage_bps: 1, max_latency_us: 1, expected_holding_us: 1, budget: 1 };
    expect(staged.hold({ missing: "", foreign: "", key: 1, risk, body: ORDER }, judged, MOMENT)).not.toBeNull();
    time.now = 10;
    staged.apply({ input: "staging", action: "approve", idempotency_key: "1", actor: "ann", reason: "late" });
    expect(told).toEqual(["expired", "rejected"]);
  });

  it("[M-1.1.1] a shadow and its primary wish the same where the primary's wish was staged and approved", () => {
    const intent = (verdict: "staged" | "forwarded" | "recorded", cursor: number, state?: string): JournalEntry => ({
      seq: cursor,
      at_us: 0,
      event_time_us: 0,
      cursor,
      trace_id: "t",
      kind: "intent",
      intent: { kind: "order", price: "1", ...(state === undefined ? {} : { staging: { state } }) },
      verdict,
      reason_code: null,
      client_order_id: null,
      idempotency_key: "1",
    });
    const comparison = new Comparison("run");
    comparison.add("primary", intent("staged", 3, "staged"));
    comparison.add("primary", intent("forwarded", 9, "approved"));
    comparison.add("shadow", intent("recorded", 3));
    comparison.settle(20);
    expect(comparison.status()).toMatchObject({ matched: 1, only_primary: 0, only_shadow: 0 });
  });
});
