/** Who is shown what: configurations to whoever commands bots, and a note of every look at money and at keys. */
import type { Principal, Role } from "@rumi/operations";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { auditedClass, DATA_CLASSES, READ_WINDOW_US, withoutConfiguration } from "./model.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});
const as = (...roles: Role[]): Principal => ({ id: `user:${roles.join("-")}`, roles });
const SECRET_SAUCE = 733;
/** It as a member's whole value: within ids and hashes its digits stand by chance. */
const tells = (text: string): boolean => new RegExp(`:${SECRET_SAUCE}[,}]`).test(text);

it("[L-39] a configuration is taken out at any depth, and each place says what is withheld", () => {
  const bot = { bot_id: "b", spec: { config: { fast: 1 }, shard_config: { X: {} }, capital: "1" } };
  expect(withoutConfiguration({ bots: [bot], count: 1 })).toEqual({
    bots: [{ bot_id: "b", spec: { config: {}, shard_config: {}, capital: "1", withheld: ["config", "shard_config"] } }],
    count: 1,
  });
  const event = { details: { changed: ["fast"], diff: [{ field: "fast", before: 1, after: 2 }] } };
  expect(withoutConfiguration(event)).toEqual({
    details: { changed: ["fast"], diff: [{ field: "fast" }], withheld: ["diff"] },
  });
  expect(withoutConfiguration({ config_hash: "sha256:1", config: null })).toEqual({
    config_hash: "sha256:1",
    config: null,
  });
});

it("[L-39] no query of the program shows a configuration to whoever only looks on; operators see it", async () => {
  const config = { fast: SECRET_SAUCE };
  dataOf(await world.makeBot("bot-1", { config }));
  const applied = { command_id: world.id(), config: { fast: SECRET_SAUCE, slow: 51 }, at: "next_tick", reason: "x" };
  dataOf(await world.command("bots.config_apply", applied, { params: { bot_id: "bot-1" } }));
  dataOf(
    await world.command("templates.create", {
      command_id: world.id(),
      template_id: "steady",
      from_bot_id: "bot-1",
      reason: "ours",
    }),
  );
  const { command_id } = applied;
  const asked: readonly (readonly [string, Record<string, string>, Record<string, string>])[] = [
    ["bots.list", {}, {}],
    ["bots.show", {}, { bot_id: "bot-1" }],
    ["bots.lineage", {}, { bot_id: "bot-1" }],
    ["templates.list", {}, {}],
    ["templates.show", {}, { template_id: "steady" }],
    ["audit.events", {}, {}],
    ["trace.show", {}, { id: command_id }],
    ["instances.list", {}, {}],
  ];
  let shown = 0;
  for (const [name, query, params] of asked) {
    const seen = JSON.stringify(dataOf(await world.query(name, query, params, as("view_only"))));
    expect(tells(seen), name).toBe(false);
    for (const role of ["operator", "admin"] as const) {
      const full = JSON.stringify(dataOf(await world.query(name, query, params, as("view_only", role))));
      if (tells(full)) {
        shown += 1;
        expect(seen, name).toContain("withheld");
      }
    }
  }
  expect(shown).toBeGreaterThan(7);
});

it("[L-39] whoever looks at money or at the list of keys leaves a note in the log, once in a quarter of an hour", async () => {
  const notes = async () => (await world.actions()).filter((action) => action === "query.sensitive_read").length;
  const asked: readonly (readonly [string, Record<string, string>])[] = [
    ["positions.list", {}],
    ["fills.list", {}],
    ["tokens.list", { user_id: "user:root" }],
  ];
  for (const [at, [name, params]] of asked.entries()) {
    await world.query(name, {}, params);
    await world.query(name, {}, params);
    expect(await notes(), name).toBe(at + 1);
  }
  await world.query("positions.list", {}, {}, as("operator"));
  expect(await notes(), "another person").toBe(asked.length + 1);
  await world.query("bots.list");
  expect(await notes(), "not sensitive").toBe(asked.length + 1);
  world.clock.skip(READ_WINDOW_US / 1_000);
  await world.query("positions.list");
  expect(await notes(), "later").toBe(asked.length + 2);
  const events = dataOf(await world.query("audit.events", { action: "query.sensitive_read" }))["events"];
  expect(events).toContainEqual(
    expect.objectContaining({
      actor: "user:root",
      details: expect.objectContaining({ query: "positions.list", fields: ["pnl"], rows: 0 }) as unknown,
    }),
  );
});

it("[L-39] a class of data is asked for by those roles alone that it is for", () => {
  for (const [name, { definition }] of world.registry.queries) {
    const data = auditedClass(name);
    if (data !== undefined)
      expect([...definition.permission].toSorted(), name).toEqual([...DATA_CLASSES[data].roles].toSorted());
  }
});
