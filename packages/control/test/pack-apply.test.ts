/** A pack that a bot runs from is not taken from under it: removing is refused, and under a live bot another version is dangerous. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf, sampleManifest, writePack } from "../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "./kit.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  dataOf(await world.makeBot());
});
afterEach(async () => {
  await world.close();
});

const asIf = async (state: string, mode: string): Promise<void> => {
  const sql = "UPDATE bot SET state = ?, mode = ? WHERE bot_id = 'bot-1'";
  const set = await world.store.commit({ writes: [{ sql, parameters: [state, mode], expect: 1 }], events: [] });
  expect(set.ok).toBe(true);
};
const staged = async (version: string): Promise<unknown> => {
  const folder = writePack(join(world.folder, "inbox", version), sampleManifest({ version }));
  return dataOf(await world.command("packs.import", { path: folder }))["staging_id"];
};
const state = async (): Promise<unknown> =>
  dataOf(await world.query("packs.status", {}, { pack_id: "demo_pack" }))["status"];

it("[R-11.1] another version under a live bot asks for confirmation; confirmed it is put in place once", async () => {
  await asIf("RUNNING_LIVE", "live");
  const staging_id = await staged("1.1.0");
  const asked = await world.command("packs.apply", { staging_id });
  expect(challengeOf(asked)).toMatchObject({ phrase: "demo_pack" });
  expect(await state()).toBe("approved");
  expect(codeOf(await world.confirm(asked, { phrase: "demo pack" }))).toBe("RUMI-CMD-014");
  expect(await state()).toBe("approved");
  expect(dataOf(await world.confirm(asked))).toMatchObject({ status: "modified", version: "1.1.0", staging_id });
  expect(codeOf(await world.command("packs.apply", { staging_id }))).toBe("RUMI-PACK-014");
});

it("[R-11.1] the same bytes, and any under a bot on paper, are put in place at once", async () => {
  await asIf("RUNNING_LIVE", "live");
  const same = await staged("1.0.0");
  expect(dataOf(await world.command("packs.apply", { staging_id: same }))).toMatchObject({ status: "approved" });
  await asIf("RUNNING_PAPER", "paper");
  const pack = await world.library.packOf(world.store, "demo_pack");
  if (pack !== undefined) await world.library.finishApply(pack);
  const answer = await world.command("packs.apply", { staging_id: await staged("1.1.0") });
  expect(dataOf(answer)).toMatchObject({ status: "modified" });
});

it("[R-5.2] a pack that a bot names is not removed", async () => {
  const remove = () => world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } });
  expect(codeOf(await remove())).toBe("RUMI-PACK-012");
  expect(await state()).toBe("approved");
});
