/** One question leads from a running bot back to its pack, the source of that, and the people behind each step. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf, sampleDescriptor, sampleManifest, writePack } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});

const COMMIT = "0123456789abcdef0123456789abcdef01234567";

async function approve(version: string): Promise<string> {
  const strategies = [sampleDescriptor({ strategy_version: version })];
  const metadata = { source: { repository: "https://git.example/desk/ema", commit: COMMIT } };
  writePack(join(world.folder, "ecosystem/demo_pack"), sampleManifest({ version, strategies, metadata }));
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  return String(dataOf(approved)["approved_digest"]);
}
const lineage = async () => dataOf(await world.query("bots.lineage", {}, { bot_id: "bot-1" }));

it("[L-38] from a live bot to its command, its confirmation, its preflight, its version, its pack and that pack's commit", async () => {
  await world.addVenueOutside();
  await world.dialRunner();
  const old = world.digest;
  dataOf(await world.makeBot("bot-1", { venue: "OUT" }));
  const digest = await approve("1.1.0");
  const update = {
    command_id: world.id(),
    strategy_version: "1.1.0",
    digest,
    reason: "a better average of closing prices",
  };
  dataOf(await world.command("bots.update", update, { params: { bot_id: "bot-1" } }));
  const started = dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"));

  const found = await lineage();
  expect(found).toMatchObject({ bot_id: "bot-1", state: "RUNNING_LIVE", mode: "live", generation: 2 });
  expect(found["runs"]).toMatchObject([
    {
      run_id: started["run_id"],
      mode: "live",
      pack_digest: digest,
      preflight: { passed: true, report_id: (started["preflight"] as Record<string, unknown>)["report_id"] },
      command: {
        command_id: started["command_id"],
        actor: "user:root",
        approval: { confirmed_by: "user:root", approved_by: null },
      },
    },
  ]);
  expect(found["versions"]).toMatchObject([
    {
      generation: 2,
      digest,
      reason: "a better average of closing prices",
      command_id: update.command_id,
      created_by: "user:root",
    },
    { generation: 1, digest: old, reason: "crosses two moving averages of XRP against ETH" },
  ]);
  expect(found["packs"]).toMatchObject([
    {
      digest,
      pack_version: "1.1.0",
      current: true,
      approved_by: "user:root",
      source: { repository: "https://git.example/desk/ema", commit: COMMIT },
    },
    { digest: old, pack_version: "1.0.0", current: false, approved_by: "user:root", source: null },
  ]);
  for (const step of [...(found["versions"] as unknown[]), ...(found["packs"] as unknown[])])
    expect(step).toMatchObject({ event_id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string });
});

it("[L-38] a bot that never ran has a version and a pack, and an unknown one has nothing", async () => {
  dataOf(await world.makeBot());
  expect(await lineage()).toMatchObject({
    runs: [],
    versions: [{ generation: 1 }],
    packs: [{ digest: world.digest, current: true, source: null }],
    admission: null,
  });
  expect(codeOf(await world.query("bots.lineage", {}, { bot_id: "nobody" }))).toBe("RUMI-BOT-001");
});
