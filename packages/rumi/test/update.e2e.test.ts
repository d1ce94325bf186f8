/** Another version through the real program: migration with and without its hook, replay on a copy, checkpoints shown. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "@rumi/kernel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, copyLivingHome, eventually, startProgram, type Program } from "./program.ts";
import { addVenue, auditEvents, bot, botRequest, installPack, ok, startBot, stopBot, writeRecording } from "./rig.ts";

const SLOW_MS = 360_000;
const room = temporaryFolder();
const home = temporaryFolder();
let program: Program;

const script = (version: number, hook: string): string => `
from rumi_sdk import *

class Counter(Strategy):
    STATE_VERSION = ${version}

    def on_init(self, ctx, config, restored):
        self.seen = 0 if restored is None else int(restored[1].decode())

    def on_event(self, ctx, event):
        self.seen += 1

    def save_state(self):
        return str(self.seen).encode()
${hook}`;
const HOOK = `
    @classmethod
    def migrate_state(cls, from_version, data):
        return str(int(data.decode()) * 10).encode() if from_version == 1 else None
`;

/** A pack with one Python strategy; the digest under which it is approved. */
async function approve(version: string, state: number, hook: string): Promise<string> {
  const folder = join(room.path, `counter-${version}`);
  mkdirSync(join(folder, "strategies"), { recursive: true });
  const main = readFileSync(join(import.meta.dirname, "../../../packs/default/ecosystem.json"), "utf8");
  const { strategies, ...manifest } = JSON.parse(main) as { strategies: Record<string, unknown>[] };
  const python = strategies.find((one) => one["runtime_kind"] === "python");
  const source = script(state, hook);
  writeFileSync(join(folder, "strategies/counter.py"), source);
  const counter = {
    ...python,
    strategy_id: "counter",
    strategy_version: version,
    entrypoint: "strategies/counter.py",
    state_schema_version: state,
    config_schema: {},
    binary_hash: digestOf(source),
  };
  const pack = { ...manifest, pack_id: "counter", pack_identity: "test:counter", version, strategies: [counter] };
  writeFileSync(join(folder, "ecosystem.json"), JSON.stringify(pack));
  return installPack(program, folder, "counter");
}
beforeAll(async () => {
  program = await startProgram({ home: home.path });
  await addVenue(program, { path: writeRecording(home.path, 3_000), factor: 2_000 });
}, SLOW_MS);
afterAll(async () => {
  await program.stop();
  room.remove();
  home.remove();
});

describe.runIf(requires("bubblewrap"))("another version of a strategy whose state has another schema", () => {
  it(
    "[M-6.2.3] [M-6.1.1] refused at admission without a migration hook, the running one untouched; applied in place with it; both replay on a copy",
    async () => {
      const first = await approve("1.0.0", 1, "");
      const strategy = { pack_id: "counter", strategy_id: "counter", strategy_version: "1.0.0", digest: first };
      await ok(program, "POST", "/api/bots", botRequest("counting", strategy));
      await startBot(program, "counting");
      const run = (await bot(program, "counting")).status.run_id ?? "";
      await eventually(async () => ((await bot(program, "counting")).instances[0]?.cursor ?? 0) > 100);
      const update = async (version: string, digest: string) =>
        program.call("POST", "/api/bots/counting/update", {
          command_id: crypto.randomUUID(),
          strategy_version: version,
          digest,
          reason: "other state",
        });
      const refused = await update("1.1.0", await approve("1.1.0", 2, ""));
      expect(refused.status).toBe(422);
      expect(JSON.stringify(refused.body)).toContain("M.STATE.INCOMPATIBLE");
      expect(await bot(program, "counting")).toMatchObject({
        state: "RUNNING_PAPER",
        status: { run_id: run },
        instances: [{ run_id: run, phase: "running" }],
      });
      const accepted = await update("1.2.0", await approve("1.2.0", 2, HOOK));
      expect(accepted.status, JSON.stringify(accepted.body)).toBe(200);
      const next = await eventually(async () => {
        const now = await bot(program, "counting");
        return now.status.run_id !== run && now.instances[0]?.phase === "running" && now.status.run_id;
      });
      await stopBot(program, "counting");
      const shown = cli(home.path, ["checkpoints", "show", String(next), "--json"]);
      expect(shown.code).toBe(0);
      const { checkpoints } = JSON.parse(shown.out) as { checkpoints: Record<string, unknown>[] };
      expect(checkpoints.at(-1)).toMatchObject({ sound: true, state_schema_version: 2, run_id: next });
      expect(Number(checkpoints.at(-1)?.["last_event_cursor"])).toBeGreaterThan(100);
      expect(checkpoints.at(-1)?.["checksum"]).toMatch(/^sha256:[0-9a-f]{64}$/);
      const updated = (await auditEvents(program, { resource_id: "counting" })).filter(
        ({ action }) => action === "bot.updated",
      );
      expect(updated).toHaveLength(1);
      // A copy of the home, without the program, and with the first version's pack superseded twice.
      const copy = copyLivingHome(home.path);
      for (const id of [run, String(next)]) {
        const replayed = cli(copy.path, ["replay", id, "--json"]);
        expect(replayed.code, replayed.out + replayed.err).toBe(0);
        expect(JSON.parse(replayed.out)).toMatchObject({ outcome: "identical", run_id: id, sealed: { differ: 0 } });
      }
      const journal = join(copy.path, "user_data/runs/counting", run, "journal");
      const [segment = ""] = readdirSync(journal);
      const bytes = readFileSync(join(journal, segment));
      bytes[300] = (bytes[300] ?? 0) ^ 1;
      writeFileSync(join(journal, segment), bytes);
      expect(cli(copy.path, ["replay", run]).code).toBe(1);
      expect(cli(copy.path, ["replay", "01a00000-0000-7000-8000-000000000000"]).code).toBe(1);
      copy.remove();
    },
    SLOW_MS,
  );
});
