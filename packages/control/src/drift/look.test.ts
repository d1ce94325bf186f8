import { systemClock } from "@rumi/kernel";
import { write } from "@rumi/store";
import { expect, it, onTestFinished } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl } from "../../test/kit.ts";
import type { BotTables } from "../bots/tables.ts";
import { COMPARED_AT_ONCE, driftLook } from "./look.ts";

it("of a large fleet the edited bots are found in each of its parts, at the parts' ends too", async () => {
  const world = await openControl();
  onTestFinished(() => world.close());
  dataOf(await world.makeBot("bot-00000"));
  const db = world.store.builder<BotTables>();
  const [row] = await world.store.rows<BotTables["bot"]>(db.selectFrom("bot").selectAll());
  const [version] = await world.store.rows<BotTables["bot_version"]>(db.selectFrom("bot_version").selectAll());
  if (row === undefined || version === undefined) return expect.fail("no bot");
  const many = 2 * COMPARED_AT_ONCE + 1;
  const id = (at: number): string => `bot-${String(at).padStart(5, "0")}`;
  const edited = [0, 1, COMPARED_AT_ONCE - 1, COMPARED_AT_ONCE, 2 * COMPARED_AT_ONCE - 1, 2 * COMPARED_AT_ONCE];
  const other = JSON.stringify({ ...(JSON.parse(row.spec) as object), capital: "1" });
  for (let at = 1; at < many; at += 500) {
    const some = Array.from({ length: Math.min(500, many - at) }, (_, i) => id(at + i));
    const writes = some.flatMap((bot_id) => [
      write(db.insertInto("bot").values({ ...row, bot_id }), 1),
      write(db.insertInto("bot_version").values({ ...version, bot_id }), 1),
    ]);
    expect(await world.store.commit({ writes, events: [] })).toMatchObject({ ok: true });
  }
  const look = driftLook({
    store: world.store,
    clock: systemClock(),
    hub: { ready: () => [], hosted: () => [], clockErrors: () => new Map() },
  });
  expect(await look(false)).toEqual([]);
  const writes = edited.map((at) => write(db.updateTable("bot").set({ spec: other }).where("bot_id", "=", id(at)), 1));
  expect(await world.store.commit({ writes, events: [] })).toMatchObject({ ok: true });
  expect((await look(false)).map(({ bot_id }) => bot_id)).toEqual(edited.map(id));
  return undefined;
});
