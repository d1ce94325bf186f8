/** What a bot needs: read when it is made, looked at for every start, shown as a graph. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { INSTRUMENT, openControl, type Control } from "../../test/kit.ts";
import { circleFrom, DEPENDENCY_LIMITS, judgeFree, parseDependency } from "./model.ts";

it("[L-03] a dependency names a strategy, a pack, a key, data or a bot; anything else is refused with what is wrong", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  for (const text of [
    "strategy:demo_pack/ema-cross",
    "strategy:demo_pack/ema-cross@1.0.0",
    "pack:demo_pack",
    `pack:demo_pack@${digest}`,
    "key:OUT",
    "data:SIM",
    "data:XRPETH.SIM",
    "bot:feeder",
  ])
    expect(parseDependency(text), text).toMatchObject({ ok: true, value: { text } });
  for (const text of [
    "",
    "feeder",
    "pack:",
    "pack:demo_pack@latest",
    "pack:demo_pack@1.0.0",
    "strategy:ema-cross",
    "strategy:demo_pack/ema@latest",
    "key:out",
    "data:xrpeth",
    "bot:Feeder",
    "url:https://x",
  ])
    expect(parseDependency(text), text).toMatchObject({ ok: false, error: { code: "RUMI-BOT-080" } });
});

it("[L-03] a circle is found wherever it is closed, and a graph beyond the limit is refused", () => {
  const needs = new Map([
    ["a", ["b", "c"]],
    ["b", ["d"]],
    ["c", ["d"]],
    ["d", []],
  ]);
  expect(circleFrom("a", needs)).toBeUndefined();
  expect(circleFrom("a", new Map([...needs, ["d", ["a"]]]))).toEqual(expect.arrayContaining(["a", "d"]));
  expect(circleFrom("a", new Map([["a", ["a"]]]))).toEqual(["a", "a"]);
  // A circle further on is theirs, not this bot's: it cannot keep the walk from ending.
  expect(
    circleFrom(
      "a",
      new Map([
        ["a", ["b"]],
        ["b", ["c"]],
        ["c", ["b"]],
      ]),
    ),
  ).toBeUndefined();
  const chain = (bots: number) =>
    new Map(Array.from({ length: bots }, (_, i): [string, string[]] => [`b${i}`, i + 1 < bots ? [`b${i + 1}`] : []]));
  expect(judgeFree("b0", chain(DEPENDENCY_LIMITS.bots))).toMatchObject({ ok: true });
  expect(judgeFree("b0", chain(DEPENDENCY_LIMITS.bots + 1))).toMatchObject({ error: { code: "RUMI-BOT-081" } });
});

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});
const needing = (bot_id: string, ...dependencies: readonly string[]) => world.makeBot(bot_id, { dependencies });
const start = (bot_id: string, over: Record<string, unknown> = {}) => world.move(bot_id, "IDLE", "RUNNING_PAPER", over);
async function ready(): Promise<void> {
  await world.dialRunner();
}
const refusal = (answer: Awaited<ReturnType<typeof start>>) => (answer.kind === "refused" ? answer.failure : undefined);

describe("[L-03] [L-N3] the start of a bot that needs something", () => {
  it("is refused for each kind that is missing, by its name, and passes once everything is there", async () => {
    await ready();
    const missing: readonly (readonly [string, string])[] = [
      ["strategy:nobody/ema-cross", "no such pack"],
      ["strategy:demo_pack/nobody", "no such strategy"],
      ["strategy:demo_pack/ema-cross@9.9.9", "offers 1.0.0"],
      [`pack:demo_pack@sha256:${"0".repeat(64)}`, world.digest],
      ["key:NOWHERE", "no such venue"],
      ["key:SIM", "has no key"],
      ["data:NOWHERE", "no such venue"],
      ["data:BTC.SIM", "no such instrument"],
      ["bot:nobody", "no such bot"],
    ];
    for (const [at, [dependency, problem]] of missing.entries()) {
      dataOf(await needing(`lacks-${at}`, dependency));
      const refused = refusal(await start(`lacks-${at}`));
      expect(refused, dependency).toMatchObject({
        code: "RUMI-BOT-081",
        reasonCode: "L.DEPENDENCY.MISSING",
        params: { dependency, problem: expect.stringContaining(problem) as string },
        details: { failed_item: "dependencies", missing: [dependency] },
      });
      expect(await world.bot(`lacks-${at}`)).toMatchObject({ state: "IDLE" });
    }
    dataOf(await world.makeBot("feeder"));
    dataOf(
      await needing(
        "bot-1",
        "strategy:demo_pack/ema-cross@1.0.0",
        `pack:demo_pack@${world.digest}`,
        "data:XRPETH.SIM",
        "bot:feeder",
      ),
    );
    expect(refusal(await start("bot-1"))).toMatchObject({ params: { problem: "it is IDLE and does not run" } });
    dataOf(await start("feeder"));
    expect(dataOf(await start("bot-1"))).toMatchObject({
      preflight: { items: expect.arrayContaining([expect.objectContaining({ item: "dependencies", state: "PASS" })]) },
    });
  });

  it("a key is there when its file can be read", async () => {
    const simulator = (venue_id: string, file: string) =>
      world.command("venues.register", {
        command_id: world.id(),
        venue_id,
        kind: "venue_sim",
        url: "http://127.0.0.1:8900",
        key: { file },
        instruments: [INSTRUMENT],
        reason: "test",
      });
    await ready();
    dataOf(await simulator("GONE", "/nowhere/key.json"));
    dataOf(await simulator("HERE", `${world.folder}/recordings/trades.csv`));
    dataOf(await needing("gone", "key:GONE"));
    dataOf(await needing("here", "key:HERE"));
    expect(refusal(await start("gone"))).toMatchObject({ params: { problem: "the key's file cannot be read" } });
    dataOf(await start("here"));
  });
});

it("[L-03] what cannot be read, needs itself or closes a circle of bots is refused when it is made", async () => {
  expect(codeOf(await needing("bot-1", "the other one"))).toBe("RUMI-BOT-080");
  expect(codeOf(await needing("bot-1", "bot:bot-1"))).toBe("RUMI-BOT-082");
  dataOf(await needing("a", "bot:b"));
  dataOf(await needing("b", "bot:c"));
  const closing = refusal(await needing("c", "data:SIM", "bot:a"));
  expect(closing).toMatchObject({ code: "RUMI-BOT-082", reasonCode: "L.DEPENDENCY.CYCLE" });
  expect(closing?.params["path"]).toBe("c → a → b → c");
  dataOf(await needing("c", "data:SIM"));
});

it("[L-03] the graph is shown with what is there, what is missing and who needs whom, and so is it in a dry run", async () => {
  dataOf(await needing("low", "data:SIM"));
  dataOf(await needing("high", "bot:low", "pack:nobody"));
  const shown = dataOf(await world.query("bots.dependencies", {}, { bot_id: "high" }));
  expect(shown).toMatchObject({ circle: null, truncated: false, needed_by: [] });
  expect(shown["edges"]).toEqual(
    expect.arrayContaining([
      { from: "bot:high", to: "bot:low", declared: true },
      { from: "bot:low", to: "data:SIM", declared: true },
      { from: "bot:high", to: "strategy:demo_pack/ema-cross@1.0.0", declared: false },
    ]),
  );
  expect(shown["nodes"]).toEqual(
    expect.arrayContaining([
      { dependency: "pack:nobody", kind: "pack", state: "MISSING", problem: "there is no such pack" },
      { dependency: "data:SIM", kind: "data", state: "MET", problem: null },
      { dependency: "bot:low", kind: "bot", state: "MISSING", problem: "it is IDLE and does not run" },
    ]),
  );
  expect(dataOf(await world.query("bots.dependencies", {}, { bot_id: "low" }))).toMatchObject({ needed_by: ["high"] });
  expect(codeOf(await world.query("bots.dependencies", {}, { bot_id: "nobody" }))).toBe("RUMI-BOT-001");

  const dry = dataOf(await start("high", { dry_run: true }));
  expect(dry).toMatchObject({
    would: "refuse",
    preview: {
      dependencies: [
        { dependency: "bot:low", state: "MISSING" },
        { dependency: "pack:nobody", state: "MISSING" },
      ],
    },
  });
  const stop = dataOf(await world.move("low", "IDLE", "QUARANTINED", { dry_run: true }));
  expect(stop).toMatchObject({ preview: { needed_by: ["high"] } });
});
