/** Overrides: of a named check, for one bot, by two people, until their end and not a moment longer. */
import { join } from "node:path";
import { ROOT, type Answer, type Principal } from "@rumi/operations";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { codeOf, dataOf, writePack } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, venueBody, type Control } from "../../test/kit.ts";
import { PREFLIGHT_ITEMS } from "../preflight/model.ts";
import { OVERRIDABLE } from "./checks.ts";
import { OVERRIDE_LIMITS } from "./model.ts";

const ALICE: Principal = { id: "user:01900000-0000-7000-8000-00000000000b", roles: ["admin"] };
const home = { folder: temporaryFolder() };
let world: Control;

/** A home whose one bot needs a bot that is not there. */
beforeEach(async () => {
  home.folder = temporaryFolder();
  world = await openControl({ home: home.folder.path });
  writePack(join(world.folder, "ecosystem/demo_pack"));
  dataOf(await world.command("packs.scan", {}));
  const approved = await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
  dataOf(await world.command("venues.register", venueBody(world)));
  const digest = String(dataOf(approved)["approved_digest"]);
  const strategy = { pack_id: "demo_pack", strategy_id: "ema-cross", strategy_version: "1.0.0", digest };
  for (const bot_id of ["bot-1", "bot-2"])
    dataOf(await world.makeBot(bot_id, { strategy, dependencies: ["bot:nobody"] }));
});
afterEach(async () => {
  await world.close();
  home.folder.remove();
});
async function restart(): Promise<void> {
  await world.close();
  world = await openControl({ home: home.folder.path });
}

const ask = (over: Record<string, unknown> = {}): Promise<Answer> =>
  world.command(
    "overrides.grant",
    {
      command_id: world.id(),
      bot_id: "bot-1",
      check: "dependencies",
      valid_for_seconds: 600,
      reason: "the feeder is rebuilt",
      ...over,
    },
    { principal: ALICE },
  );
async function approve(asked: Answer, principal = ROOT): Promise<Answer> {
  const { challenge_id, intent_hash } = challengeOf(asked);
  dataOf(await world.query("challenges.show", {}, { challenge_id }, principal));
  return world.command("challenges.approve", { intent_hash, reason: "read" }, { params: { challenge_id }, principal });
}
async function grant(over: Record<string, unknown> = {}): Promise<string> {
  const asked = await ask(over);
  dataOf(await approve(asked));
  return String(dataOf(await world.confirm(asked, {}, ALICE))["override_id"]);
}
/** What a start would be told of its dependencies now. */
async function checked(bot_id = "bot-1"): Promise<Record<string, unknown>> {
  const dry = dataOf(await world.move(bot_id, "IDLE", "RUNNING_PAPER", { dry_run: true }));
  const { preflight } = dry["preview"] as { preflight: { items: { item: string }[] } };
  return preflight.items.find(({ item }) => item === "dependencies") as unknown as Record<string, unknown>;
}
const shown = async () => (dataOf(await world.query("overrides.list"))["overrides"] as Record<string, unknown>[])[0];

it("[L-40] [L-N14] an override takes a reason and a second person, lets the start pass, and is told in its report", async () => {
  expect(await checked()).toMatchObject({ state: "FAIL", error_code: "RUMI-BOT-081" });
  expect(codeOf(await ask({ reason: " " }))).toMatch(/^RUMI-VAL/);
  const asked = await ask();
  expect(challengeOf(asked)).toMatchObject({ requires: ["phrase", "second_person"], phrase: "bot-1" });
  expect(codeOf(await world.confirm(asked, {}, ALICE))).toBe("RUMI-CMD-017");
  expect(codeOf(await approve(asked, ALICE))).toBe("RUMI-CMD-018");
  dataOf(await approve(asked));
  const { override_id } = dataOf(await world.confirm(asked, {}, ALICE));
  expect(await checked()).toMatchObject({ state: "OVERRIDDEN", error_code: "RUMI-BOT-081", override_id });
  expect(await checked("bot-2"), "another bot's").toMatchObject({ state: "FAIL" });
  expect(await shown()).toMatchObject({
    override_id,
    state: "IN_FORCE",
    bot_id: "bot-1",
    check: "dependencies",
    reason: "the feeder is rebuilt",
    granted_by: ALICE.id,
    approver: ROOT.id,
    approval_id: challengeOf(asked).challenge_id,
  });
  await world.dialRunner();
  const started = dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
  const { report_id } = started["preflight"] as { report_id: string };
  expect(JSON.stringify(dataOf(await world.query("preflights.show", {}, { report_id })))).toContain(
    String(override_id),
  );
  const events = dataOf(await world.query("audit.events", { action: "override.granted" }))["events"];
  expect(events).toMatchObject([
    { actor: ALICE.id, details: { override_id, check: "dependencies", approval_id: challengeOf(asked).challenge_id } },
  ]);
});

