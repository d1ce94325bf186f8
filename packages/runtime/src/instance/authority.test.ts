import { afterAll, describe, expect, it } from "vitest";
import { join } from "node:path";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { entriesOf, openHost } from "../../test/host-kit.ts";
import { loseCheckpoints } from "../../test/hosted.ts";
import { market, spec, WASM } from "../../test/support.ts";
import type { KillWord } from "../kill-switch/kill-word.ts";
import type { JournalEntry } from "../protocol.ts";
import type { InstanceHost } from "./host.ts";
import type { MachineInput } from "./input.ts";

const room = temporaryFolder();
afterAll(() => room.remove());
const FEED = market(6_000);
const ALLOW: KillWord = { level: "ALLOW", scope: null, generation: 0 };
const said = (level: KillWord["level"], generation: number): KillWord =>
  level === "ALLOW" ? { ...ALLOW, generation } : { level, scope: "bot_id", generation };

async function opened(name: string, word: () => KillWord) {
  const of = spec(join(room.path, name));
  const host = await openHost(of, FEED, () => true, WASM, word);
  if (!host.ok) throw new Error(JSON.stringify(host.error));
  return { of, host: host.value };
}
async function until(host: InstanceHost, cursor: number): Promise<void> {
  while (host.phase === "running" && host.status().cursor < cursor) await host.turn();
}
const held = (host: InstanceHost): number =>
  host.status().positions.reduce((sum, one) => sum + Math.abs(Number(one.quantity)), 0);
const killAt = (all: readonly JournalEntry[], level: string): number =>
  all.findIndex((one) => one.kind === "input" && one.input["input"] === "killswitch" && one.input["level"] === level);
const verdicts = (of: readonly JournalEntry[], key: "reason_code" | "verdict"): ReadonlySet<string | null> =>
  new Set(of.flatMap((one) => (one.kind === "intent" ? [one[key]] : [])));

const isOrder = (one: JournalEntry): one is Extract<JournalEntry, { kind: "intent" }> =>
  one.kind === "intent" && one.verdict !== "discarded" && one.client_order_id !== null;
/** Signed quantity of a fill, in the journal's own decimal text. */
const filled = (one: JournalEntry): number =>
  one.kind === "fill" ? Number(one.fill["quantity"]) * (one.fill["side"] === "buy" ? 1 : -1) : 0;
const positionAtKill = (all: readonly JournalEntry[], at: number): number =>
  all.slice(0, at).reduce((sum, one) => sum + filled(one), 0);
/** By how much the position ever grew beyond what it was before. */
function largest(under: readonly JournalEntry[], before: number): number {
  let [position, most] = [before, 0];
  for (const one of under) {
    const next = position + filled(one);
    most = Math.max(most, Math.abs(next) - Math.abs(position));
    position = next;
  }
  return most;
}

