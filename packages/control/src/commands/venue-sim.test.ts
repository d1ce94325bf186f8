/** Live in everything but money: what the control plane lets a bot do whose venue is a simulator, and what it does not. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, INSTRUMENT, openControl, type Control } from "../../test/kit.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});

const simulator = (change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  command_id: world.id(),
  venue_id: "OUT",
  kind: "venue_sim",
  url: "http://127.0.0.1:8900",
  key: { file: "/keys/out.json" },
  instruments: [INSTRUMENT],
  reason: "test",
  ...change,
});
const without = (name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(simulator()).filter(([field]) => field !== name));

describe("a venue simulator", () => {
  it("is registered with defaults and shown with the place of its key; what is not its own is refused", async () => {
    dataOf(await world.command("venues.register", simulator()));
    expect(dataOf(await world.query("venues.show", {}, { venue_id: "OUT" }))).toMatchObject({
      kind: "venue_sim",
      files: [],
      live: { kind: "venue_sim", key: { file: "/keys/out.json" }, stale_after_ms: 2_000, requests_per_second: 20 },
      instruments: [INSTRUMENT],
    });
    expect(codeOf(await world.command("venues.register", simulator()))).toBe("RUMI-BOT-007");
    dataOf(await world.command("venues.register", simulator({ venue_id: "SHORT", tape_keep_mib: 64 })));
    expect(dataOf(await world.query("venues.show", {}, { venue_id: "SHORT" }))).toMatchObject({
      live: { tape_keep_mib: 64 },
    });
    const bad: readonly Record<string, unknown>[] = [
      simulator({ venue_id: "A", pace: { kind: "max" } }),
      simulator({ venue_id: "A", seed: "x" }),
      simulator({ venue_id: "A", tape_keep_mib: 0 }),
      without("url"),
      without("key"),
      without("instruments"),
      simulator({ venue_id: "A", url: "https://exchange.example/path" }),
      simulator({ venue_id: "A", url: "file:///etc/passwd" }),
      simulator({ venue_id: "A", key: { file: "relative.json" } }),
      simulator({ venue_id: "A", key: { file: "/a", env: "B" } }),
      simulator({ venue_id: "A", key: { secret: "s" } }),
      { ...simulator({ venue_id: "A" }), kind: "binance" },
    ];
    for (const body of bad)
      expect(codeOf(await world.command("venues.register", body)), JSON.stringify(body)).toMatch(/^RUMI-VAL/);
  });

  it("[G-2.1a] a bot on it goes live, pauses and goes on with the same run, each time confirmed; paper is refused; quarantine is left by nobody unasked", async () => {
    dataOf(await world.command("venues.register", simulator()));
    await world.dialRunner();
    dataOf(await world.makeBot("bot-1", { venue: "OUT" }));
    expect(codeOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toBe("RUMI-BOT-047");
    const run_id = String(dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"))["run_id"]);
    await world.until("running", () => world.runner.instances.has(run_id));
    const { spec } = world.runner.instances.get(run_id) ?? {};
    expect(spec).toMatchObject({
      mode: "live",
      instruments: [{ instrument_id: INSTRUMENT.instrument_id }],
      venue: {
        files: [],
        pace: { kind: "max" },
        live: { url: "http://127.0.0.1:8900", key: { file: "/keys/out.json" } },
      },
    });
    expect(await world.bot()).toMatchObject({ state: "RUNNING_LIVE", status: { mode: "live" } });
    dataOf(await world.move("bot-1", "RUNNING_LIVE", "PAUSED"));
    await world.until("paused", () => world.runner.instances.get(run_id)?.status.phase === "paused");
    expect(dataOf(await world.moveConfirmed("bot-1", "PAUSED", "RUNNING_LIVE"))).toMatchObject({ run_id });
    dataOf(await world.move("bot-1", "RUNNING_LIVE", "QUARANTINED"));
    expect(codeOf(await world.move("bot-1", "QUARANTINED", "RUNNING_LIVE"))).toBe("RUMI-BOT-023");
    expect(codeOf(await world.move("bot-1", "QUARANTINED", "IDLE"))).toBe("RUMI-CMD-004");
    expect(await world.bot()).toMatchObject({ state: "QUARANTINED" });
  });

  it("[G-2.1a] a bot on a recording stays refused beside it", async () => {
    dataOf(await world.command("venues.register", simulator()));
    dataOf(await world.makeBot());
    const asked = await world.move("bot-1", "IDLE", "RUNNING_LIVE");
    expect(challengeOf(asked).blocked_by).toMatchObject([{ stage: "decide", error_code: "RUMI-BOT-012" }]);
    expect(codeOf(await world.confirm(asked))).toBe("RUMI-BOT-012");
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
  });
});