it("[L-40] only named checks can be overridden, for a minute at least and a week at most", async () => {
  for (const check of [...PREFLIGHT_ITEMS, "everything"])
    expect(codeOf(await ask({ check })), check).toBe(
      (OVERRIDABLE as readonly string[]).includes(check) ? "RUMI-CMD-004" : "RUMI-VAL-002",
    );
  for (const valid_for_seconds of [0, OVERRIDE_LIMITS.min_seconds - 1, OVERRIDE_LIMITS.max_seconds + 1, null])
    expect(codeOf(await ask({ valid_for_seconds })), String(valid_for_seconds)).toMatch(/^RUMI-VAL/);
  const { valid_for_seconds: _, ...endless } = { valid_for_seconds: 1, command_id: world.id() };
  expect(
    codeOf(
      await world.command("overrides.grant", { ...endless, bot_id: "bot-1", check: "runbook", reason: "for ever" }),
    ),
  ).toMatch(/^RUMI-VAL/);
  expect(codeOf(await ask({ bot_id: "nobody" }))).toBe("RUMI-BOT-001");
  const operator: Principal = { id: "user:01900000-0000-7000-8000-00000000000c", roles: ["operator"] };
  const body = { command_id: world.id(), bot_id: "bot-1", check: "runbook", valid_for_seconds: 60, reason: "x" };
  expect(codeOf(await world.command("overrides.grant", body, { principal: operator }))).toBe("RUMI-AUTH-003");
});

it("[L-40] [L-N14] it ends by itself at its time, and the log says so", async () => {
  const override_id = await grant();
  world.clock.skip(599_000);
  expect(await checked()).toMatchObject({ state: "OVERRIDDEN" });
  world.clock.skip(1_500);
  // Nobody has run anything since: the clock alone ends it.
  expect(await checked()).toMatchObject({ state: "FAIL" });
  expect(await shown()).toMatchObject({ state: "EXPIRED", ended_by: null });
  await world.rounds(2);
  expect(await shown()).toMatchObject({ state: "EXPIRED", ended_by: "system:overrides" });
  const told = (await world.actions()).filter((action) => action === "override.expired");
  expect(told).toHaveLength(1);
  const revoked = await world.command("overrides.revoke", { reason: "late" }, { params: { override_id } });
  expect(dataOf(revoked)).toMatchObject({ state: "EXPIRED", changed: false });
});

it("[L-40] [L-N14] a restart neither ends nor prolongs it: not before its end, and not at it, with no round in between", async () => {
  await grant();
  await restart();
  expect(await checked()).toMatchObject({ state: "OVERRIDDEN" });
  await restart();
  world.clock.skip(601_000);
  expect(await checked()).toMatchObject({ state: "FAIL" });
  await world.rounds(2);
  expect(await world.actions()).toContain("override.expired");
});

it("[L-40] it can be taken back by one person at once", async () => {
  const override_id = await grant();
  const revoke = (id: string) =>
    world.command("overrides.revoke", { reason: "the feeder is back" }, { params: { override_id: id } });
  expect(dataOf(await revoke(override_id))).toMatchObject({ state: "REVOKED", changed: true, ended_by: ROOT.id });
  expect(await checked()).toMatchObject({ state: "FAIL" });
  expect(codeOf(await revoke(world.id()))).toBe("RUMI-SYS-011");
  world.clock.skip(601_000);
  await world.rounds(2);
  expect(await world.actions()).not.toContain("override.expired");
});
