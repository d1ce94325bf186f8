/** The program as a user starts it: ready, locked, tokened, stopped; and what it refuses before anything happened. */
import { createServer } from "node:net";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, processesNaming, startProgram, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 120_000 });

const running: Program[] = [];
const start = async (options: Parameters<typeof startProgram>[0] = {}): Promise<Program> => {
  const program = await startProgram(options);
  running.push(program);
  return program;
};
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
});

describe("rumi start", () => {
  it("answers /health, prints its token, and leaves no process behind", async () => {
    const program = await start({ args: ["--permissive"] });
    await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
    const health = await fetch(new URL("/health", program.url));
    expect(health.status).toBe(200);
    expect(Object.keys((await health.json()) as object)).toEqual(["status"]);
    expect(program.output()).toContain(program.token);
    expect(await program.stop()).toBe(0);
    expect(processesNaming(program.home)).toEqual([]);
    expect(existsSync(join(program.home, "user_data/settings/running.json"))).toBe(false);
  });

  it("[R-19.1] keeps its token over restarts, and RUMI_HMAC_ROTATE changes it once", async () => {
    const first = await start();
    await first.stop();
    const again = await start({ home: first.home });
    expect(again.token).toBe(first.token);
    await again.stop();
    const rotated = await start({ home: first.home, environment: { RUMI_HMAC_ROTATE: "true" } });
    expect(rotated.token).not.toBe(first.token);
    const old = await fetch(new URL("/api/bots", rotated.url), { headers: { authorization: `Bearer ${first.token}` } });
    expect(old.status).toBe(401);
    expect((await rotated.call("GET", "/api/bots")).status).toBe(200);
    const events = rotated.cli("audit", "events", "--action", "key.rotated", "--json");
    expect(JSON.parse(events.out)).toMatchObject({ data: { count: 1 } });
    await rotated.stop();
    const left = await start({ home: first.home, environment: { RUMI_HMAC_ROTATE: "true" } });
    expect(left.token).toBe(rotated.token);
  });

  it("is ready within two seconds at its second start", async () => {
    const first = await start();
    await first.stop();
    const began = performance.now();
    const second = await start({ home: first.home });
    const ready = /ready after (\d+) ms/.exec(second.output())?.[1];
    expect(Number(ready)).toBeLessThan(2_000);
    expect(performance.now() - began).toBeLessThan(6_000);
  });

  it("refuses a home that is in use and names the process; two homes run side by side", async () => {
    const [one, other] = [await start(), await start()];
    expect(one.url).not.toBe(other.url);
    const refused = cli(one.home, ["start", "--headless"], { RUMI_API_PORT: "0" });
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("RUMI-SYS-005");
    expect(refused.err).toContain(String(one.process.pid));
    expect((await other.call("GET", "/api/safety")).status).toBe(200);
  });

  it("[G-3.1] refuses another environment, a newer layout, a malformed setting, a port in use: each with its code", async () => {
    const folder = temporaryFolder();
    const program = await start({ home: folder.path });
    await program.stop();
    const code = (environment: Record<string, string>): string => {
      const { code: exit, err } = cli(folder.path, ["start", "--headless"], { RUMI_API_PORT: "0", ...environment });
      expect(exit).toBe(1);
      return /RUMI-[A-Z]+-\d{3}/.exec(err)?.[0] ?? err;
    };
    expect(code({ RUMI_ENVIRONMENT: "prod" })).toBe("RUMI-SYS-002");
    expect(code({ RUMI_LOG_LEVEL: "loud" })).toBe("RUMI-SYS-002");
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const address = blocker.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(code({ RUMI_API_PORT: String(port) })).toBe("RUMI-SYS-007");
    expect(processesNaming(folder.path)).toEqual([]);
    blocker.close();
    const file = join(folder.path, "user_data/settings/home.json");
    const home = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...home, layout_version: 99 }));
    expect(code({})).toBe("RUMI-SYS-006");
  });
});

describe("the command line", () => {
  it("says what is missing and how to go on, with documented exit codes", async () => {
    const folder = temporaryFolder();
    expect(cli(folder.path, ["token"]).code).toBe(1);
    expect(cli(folder.path, ["bots", "fly"]).code).toBe(2);
    expect(cli(folder.path, ["--help"]).code).toBe(0);
    const program = await start({ home: folder.path });
    expect(program.cli("bots", "list").code).toBe(0);
    expect(program.cli("bots", "show", "nobody").err).toMatch(/RUMI-BOT-001.*\n.*→/);
    const refused = program.cli("bots", "show", "nobody", "--json");
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({ success: false, error_code: "RUMI-BOT-001" });
    await program.stop();
    const gone = program.cli("bots", "list");
    expect([gone.code, /RUMI-NET-001/.test(gone.err)]).toEqual([3, true]);
  });

  it("doctor checks machine and home", async () => {
    const program = await start();
    const doctor = program.cli("doctor", "--json");
    const { checks } = JSON.parse(doctor.out) as { checks: { name: string; state: string }[] };
    expect(checks.map((check) => check.name)).toEqual(
      expect.arrayContaining(["node", "python", "home", "disk", "program"]),
    );
    expect(doctor.code).toBe(0);
  });
});
