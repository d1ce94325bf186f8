/** The program itself watches: with a threshold that this machine's disk is under, it stops everything by itself. */
import { afterEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, startProgram, type Program } from "./program.ts";
import { auditEvents, ok } from "./rig.ts";

const home = temporaryFolder();
let program: Program | undefined;
afterEach(async () => {
  await program?.stop();
  home.remove();
});

it(
  "[L-N4] [G-12] a disk with less room than this home asks for stops everything, over restarts; a looser threshold is refused at the start",
  { timeout: 120_000 },
  async () => {
    const looser = cli(home.path, ["start", "--headless"], { RUMI_INTERLOCKS: "disk_free=4", RUMI_API_PORT: "0" });
    expect([looser.code === 0, looser.out + looser.err]).toEqual([false, expect.stringContaining("RUMI-SYS-002")]);
    program = await startProgram({ home: home.path, environment: { RUMI_INTERLOCKS: "disk_free=100" } });
    const stopped = async (): Promise<boolean> =>
      (await ok(program as Program, "GET", "/api/safety"))["mode"] === "EMERGENCY_STOP";
    await eventually(stopped);
    expect(await auditEvents(program, { action: "interlock.tripped" })).toMatchObject([
      { actor: "system:interlocks", resource_id: "disk_free" },
    ]);
    const command_id = crypto.randomUUID();
    const milder = { command_id, mode: "NORMAL", reason: "it is in the way" };
    const refused = await program.call("POST", "/api/safety/set", milder);
    expect([refused.status, refused.body["reason_code"]]).toEqual([403, "L.BREAK_GLASS.REQUIRED"]);
    await program.stop();
    program = await startProgram({ home: home.path });
    expect(await stopped()).toBe(true);
    expect((await program.call("POST", "/api/safety/set", { ...milder, command_id: crypto.randomUUID() })).status).toBe(
      403,
    );
  },
);
