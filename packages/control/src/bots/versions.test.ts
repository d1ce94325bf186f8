/** The versions of one bot: each is another, each is greater, and what was written once stays as it was. */
import { write } from "@rumi/store";
import { expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl } from "../../test/kit.ts";
import { compareVersions, nextVersion, type BotSpec } from "./model.ts";
import type { BotTables, BotVersionRow } from "./tables.ts";

const SPEC = {
  strategy: { pack_id: "p", strategy_id: "s", strategy_version: "1.0.0", digest: `sha256:${"a".repeat(64)}` },
  venue: "SIM",
  instruments: ["XRPETH.SIM"],
  config: { fast: 10 },
  capital: "1000",
  isolation: "any",
} as unknown as BotSpec;

it("[L-02] a version is greater than the one before it, by how far its change reaches", () => {
  const changes: readonly (readonly [Partial<BotSpec>, string])[] = [
    [{ strategy: { ...SPEC.strategy, digest: `sha256:${"b".repeat(64)}` } }, "2.0.0"],
    [{ venue: "OUT" }, "2.0.0"],
    [{ venue: "OUT", capital: "1" }, "2.0.0"],
    [{ config: { fast: 11 } }, "1.10.0"],
    [{ capital: "2000" }, "1.10.0"],
    [{ instruments: ["BTCETH.SIM"] }, "1.10.0"],
    [{ isolation: "strict" }, "1.10.0"],
    [{ isolation_level: "L3" }, "1.10.0"],
    [{ staging: true }, "1.10.0"],
    [{ data_quality: { gap: "resync" } }, "1.10.0"],
    [{ display_name: "another" }, "1.9.13"],
    [{ labels: { team: "b" } }, "1.9.13"],
    [{}, "1.9.13"],
  ];
  for (const [change, expected] of changes) {
    const next = nextVersion("1.9.12", SPEC, { ...SPEC, ...change });
    expect([change, next]).toEqual([change, expected]);
    expect(compareVersions(next, "1.9.12")).toBeGreaterThan(0);
    expect(compareVersions("1.9.12", next)).toBeLessThan(0);
  }
  const mixed = ["2.0.0", "1.10.0", "1.9.13", "1.9.9", "10.0.0"];
  expect(mixed.toSorted(compareVersions)).toEqual(["1.9.9", "1.9.13", "1.10.0", "2.0.0", "10.0.0"]);
  expect(compareVersions("1.10.0", "1.10.0")).toBe(0);
});

it("[L-02] a version that was written stays as it was, and the store takes no second one in its place", async () => {
  const world = await openControl();
  const db = world.store.builder<BotTables>();
  const rows = (): Promise<readonly BotVersionRow[]> =>
    world.store.rows<BotVersionRow>(db.selectFrom("bot_version").selectAll().orderBy("generation"));
  dataOf(await world.makeBot());
  const [first] = await rows();
  for (const fast of [11, 12])
    dataOf(
      await world.command(
        "bots.config_apply",
        { command_id: world.id(), config: { fast }, at: "next_tick", reason: "tune" },
        { params: { bot_id: "bot-1" } },
      ),
    );
  const kept = await rows();
  expect(kept.map(({ generation, version }) => [generation, version])).toEqual([
    [1, "1.0.0"],
    [2, "1.1.0"],
    [3, "1.2.0"],
  ]);
  expect(kept[0]).toEqual(first);
  for (const same of [
    { generation: 1, version: "9.0.0" },
    { generation: 9, version: "1.1.0" },
  ]) {
    const row = { ...kept[2], ...same, spec: "{}" } as BotVersionRow;
    const again = world.store.commit({ writes: [write(db.insertInto("bot_version").values(row), 1)], events: [] });
    expect(await again.then(({ ok }) => ok).catch(() => false)).toBe(false);
  }
  expect(await rows()).toEqual(kept);
  await world.close();
});
