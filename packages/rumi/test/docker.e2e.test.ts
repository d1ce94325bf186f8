/**
 * Bots in containers of a Docker Engine, through the whole program: admission, runner and lane find the engine by the setting,
 * the strategies trade behind it, a container that dies is replaced, and nothing is left at the end.
 *
 * The engine is a fake one that speaks the real one's interface and really runs the processes (it isolates nothing).
 */
import { chmodSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { FakeEngine } from "../../sandbox/src/docker/fake-engine.kit.ts";
import { createLate, installLate } from "./late-pack.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { addVenue, bot, createBot, fills, installPack, startBot, stopBot, writeRecording } from "./rig.ts";
import { buildTally, createTally, installTally } from "./tally-pack.ts";

const SLOW_MS = 360_000;
const folder = temporaryFolder();
const engine = new FakeEngine(folder.path);
let program: Program;

describe.runIf(requires("python3") && requires("rust-wasm"))("[M-5.1.1] bots behind the Docker Engine", () => {
  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    await engine.listen();
    // Made before: the engine lives in this process, and a runner that begins waits for its answer only so long.
    const home = temporaryFolder().path;
    const path = writeRecording(home, 30_000);
    program = await startProgram({ home, environment: { RUMI_CONTAINER_ENGINE: `docker:${engine.socket}` } });
    chmodSync(home, 0o755);
    await addVenue(program, { path, factor: 60 });
  }, SLOW_MS);
  afterAll(async () => {
    await program.stop();
    await engine.close();
    folder.remove();
  }, SLOW_MS);

  const trades = async (bot_id: string): Promise<void> => {
    await startBot(program, bot_id);
    await eventually(async () => (await fills(program, bot_id)).length > 1);
    const [instance] = (await bot(program, bot_id)).instances;
    expect(instance?.["isolation"]).toMatchObject({
      level: "L3",
      mechanism: expect.stringMatching(/^docker/) as string,
    });
  };

  it(
    "a Python bot, strict: it trades at L3, goes on in another container when its own is gone, and leaves none behind",
    async () => {
      await createBot(program, "python", "mean_reversion", await installPack(program), { isolation: "strict" });
      await trades("python");
      const run_id = (await bot(program, "python")).status.run_id ?? "";
      const { length } = engine.created;
      engine.endAll();
      await eventually(() => engine.created.length > length);
      const before = (await bot(program, "python")).instances[0]?.cursor ?? 0;
      await eventually(async () => ((await bot(program, "python")).instances[0]?.cursor ?? 0) > before);
      await stopBot(program, "python");
      await eventually(() => engine.count === 0);
      const replayed = program.cli("replay", run_id, "--json");
      expect([replayed.code, replayed.out + replayed.err]).toEqual([0, expect.stringContaining('"identical"')]);
    },
    SLOW_MS,
  );

  it(
    "[M-5.2.1] one that loops for ever is ended at its deadline through the engine, goes on until it is halted, and leaves no container",
    async () => {
      await createLate(program, "late", await installLate(program), "spins");
      await startBot(program, "late");
      const halted = await eventually(async () => {
        const [instance] = (await bot(program, "late")).instances;
        return instance?.["health_state"] === "halted" && instance;
      });
      expect(halted["reason_code"]).toBe("M.SANDBOX.DEADLINE");
      await stopBot(program, "late");
      await eventually(() => engine.count === 0);
    },
    SLOW_MS,
  );

  it(
    "a native bot, strict, through the same engine; all that was asked is in its reference",
    async () => {
      const version = { kind: "rust_native", version: "1.0.0", state: 1, hook: "none" } as const;
      const digest = await installTally(program, "rust_native", await buildTally(folder.path, version));
      await createTally(program, "native", { kind: "rust_native", digest });
      await trades("native");
      await stopBot(program, "native");
      await eventually(() => engine.count === 0);
      expect(engine.problems).toEqual([]);
    },
    SLOW_MS,
  );
});
