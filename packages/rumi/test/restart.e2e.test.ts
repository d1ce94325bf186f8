/** A pack with the privilege restarts the whole program, and it comes back by itself. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { ok, type Data } from "./rig.ts";

const home = temporaryFolder();
let program: Program;
beforeAll(async () => {
  const pack = join(home.path, "ecosystem/updater_pack");
  mkdirSync(pack, { recursive: true });
  writePack(pack, sampleManifest({ pack_id: "updater_pack", pack_identity: "local:updater_pack", strategies: [] }), {});
  program = await startProgram({ home: home.path });
  await ok(program, "POST", "/api/packs/scan");
  await ok(program, "POST", "/api/packs/updater_pack/approve");
}, 180_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

describe("system.restart", () => {
  it("[R-15.2] ends the program in order and starts it again, once", async () => {
    await ok(program, "POST", "/api/privileges/updater_pack/grant/system.restart");
    await ok(program, "POST", "/api/privileges/updater_pack/grant/system.diagnostics");
    const done = await ok(program, "POST", "/api/privileges/updater_pack/execute/system.restart");
    expect(done["result"]).toEqual({ status: "restarting" });
    const ready = (): number => program.output().split("is ready after").length - 1;
    await eventually(() => ready() === 2);
    // It asked for any free port, so it has another now; the command line finds it through the home's note.
    const tell = program.cli("privileges", "execute", "updater_pack", "system.diagnostics", "--json");
    expect([tell.code, (JSON.parse(tell.out) as { data: Data }).data]).toMatchObject([0, { result: { status: "ok" } }]);
    const events = program.cli("audit", "events", "--action", "program.stopped", "--json");
    const stopped = (JSON.parse(events.out) as { data: { events: Data[] } }).data.events;
    expect(stopped.map(({ details }) => (details as Data)["signal"])).toEqual(["restart"]);
    expect(ready()).toBe(2);
  }, 180_000);
});
