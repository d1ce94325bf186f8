/** Two shards whose new version ran: whatever fails later, it never goes back by itself to state of long ago. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_INSTRUMENT, encodeAggTrades } from "@rumi/venues";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { descriptor, FIXTURE_DIR, market } from "../../runtime/test/support.ts";
import { readInstances, type InstanceRow, type StartSpec } from "../src/instances/tables.ts";
import { openControl, type Control } from "./kit.ts";

const REFUSED = { error_code: "RUMI-STR-032", reason_code: null, error: "it does not begin", suggestion: "none" };
let world: Control;
const digests: Record<string, string> = {};

async function approve(version: string): Promise<void> {
  const of = descriptor({ instance_model: "sharded", strategy_version: version });
  writePack(
    join(world.folder, "ecosystem/demo_pack"),
    { ...sampleManifest({ strategies: [of] }), version },
    { [of.entrypoint]: new Uint8Array(readFileSync(join(FIXTURE_DIR, of.entrypoint))) },
  );
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  digests[version] = String(dataOf(approved)["approved_digest"]);
}
function recording(name: string) {
  const path = join(world.folder, "recordings", `${name}.csv`);
  mkdirSync(join(world.folder, "recordings"), { recursive: true });
  writeFileSync(path, encodeAggTrades(market(50), DEMO_INSTRUMENT));
  const instrument = { ...DEMO_INSTRUMENT, instrument_id: `${name}.X`, base_currency: name };
  return { path, format: "binance_agg_trades", instrument };
}
const rows = (): Promise<readonly InstanceRow[]> => readInstances(world.store, world.store, "many");
const versionsOf = (all: readonly InstanceRow[]) =>
  all.map(({ spec }) => (JSON.parse(spec) as StartSpec).strategy_version);
const rolledBack = async () => (await world.actions()).includes("bot.update.rolled_back");

beforeEach(async () => {
  world = await openControl({ bare: true });
  await world.dialRunner();
  await approve("1.0.0");
  dataOf(
    await world.command("venues.register", {
      command_id: world.id(),
      venue_id: "SIM",
      kind: "recording",
      files: [recording("AAA"), recording("BBB")],
      reason: "test",
    }),
  );
  const strategy = { pack_id: "demo_pack", strategy_id: "crossing", strategy_version: "1.0.0" };
  dataOf(
    await world.makeBot("many", {
      strategy: { ...strategy, digest: digests["1.0.0"] },
      instruments: ["AAA.X", "BBB.X"],
      config: {},
      capital: "1000000000",
    }),
  );
  dataOf(await world.move("many", "IDLE", "RUNNING_PAPER"));
  await world.until("both run", async () => (await rows()).every(({ phase }) => phase === "running"));
  await approve("2.0.0");
  const wish = { command_id: world.id(), strategy_version: "2.0.0", digest: digests["2.0.0"], reason: "better" };
  expect(dataOf(await world.command("bots.update", wish, { params: { bot_id: "many" } }))).toMatchObject({
    handing_over: 2,
  });
  await world.until("both run the new version", async () => {
    const now = await rows();
    return versionsOf(now).every((version) => version === "2.0.0") && now.every(({ phase }) => phase === "running");
  });
});
afterEach(() => world.close());

describe("[M-1.1.1] [G-2.1] two shards whose new version ran", () => {
  it("are in ERROR, and stay with it where a person starts them again and the runner refuses", async () => {
    for (const { run_id } of await rows())
      world.runner.report(run_id, { phase: "failed", health_state: "halted", reason_code: "M.RUN.FAILED" });
    await world.until("in ERROR", async () => (await rows()).every(({ desired }) => desired === "stopped"));
    expect(await world.bot("many")).toMatchObject({ state: "ERROR" });
    world.runner.refuseStarts.with = REFUSED;
    dataOf(await world.move("many", "ERROR", "RUNNING_PAPER"));
    expect((await rows()).map(({ back, phase }) => [back, phase])).toEqual([
      [null, "none"],
      [null, "none"],
    ]);
    await world.until("refused", async () => (await rows()).every(({ phase }) => phase === "failed"));
    expect(await world.bot("many")).toMatchObject({ state: "ERROR" });
    expect([versionsOf(await rows()), await rolledBack()]).toEqual([["2.0.0", "2.0.0"], false]);
  });

  it("stay with it where one is begun once more by another runner, whatever its last word was", async () => {
    const [one] = await rows();
    world.runner.report(one?.run_id ?? "", { phase: "starting" });
    await world.until("starting again", async () => (await rows())[0]?.phase === "starting");
    world.runner.instances.clear();
    world.runner.refuseStarts.with = REFUSED;
    world.runner.drop();
    await world.until("gone", () => world.control.hub.ready().length === 0);
    await world.control.hub.runnerGone("runner-1");
    await world.runner.dial();
    await world.until("refused", async () => (await rows()).some(({ phase }) => phase === "failed"));
    await world.rounds(5);
    expect([versionsOf(await rows()), await rolledBack()]).toEqual([["2.0.0", "2.0.0"], false]);
  });
});
