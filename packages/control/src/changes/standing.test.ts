/** What a change stands on holds until its commit: a write that fits only while it is as it was read. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { standingReader } from "./standing.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  dataOf(await world.makeBot("bot-1"));
});
afterEach(() => world.close());

const of = (resource_type: string, resource_id: string, bot_id: string | null = null) =>
  standingReader(world.store).read(world.store, { target: { resource_type, resource_id }, bot_id });

it("[L-10] it is the generation of the bot that is named, by target or beside it, of a group, or that there is none", async () => {
  dataOf(await world.command("groups.create", { command_id: world.id(), group_id: "desk", reason: "test" }));
  expect((await of("bot", "bot-1")).base).toEqual({ bot_generation: 1 });
  expect((await of("kill_switch", "bot bot-1", "bot-1")).base).toEqual({ bot_generation: 1 });
  expect((await of("group", "desk")).base).toEqual({ group_generation: 1 });
  expect((await of("bot", "nobody")).base).toEqual({ bot_generation: null });
  expect((await of("group", "nobody")).base).toEqual({ group_generation: null });
  expect((await of("safety", "all")).base).toEqual({});
});

it("[L-10] a generation that moves between the judgement and the effect sends it back", async () => {
  const { fences } = await of("bot", "bot-1");
  const fits = () => world.store.commit({ writes: fences, events: [] });
  expect((await fits()).ok).toBe(true);
  const applied = { command_id: world.id(), config: { fast: 11 }, at: "next_tick", reason: "test" };
  dataOf(await world.command("bots.config_apply", applied, { params: { bot_id: "bot-1" } }));
  expect(await fits()).toMatchObject({ ok: false, error: { kind: "conflict" } });
});