describe("what is said to an instance from above it", () => {
  for (const level of ["CLOSE_ONLY", "FLATTEN", "BLOCK"] as const)
    it(`[G-5.3] [L-N13] under ${level} nothing opens, what was open is cancelled, and ALLOW lets it trade again`, async () => {
      let word = ALLOW;
      const { of, host } = await opened(`level-${level}`, () => word);
      await until(host, 2_000);
      expect(held(host) + host.status().orders_open).toBeGreaterThan(0);
      word = said(level, 1);
      await until(host, 4_000);
      const positionBefore = held(host);
      word = said("ALLOW", 2);
      await until(host, 6_000);
      const all = entriesOf(of);
      const [from, to] = [killAt(all, level), killAt(all, "ALLOW")];
      expect(from).toBeGreaterThan(0);
      const under = all.slice(from, to);
      const orders = under.filter(
        (one) => isOrder(one) && one.intent["kind"] !== "cancel" && one.reason_code !== "M.KILLSWITCH.FLATTEN",
      );
      if (level === "CLOSE_ONLY") expect(largest(under, positionAtKill(all, from))).toBeLessThanOrEqual(0);
      else expect(orders).toEqual([]);
      expect(verdicts(under, "reason_code")).toContain(`M.KILLSWITCH.${level}`);
      if (level === "FLATTEN") expect(positionBefore).toBe(0);
      expect(all.slice(to).some(isOrder)).toBe(true);
      await host.stop("done");
    });

  it("[G-5.3] [M-0.7] a killed run's next life obeys from its record before anybody tells it anything, and does not diverge", async () => {
    let word = ALLOW;
    const { of, host } = await opened("life", () => word);
    await until(host, 2_000);
    word = said("BLOCK", 1);
    await until(host, 3_000);
    const before = entriesOf(of).length;
    // The process dies here. The next one finds an empty slot first, as if it had not been told yet: the same word.
    const again = await openHost(
      { ...of, start: "resume", epoch: 2 },
      FEED,
      () => true,
      WASM,
      () => word,
    );
    if (!again.ok) throw new Error(JSON.stringify(again.error));
    // At which row the word came depends on the clock, and so does how soon the strategy wishes again.
    await until(again.value, 6_000);
    const later = entriesOf(of).slice(before);
    expect(later.some((one) => one.kind === "run_resumed")).toBe(true);
    expect(later.filter((one) => one.kind === "input" && one.input["input"] === "killswitch")).toEqual([]);
    expect(later.filter(isOrder)).toEqual([]);
    expect(verdicts(later, "reason_code")).toContain("M.KILLSWITCH.BLOCK");
    await again.value.suspend();
  });

  it("[G-5.3] a wish that passed the gate and has not left when the word comes does not leave any more", async () => {
    const of = spec(join(room.path, "between"));
    let word = ALLOW;
    // Asked again while the record of the gated order is made durable, right before it would leave.
    const killWord = (): KillWord => {
      if (word === ALLOW && entriesOf(of).some(isOrder)) word = said("BLOCK", 1);
      return word;
    };
    const host = await openHost(of, FEED, () => true, WASM, killWord);
    if (!host.ok) throw new Error(JSON.stringify(host.error));
    await until(host.value, 3_000);
    const all = entriesOf(of);
    expect(all.filter(isOrder)).toHaveLength(1);
    expect(killAt(all, "BLOCK")).toBeGreaterThan(all.findIndex(isOrder));
    const ends = all.filter(({ kind }) => kind === "order" || kind === "fill");
    expect(ends.map((one) => (one.kind === "order" ? [one.report["report"], one.report["reason_code"]] : one))).toEqual(
      [["cancelled", "M.INTENT.WITHDRAWN"]],
    );
    await host.value.stop("done");
    const before = entriesOf(of);
    loseCheckpoints(of);
    const again = await openHost(
      { ...of, start: "resume", epoch: 2 },
      FEED,
      () => true,
      WASM,
      () => said("BLOCK", 1),
    );
    expect(again.ok ? null : again.error, "the next life hears the word where it was heard").toBeNull();
    expect(entriesOf(of).slice(0, before.length)).toEqual(before);
  });

  for (const mode of ["SAFE", "EMERGENCY_STOP"] as const)
    it(`[G-5.3] in ${mode} the runtime places nothing either: FLATTEN waits, and closes what is held in NORMAL`, async () => {
      let word = ALLOW;
      const { of, host } = await opened(`waits-${mode}`, () => word);
      await until(host, 2_000);
      while (held(host) === 0) await host.turn();
      const say = async (input: MachineInput): Promise<void> => {
        const said = host.input(input);
        await host.turn();
        expect((await said).ok).toBe(true);
      };
      await say({ input: "safety", mode, generation: 1 });
      const from = entriesOf(of).length;
      word = said("FLATTEN", 1);
      await until(host, host.status().cursor + 1_000);
      const waiting = entriesOf(of).slice(from);
      expect(killAt(waiting, "FLATTEN")).toBeGreaterThanOrEqual(0);
      expect(waiting.filter((one) => isOrder(one) && one.intent["kind"] !== "cancel")).toEqual([]);
      expect(held(host)).toBeGreaterThan(0);
      await say({ input: "safety", mode: "NORMAL", generation: 2 });
      await until(host, host.status().cursor + 500);
      expect(held(host)).toBe(0);
      await host.stop("done");
    });

  it("[G-5.3] [M-9.2.1] under BLOCK a breaker that hedges waits too, and closes what is held when the rule is gone", async () => {
    let word = ALLOW;
    const { of, host } = await opened("hedge-waits", () => word);
    await until(host, 2_000);
    while (held(host) === 0) await host.turn();
    word = said("BLOCK", 1);
    await host.turn();
    const from = entriesOf(of).length;
    const by = { actor: "user:root", reason: "test" };
    const tripped = host.input({ input: "breaker", action: "trip", mode: "hedge_to_flat", ...by });
    await host.turn();
    expect((await tripped).ok).toBe(true);
    await until(host, host.status().cursor + 1_000);
    expect(host.status().breaker).toMatchObject({ state: "open", mode: "hedge_to_flat" });
    const waiting = entriesOf(of).slice(from);
    expect(waiting.filter((one) => isOrder(one) && one.intent["kind"] !== "cancel")).toEqual([]);
    expect(held(host)).toBeGreaterThan(0);
    word = said("ALLOW", 2);
    await until(host, host.status().cursor + 500);
    expect(held(host)).toBe(0);
    await host.stop("done");
  });
});
