/** The level of isolation a bot asks for, through the program's API: taken, refused by name, or shown as what it is instead. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { addVenue, bot, botRequest, installPack, move, transition, writeRecording, type Data } from "./rig.ts";

const SLOW_MS = 360_000;

/** A home on a machine that offers bubblewrap only, permissive so that a bot may ask for less than strict. */
describe.runIf(requires("python3") && requires("bubblewrap"))("[M-5.1.1] isolation per bot", () => {
  let program: Program;
  let digest: string;
  beforeAll(async () => {
    program = await startProgram({ args: ["--permissive"], environment: { RUMI_CONTAINER_ENGINE: "bubblewrap" } });
    digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 30_000), factor: 60 });
  }, SLOW_MS);
  afterAll(async () => expect(await program.stop()).toBe(0), SLOW_MS);

  const create = (bot_id: string, strategy_id: string, more: Data) =>
    program.call(
      "POST",
      "/api/bots",
      botRequest(bot_id, { pack_id: "default", strategy_id, strategy_version: "1.0.0", digest }, more),
    );
  const start = (bot_id: string) => program.call("POST", "/api/commands", transition(bot_id, "IDLE", "RUNNING_PAPER"));
  const inForce = async (bot_id: string): Promise<Data> =>
    eventually(async () => {
      const [instance] = (await bot(program, bot_id)).instances;
      return (instance?.["isolation"] ?? null) !== null && instance;
    });

  it(
    "strict gets what it asks for or RUMI-BOT-020 before anything is started; the report of the preflight says which",
    async () => {
      const rows: readonly (readonly [string, string, string, RegExp])[] = [
        ["strict-container", "mean_reversion", "L3", /a container .*L3/],
        ["strict-thread", "ema_cross", "L0", /thread with a watchdog .*L0/],
        ["strict-jail", "ema_cross", "L1", /rust_wasm strategy runs at L2 or L0/],
        ["strict-wasm", "mean_reversion", "L2", /python strategy runs at L1 or L3/],
      ];
      for (const [bot_id, strategy_id, isolation_level, words] of rows) {
        expect((await create(bot_id, strategy_id, { isolation: "strict", isolation_level })).status).toBe(201);
        const refused = await start(bot_id);
        expect([refused.status, refused.body["error_code"], refused.body["reason_code"]], bot_id).toEqual([
          422,
          "RUMI-BOT-020",
          "M.ISOLATION.UNAVAILABLE",
        ]);
        expect(String(refused.body["error"])).toMatch(words);
        // Wasm is on every machine: what is told must hold for a level that its kind never runs at, too.
        expect(String(refused.body["error"])).not.toMatch(/machine does not have/);
        expect(String(refused.body["suggestion"])).toMatch(/isolation_level that this kind of strategy runs at/);
        expect(JSON.stringify(refused.body)).toContain('"failed_item":"isolation"');
        expect(await bot(program, bot_id)).toMatchObject({ state: "IDLE", instances: [] });
        // Nothing of it ran, not even its admission.
        const kept = await program.call("GET", `/api/admissions?bot_id=${bot_id}`);
        expect((kept.body as { readonly data?: { readonly admissions: unknown } }).data?.admissions).toEqual([]);
      }
    },
    SLOW_MS,
  );

  it(
    "lenient takes what there is, and bot, instance, inspection and metrics say what is in force and what was asked for",
    async () => {
      expect((await create("lenient", "mean_reversion", { isolation: "any", isolation_level: "L3" })).status).toBe(201);
      expect((await start("lenient")).status).toBeLessThan(300);
      const required = { isolation: "any", level: "L3" };
      const isolation = { level: "L1", mechanism: "bubblewrap (instead of L3)" };
      expect(await inForce("lenient")).toMatchObject({ isolation, isolation_required: required });
      const inspected = await program.call("GET", "/api/instances/lenient/inspect");
      expect(inspected.body).toMatchObject({ data: { isolation, isolation_required: required } });
      expect(program.cli("inspect", "lenient", "--json").out).toContain("instead of L3");
      const text = await eventually(async () => {
        const answer = await program.call("GET", "/metrics");
        const found = String(answer.body["text"]);
        return found.includes('strategy_isolation_level{strategy="mean_reversion",instance="lenient/main"}') && found;
      });
      expect(text).toContain('strategy_isolation_level{strategy="mean_reversion",instance="lenient/main"} 1');
      await move(program, "lenient", "STOPPING");
    },
    SLOW_MS,
  );

  it(
    "each level that this machine has can be chosen: L0, L1 and L2",
    async () => {
      const rows = [
        ["zero", "ema_cross", "any", "L0", "wasm-watchdog"],
        ["one", "mean_reversion", "strict", "L1", "bubblewrap"],
        ["two", "ema_cross", "strict", "L2", "wasm-fuel"],
        ["two-script", "ema_cross_typescript", "strict", "L2", "quickjs-wasm-fuel"],
      ] as const;
      for (const [bot_id, strategy_id, isolation, isolation_level, mechanism] of rows) {
        const config = strategy_id === "ema_cross_typescript" ? { config: { order_quantity: "1" } } : {};
        const made = await create(bot_id, strategy_id, { isolation, isolation_level, ...config });
        expect(made.status, JSON.stringify(made.body)).toBe(201);
        const started = await start(bot_id);
        expect(started.status, JSON.stringify(started.body)).toBeLessThan(300);
        expect(await inForce(bot_id)).toMatchObject({ isolation: { level: isolation_level, mechanism } });
        await move(program, bot_id, "STOPPING");
      }
    },
    SLOW_MS,
  );

  it("an unknown level is refused, and so is an unknown field", async () => {
    for (const more of [{ isolation_level: "L4" }, { isolation_level: 2 }, { isolation_levels: "L2" }]) {
      const refused = await create("odd", "ema_cross", more);
      expect([refused.status >= 400, String(refused.body["error_code"]).startsWith("RUMI-VAL-")]).toEqual([true, true]);
    }
  });
});

describe.runIf(requires("python3") && requires("runc"))("[M-5.1.1] a container of its own", () => {
  it(
    "a strict bot that asks for L3 runs in one, and says so; its admission ran in one too",
    async () => {
      const program = await startProgram();
      try {
        const digest = await installPack(program);
        await addVenue(program, { path: writeRecording(program.home, 30_000), factor: 60 });
        const strategy = { pack_id: "default", strategy_id: "mean_reversion", strategy_version: "1.0.0", digest };
        const made = await program.call(
          "POST",
          "/api/bots",
          botRequest("three", strategy, { isolation: "strict", isolation_level: "L3" }),
        );
        expect(made.status, JSON.stringify(made.body)).toBe(201);
        const started = await program.call("POST", "/api/commands", transition("three", "IDLE", "RUNNING_PAPER"));
        expect(started.status, JSON.stringify(started.body)).toBeLessThan(300);
        const isolation = { level: "L3", mechanism: "runc" };
        const seen = await eventually(async () => {
          const [instance] = (await bot(program, "three")).instances;
          return Number(instance?.events_total) > 100 && instance;
        });
        expect(seen).toMatchObject({ isolation, isolation_required: { isolation: "strict", level: "L3" } });
        const kept = await program.call("GET", "/api/admissions?bot_id=three");
        expect(kept.body).toMatchObject({ data: { admissions: [{ admitted: true, isolation }] } });
        await move(program, "three", "STOPPING");
      } finally {
        expect(await program.stop()).toBe(0);
      }
    },
    SLOW_MS,
  );
});
