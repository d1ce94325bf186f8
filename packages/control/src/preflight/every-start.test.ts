/** No way leads to a run but past a preflight whose report is kept: the store itself has none without it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";
import { write } from "@rumi/store";
import { codeOf, dataOf, sampleDescriptor, sampleManifest, writePack } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { insertRun, type RunRow } from "../instances/tables.ts";
import { insertReport, type PreflightTables } from "./tables.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
});
afterEach(async () => {
  await world.close();
});

const run = (over: Partial<RunRow>): RunRow => ({
  run_id: world.id(),
  bot_id: "bot-1",
  strategy_id: "ema-cross",
  instance_id: "main",
  mode: "paper",
  trace_id: world.id(),
  command_id: world.id(),
  generation: 1,
  pack_digest: world.digest,
  report_id: world.id(),
  from_run_id: null,
  holder: null,
  started_at: 1,
  ended_at: null,
  end_reason: null,
  journal_seq: 0,
  journal_at: 1,
  ...over,
});
type Referred = { readonly run_id: string; readonly mode: string; readonly passed: number | null };
/** Every run with the report that it refers to, of its own bot. */
const referred = () =>
  world.store.rows<Referred>({
    sql: "SELECT run.run_id, run.mode, p.passed FROM run LEFT JOIN preflight_report p ON p.report_id = run.report_id AND p.bot_id = run.bot_id",
    parameters: [],
  });

it("[L-N3] [L-41] the store takes no run whose bot has no report of a passed preflight, whoever writes it", async () => {
  const { store } = world;
  const commit = async (report_id: string, bot_id = "bot-1") =>
    (await store.commit({ writes: [insertRun(store, run({ report_id, bot_id }))], events: [] })).ok;
  const keep = async (report_id: string, passed: 0 | 1) => {
    const of = { bot_id: "bot-1", command_id: world.id(), now: 1 };
    const writes = [insertReport(store, { report_id, passed: true, items: [] }, of)];
    if (passed === 0)
      writes.push(
        write(
          store
            .builder<PreflightTables>()
            .updateTable("preflight_report")
            .set({ passed: 0 })
            .where("report_id", "=", report_id),
          1,
        ),
      );
    expect((await store.commit({ writes, events: [] })).ok).toBe(true);
    return report_id;
  };
  expect(await commit(world.id())).toBe(false);
  expect(await commit(await keep(world.id(), 0))).toBe(false);
  const good = await keep(world.id(), 1);
  expect(await commit(good, "another-bot")).toBe(false);
  expect(await commit(good)).toBe(true);
  expect(await referred()).toMatchObject([{ passed: 1 }]);
});

it("[L-N3] a run is written down at one place, and wished for at two: a start and an update", () => {
  const source = fileURLToPath(new URL("..", import.meta.url));
  const found = (pattern: RegExp): readonly string[] =>
    readdirSync(source, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .filter((file) => pattern.test(readFileSync(join(source, file), "utf8")))
      .toSorted();
  expect(found(/insertInto\("run"\)|INSERT INTO run\b/)).toEqual(["instances/tables.ts"]);
  expect(found(/beginInstance\(\{/)).toEqual(["commands/operations.ts", "updates/operations.ts"]);
  // Whatever begins or waits to begin names its report; nothing says that an instance should run but begin.ts.
  expect(found(/desired: "running"/)).toEqual(["instances/begin.ts"]);
});

it("[L-N3] [L-41] starts, restarts, live, updates and shadows: each run refers to a kept report, which can be read", async () => {
  await world.addVenueOutside();
  dataOf(await world.makeBot("bot-1"));
  dataOf(await world.makeBot("live", { venue: "OUT" }));
  const begun = async (run_id: unknown): Promise<void> =>
    world.until("running", () => world.runner.instances.has(String(run_id)));
  const started = dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
  await begun(started["run_id"]);
  const report_id = String((started["preflight"] as Record<string, unknown>)["report_id"]);
  const kept = dataOf(await world.query("preflights.show", {}, { report_id }));
  expect(kept).toMatchObject({ report_id, bot_id: "bot-1", passed: true, command_id: started["command_id"] });
  expect(codeOf(await world.query("preflights.show", {}, { report_id: world.id() }))).toBe("RUMI-SYS-011");
  await begun(dataOf(await world.moveConfirmed("live", "IDLE", "RUNNING_LIVE"))["run_id"]);

  const manifest = sampleManifest({ version: "1.1.0", strategies: [sampleDescriptor({ strategy_version: "1.1.0" })] });
  writePack(join(world.folder, "ecosystem/demo_pack"), manifest);
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  const digest = dataOf(approved)["approved_digest"];
  const wish = (operation: string, bot_id: string) =>
    world.command(
      operation,
      { command_id: world.id(), strategy_version: "1.1.0", digest, reason: "sells slower at thin books" },
      { params: { bot_id } },
    );
  dataOf(await wish("bots.shadow_start", "bot-1"));
  dataOf(await wish("bots.update", "bot-1"));
  dataOf(await world.confirm(await wish("bots.update", "live")));
  await world.until("both were updated", async () => (await referred()).length >= 5);
  const all = await referred();
  expect(all.map(({ mode }) => mode).toSorted()).toEqual(["live", "live", "paper", "paper", "shadow"]);
  expect(all.filter(({ passed }) => passed !== 1)).toEqual([]);
});

it("[L-41] an update of a live bot whose needs are gone is refused like its start, and what runs goes on", async () => {
  dataOf(await world.makeBot("feeder"));
  dataOf(await world.move("feeder", "IDLE", "RUNNING_PAPER"));
  dataOf(await world.makeBot("bot-1", { dependencies: ["bot:feeder"] }));
  dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
  dataOf(await world.move("feeder", "RUNNING_PAPER", "STOPPING"));
  const refused = await world.command(
    "bots.update",
    { command_id: world.id(), strategy_version: "1.0.0", digest: world.digest, config: { fast: 11 }, reason: "other" },
    { params: { bot_id: "bot-1" } },
  );
  expect(codeOf(refused)).toBe("RUMI-BOT-081");
  expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", generation: 1 });
});
