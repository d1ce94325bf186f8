/** Contracts that this program cannot read are refused before anything is deployed, updated or started. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf, sampleDescriptor, sampleManifest, writePack } from "../../../platform/test/kit.ts";
import { openControl, venueBody, type Control } from "../../test/kit.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl({ bare: true });
});
afterEach(async () => {
  await world.close();
});

/** Another version of the pack, approved; or what approving it is answered with. */
async function approve(version: string, of: Record<string, unknown> = {}) {
  writePack(
    join(world.folder, "ecosystem/demo_pack"),
    sampleManifest({ version, strategies: [sampleDescriptor({ strategy_version: version, ...of })] }),
  );
  dataOf(await world.command("packs.scan", {}));
  return world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
}
/** What another program approved: the same pack, under contracts that it knew and this one does not. */
async function approvedElsewhere(change: Record<string, unknown>): Promise<void> {
  const [row] = await world.store.rows<{ approved: string }>({ sql: "SELECT approved FROM pack", parameters: [] });
  const approved = JSON.parse(row?.approved ?? "") as { manifest: { strategies: Record<string, unknown>[] } };
  Object.assign(approved.manifest.strategies[0] ?? {}, change);
  const update = { sql: "UPDATE pack SET approved = ?", parameters: [JSON.stringify(approved)], expect: 1 } as const;
  expect((await world.store.commit({ writes: [update], events: [] })).ok).toBe(true);
}
const strategy = (strategy_version: string, digest: unknown) => ({
  strategy: { pack_id: "demo_pack", strategy_id: "ema-cross", strategy_version, digest },
});
const venue = async () => dataOf(await world.command("venues.register", venueBody(world)));

const UNKNOWN_CONTRACTS: readonly (readonly [string, Record<string, unknown>])[] = [
  ["io_contracts.abi", { io_contracts: { abi: 2, events: 1, intents: 1 } }],
  ["io_contracts.events", { io_contracts: { abi: 1, events: 2, intents: 1 } }],
  ["io_contracts.intents", { io_contracts: { abi: 1, events: 1, intents: 2 } }],
  ["runtime_kind", { runtime_kind: "java" }],
];

it("[L-48] a pack for another ABI, other contracts or another runtime is refused when it is imported", async () => {
  for (const [, change] of UNKNOWN_CONTRACTS) expect(codeOf(await approve("1.0.0", change))).toMatch(/^RUMI-PACK/);
});

it("[L-48] one that another program approved is refused before it is deployed", async () => {
  await venue();
  for (const [at, [field, change]] of UNKNOWN_CONTRACTS.entries()) {
    const version = `2.0.${at}`;
    const digest = dataOf(await approve(version))["approved_digest"];
    await approvedElsewhere(change);
    const refused = await world.makeBot("bot-1", strategy(version, digest));
    expect(refused, field).toMatchObject({
      failure: { code: "RUMI-BOT-084", reasonCode: "L.COMPATIBILITY.REFUSED" },
    });
    if (refused.kind === "refused") expect(field).toContain(String(refused.failure.params["field"]).split(".").at(-1));
  }
  expect(dataOf(await world.query("bots.list"))).toMatchObject({ count: 0 });
});

it("[L-48] [L-N3] it is refused before an update and before a start, which tells the item that failed", async () => {
  await venue();
  await world.dialRunner();
  const digest = dataOf(await approve("3.0.0"))["approved_digest"];
  dataOf(await world.makeBot("bot-1", strategy("3.0.0", digest)));
  dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { dry_run: true }));
  await approvedElsewhere({ io_contracts: { abi: 2, events: 1, intents: 1 } });
  expect(await world.move("bot-1", "IDLE", "RUNNING_PAPER")).toMatchObject({
    failure: { code: "RUMI-BOT-084", details: { failed_item: "compatibility" } },
  });
  const body = { command_id: world.id(), strategy_version: "3.0.0", digest, config: { fast: 11 }, reason: "other" };
  expect(codeOf(await world.command("bots.update", body, { params: { bot_id: "bot-1" } }))).toBe("RUMI-BOT-084");
  expect(await world.bot()).toMatchObject({ state: "IDLE", generation: 1 });
});

it("[L-48] a schema of configurations that the bot's does not fit is refused before it is made, updated or configured", async () => {
  await venue();
  const narrow = { config_schema: { fast: { type: "integer", required: true, minimum: 100, maximum: 200 } } };
  const before = dataOf(await approve("4.0.0"))["approved_digest"];
  dataOf(await world.makeBot("bot-1", strategy("4.0.0", before)));
  const digest = dataOf(await approve("4.1.0", narrow))["approved_digest"];
  expect(codeOf(await world.makeBot("bot-2", strategy("4.1.0", digest)))).toBe("RUMI-BOT-004");
  const body = { command_id: world.id(), strategy_version: "4.1.0", digest, reason: "other" };
  expect(await world.command("bots.update", body, { params: { bot_id: "bot-1" } })).toMatchObject({ kind: "refused" });
  expect(await world.bot()).toMatchObject({ state: "IDLE", generation: 1 });
  expect(dataOf(await world.query("bots.list"))).toMatchObject({ count: 1 });
  const fits = { ...body, command_id: world.id(), config: { fast: 150 } };
  dataOf(await world.command("bots.update", fits, { params: { bot_id: "bot-1" } }));
  expect(await world.bot()).toMatchObject({ generation: 2, version: "2.0.0" });
});
