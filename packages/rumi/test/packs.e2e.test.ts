/** Packs as an operator meets them: the guide's own lines, a program killed in the middle of an apply, and the command line. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { cli, eventually, startProgram, type Program } from "./program.ts";
import { auditEvents, installPack, ok, type Data } from "./rig.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

const withJail = requires("python3") && requires("bubblewrap");
const running: Program[] = [];
let room: ReturnType<typeof temporaryFolder>;
const start = async (options: Parameters<typeof startProgram>[0] = {}): Promise<Program> => {
  const program = await startProgram(options);
  running.push(program);
  return program;
};
beforeEach(() => {
  room = temporaryFolder();
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  room.remove();
});

const bare = (changes: Data = {}): Data => sampleManifest({ pack_id: "my_pack", strategies: [], ...changes });
const packIn = (folder: string, changes: Data = {}): string =>
  writePack(join(room.path, folder), bare(changes), { "run.py": "def run(input_data, context):\n    return {}\n" });
const versionOf = (folder: string): unknown =>
  existsSync(join(folder, "ecosystem.json"))
    ? (JSON.parse(readFileSync(join(folder, "ecosystem.json"), "utf8")) as Data)["version"]
    : undefined;

describe("over HTTP", () => {
  it("[R-5.2] the guide's lines do what they say, as they are printed", async () => {
    const program = await start();
    mkdirSync(join(program.home, "ecosystem"), { recursive: true });
    /** A line of the guide, with its address, its token and its pack put in. */
    const guide = (line: string): Data => {
      const asked = line
        .replaceAll("http://localhost:8765", program.url)
        .replaceAll("YOUR_TOKEN", program.token)
        .replaceAll("{pack_id}", "my_pack");
      const done = spawnSync("bash", ["-c", `${asked} -s`], { encoding: "utf8" });
      const body = JSON.parse(done.stdout) as { readonly success: boolean; readonly data?: Data } & Data;
      return body.success ? (body.data ?? {}) : body;
    };
    const zip = join(room.path, "my_pack.zip");
    const text = new TextEncoder().encode(JSON.stringify(bare()));
    writeFileSync(zip, zipSync({ "my_pack/ecosystem.json": text }));

    const staged = guide(`curl -X POST http://localhost:8765/api/packs/import \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"path": "${zip}"}'`);
    expect(staged).toMatchObject({ pack_id: "my_pack", files: 1 });
    const applied = guide(`curl -X POST http://localhost:8765/api/packs/apply \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"staging_id": "${String(staged["staging_id"])}"}'`);
    expect(applied).toMatchObject({ pack_id: "my_pack", status: "pending", backup: null });
    const pending = `curl http://localhost:8765/api/packs/pending \\
  -H "Authorization: Bearer YOUR_TOKEN"`;
    expect(guide(pending)).toMatchObject({ count: 1, packs: [{ pack_id: "my_pack" }] });
    const reject = `curl -X POST http://localhost:8765/api/packs/{pack_id}/reject \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"reason": "セキュリティ上の懸念"}'`;
    expect(guide(reject)).toMatchObject({ status: "rejected", note: "セキュリティ上の懸念" });
    const approve = `curl -X POST http://localhost:8765/api/packs/{pack_id}/approve \\
  -H "Authorization: Bearer YOUR_TOKEN"`;
    expect(guide(approve)).toMatchObject({ status: "approved" });
    expect(guide(pending)).toMatchObject({ count: 0 });

    const source = join(program.home, "ecosystem/my_pack");
    await eventually(() => existsSync(source));
    writeFileSync(join(source, "run.py"), "changed");
    const status = `curl http://localhost:8765/api/packs/{pack_id}/status -H "Authorization: Bearer YOUR_TOKEN"`;
    await eventually(() => guide(status)["status"] === "modified");
    expect(guide(approve)).toMatchObject({ status: "approved" });
    expect(
      guide(`curl -X POST http://localhost:8765/api/packs/scan -H "Authorization: Bearer YOUR_TOKEN"`),
    ).toMatchObject({ scanned: 1, new_packs: 0, modified: [] });
    expect(
      guide(`curl -X DELETE http://localhost:8765/api/packs/{pack_id} -H "Authorization: Bearer YOUR_TOKEN"`),
    ).toMatchObject({ pack_id: "my_pack", uninstalled: true });
    expect(guide(status)).toMatchObject({ success: false, error_code: "RUMI-PACK-005" });
    await eventually(() => !existsSync(source));
    expect(guide(`curl http://localhost:8765/api/packs -H "Authorization: Bearer YOUR_TOKEN"`)).toMatchObject({
      count: 0,
    });
    const actions = (await auditEvents(program)).map(({ action }) => action);
    for (const action of ["pack.imported", "pack.rejected", "pack.approved", "pack.modified", "pack.removed"])
      expect(actions, action).toContain(action);
  });

  it("[R-11.1] bound elsewhere than to loopback, imports come from the import roots only", async () => {
    const program = await start({ environment: { RUMI_API_BIND_ADDRESS: "0.0.0.0" } });
    const asked = async (path: string): Promise<unknown> =>
      (await program.call("POST", "/api/packs/import", { path })).body["error_code"];
    const inbox = join(program.home, "user_data/inbox");
    mkdirSync(inbox, { recursive: true });
    symlinkSync(packIn("outside"), join(inbox, "link"));
    expect(await asked(join(room.path, "outside"))).toBe("RUMI-PACK-016");
    expect(await asked(join(inbox, "link"))).toBe("RUMI-PACK-016");
    writePack(join(inbox, "my_pack"), bare(), {});
    expect(await asked(join(inbox, "my_pack"))).toBe(undefined);
  });
});

/** Ends the process by its own hand, as kill -9 does, before or after its nth rename that touches a folder of packs. */
const KILLER = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const [when, part] = process.env.KILL_AT.split(" ");
const rename = fs.promises.rename;
fs.promises.rename = async (from, to) => {
  const hit = part === "backup" ? String(to).includes("pack_backups") : part === "place" ? String(from).includes("pack_staging") && String(to).includes("ecosystem") : /pack_staging.*\\.new-/.test(String(from));
  if (hit && when === "before") process.kill(process.pid, "SIGKILL");
  await rename(from, to);
  if (hit && when === "after") process.kill(process.pid, "SIGKILL");
};
syncBuiltinESMExports();
`;

describe("a program that is killed", () => {
  for (const point of ["before backup", "after backup", "before place", "after place"])
    it(`[R-11.1] in an apply, ${point}: the next start finishes it, and the tree is never half`, async () => {
      const first = await start();
      const { home } = first;
      const old = await installPack(first, packIn("old"), "my_pack");
      const source = join(home, "ecosystem/my_pack");
      await eventually(() => versionOf(source) === "1.0.0");
      await first.stop();

      const hook = join(room.path, "killer.mjs");
      writeFileSync(hook, KILLER);
      const doomed = await start({ home, environment: { NODE_OPTIONS: `--import=${hook}`, KILL_AT: point } });
      const { staging_id } = await ok(doomed, "POST", "/api/packs/import", {
        path: packIn("new", { version: "2.0.0" }),
      });
      // The answer may be lost with the process: what was committed is not.
      await doomed.call("POST", "/api/packs/apply", { staging_id }).catch(() => undefined);
      await eventually(() => doomed.process.signalCode === "SIGKILL");

      const left = readdirSync(join(home, "user_data/pack_staging"));
      const inPlace = versionOf(source);
      expect([inPlace, left]).toEqual(
        point === "after place" ? ["2.0.0", []] : [point === "before backup" ? "1.0.0" : undefined, [staging_id]],
      );

      const again = await start({ home });
      await eventually(() => versionOf(source) === "2.0.0");
      expect(readdirSync(source).toSorted()).toEqual(["ecosystem.json", "run.py"]);
      const [kept = ""] = readdirSync(join(home, "user_data/pack_backups"));
      expect(versionOf(join(home, "user_data/pack_backups", kept))).toBe("1.0.0");
      const pack = await ok(again, "GET", "/api/packs/my_pack/status");
      expect(pack).toMatchObject({ status: "modified", version: "2.0.0", approved_digest: old });
      expect(await ok(again, "POST", "/api/packs/my_pack/approve")).toMatchObject({ status: "approved" });
    });

  it("[R-11.1] in an import: the next start finishes what was accepted, and leaves nothing half written", async () => {
    const hook = join(room.path, "killer.mjs");
    writeFileSync(hook, KILLER);
    const doomed = await start({ environment: { NODE_OPTIONS: `--import=${hook}`, KILL_AT: "before import" } });
    const { home } = doomed;
    await doomed.call("POST", "/api/packs/import", { path: packIn("new") }).catch(() => undefined);
    await eventually(() => doomed.process.signalCode === "SIGKILL");
    const staging = join(home, "user_data/pack_staging");
    expect(readdirSync(staging)).toEqual([expect.stringContaining(".new-")]);
    const again = await start({ home });
    const [staging_id = "", ...more] = readdirSync(staging);
    expect([staging_id, more]).toEqual([expect.stringMatching(/^stg-[0-9a-f]{24}$/), []]);
    expect(await ok(again, "GET", "/api/packs")).toMatchObject({ count: 0 });
    expect(await ok(again, "POST", "/api/packs/apply", { staging_id })).toMatchObject({ pack_id: "my_pack" });
  });
});

describe("the command line", () => {
  const said = (...args: readonly string[]): { readonly code: number; readonly out: string; readonly err: string } =>
    cli(room.path, args);

  it("[R-2.3] --validate names what is wrong with each bad pack, and its exit code tells whether there is one", () => {
    expect(said("--validate")).toMatchObject({ code: 0, out: "0 looked at, 0 bad\n" });
    packIn("ecosystem/good");
    expect(said("--validate")).toMatchObject({ code: 0, err: "" });
    const bad: Readonly<Record<string, readonly [string, () => void]>> = {
      bad_json: ["RUMI-PACK-002", () => writeFileSync(join(packIn("ecosystem/bad_json"), "ecosystem.json"), "{")],
      bad_field: ["RUMI-PACK-002", () => void packIn("ecosystem/bad_field", { colour: "red" })],
      bad_hash: [
        "RUMI-PACK-002",
        () => void writePack(join(room.path, "ecosystem/bad_hash"), sampleManifest(), { "strategies/ema.wasm": "x" }),
      ],
      bad_link: ["RUMI-PACK-009", () => symlinkSync("/etc/passwd", join(packIn("ecosystem/bad_link"), "link"))],
      empty: ["RUMI-PACK-002", () => mkdirSync(join(room.path, "ecosystem/empty"))],
      bad_flow: [
        "RUMI-FLOW-007",
        () => {
          const folder = packIn("ecosystem/bad_flow", { pack_id: "bad_flow" });
          mkdirSync(join(folder, "flows"));
          writeFileSync(join(folder, "flows/a.flow.yaml"), "flow_id: a\nphases: [p]\nstepz: []\n");
        },
      ],
      twin_flow: [
        "RUMI-FLOW-013",
        () => {
          const folder = packIn("ecosystem/twin_flow", { pack_id: "twin_flow" });
          mkdirSync(join(folder, "flows"));
          for (const name of ["a", "b"])
            writeFileSync(join(folder, `flows/${name}.flow.yaml`), "flow_id: a\nphases: [p]\nsteps: []\n");
        },
      ],
      twin: ["RUMI-PACK-003", () => void packIn("ecosystem/twin")],
      too_many: [
        "RUMI-PACK-008",
        () => {
          const folder = packIn("ecosystem/too_many", { pack_id: "too_many" });
          for (let n = 0; n < 2_000; n += 1) writeFileSync(join(folder, String(n)), "");
        },
      ],
    };
    for (const [, make] of Object.values(bad)) make();
    const { code, out } = said("--validate", "--json");
    const found = JSON.parse(out) as {
      readonly packs: readonly (Data & { readonly folder: string; readonly error_code: string | null })[];
    };
    expect([code, found]).toMatchObject([1, { success: false, valid: 1, invalid: Object.keys(bad).length }]);
    const codes = Object.fromEntries(found.packs.map((one) => [one.folder.split("/").at(-1), one.error_code]));
    expect(codes).toEqual({
      good: null,
      ...Object.fromEntries(Object.entries(bad).map(([name, [error_code]]) => [name, error_code])),
    });
    for (const one of found.packs)
      if (one.error_code !== null) expect([one["error"], one["suggestion"]]).not.toContain("");
    const words = said("--validate");
    expect([words.code, words.err]).toEqual([1, ""]);
    expect(words.out).toContain("bad  bad_field  RUMI-PACK-002: ");
    expect(words.out).toContain(`${found.packs.length} looked at, ${Object.keys(bad).length} bad`);
    expect(said("packs", "validate", join(room.path, "ecosystem/good")).code).toBe(0);
    expect(existsSync(join(room.path, "user_data"))).toBe(false); // it makes no home
    expect(said("--help").out).toContain("rumi --validate");
  });

  it("[R-24.1] packs new makes each template, which validates, is imported and is approved", async () => {
    const program = await start();
    const folders = ["minimal", "capability", "flow", "full"].map((template) => {
      const [pack_id, parent] = [`my-${template}`, join(room.path, "made")];
      const made = said("packs", "new", pack_id, "--template", template, "--output-dir", parent);
      expect(made, made.err).toMatchObject({ code: 0 });
      return [pack_id, join(parent, pack_id)] as const;
    });
    expect(said("packs", "validate", ...folders.map(([, folder]) => folder))).toMatchObject({ code: 0 });
    for (const [pack_id, folder] of folders) expect(await installPack(program, folder, pack_id)).toMatch(/^sha256:/);
    // What has no flow of its own is a block for the home's.
    mkdirSync(join(program.home, "flows"), { recursive: true });
    for (const pack_id of ["my-minimal", "my-capability"])
      writeFileSync(
        join(program.home, "flows", `${pack_id}.flow.yaml`),
        `flow_id: ${pack_id}.hello\nphases: [p]\nsteps: [{id: a, phase: p, type: python_file_call, owner_pack: ${pack_id}, file: run.py, input: {name: "\${ctx.name}"}, output: greeting}]\n`,
      );
    if (withJail)
      for (const [pack_id] of folders) {
        const answer = await program.call("POST", `/api/flows/${pack_id}.hello/run`, { inputs: { name: "World" } });
        expect(answer.body).toMatchObject({
          success: true,
          flow_id: `${pack_id}.hello`,
          result: { greeting: { message: "Hello, World!" } },
        });
      }
    expect(said("packs", "new", "my-full", "--output-dir", join(room.path, "made"))).toMatchObject({
      code: 1,
      err: expect.stringContaining("RUMI-VAL-002") as string,
    });
    expect(said("packs", "new", "Bad Name").err).toContain("RUMI-PACK-001");
    expect(said("packs", "new", "name", "--template", "huge").code).toBe(2);
  });

  it.runIf(requires("python3"))("[R-24.1] minimal is the default, and its block runs", () => {
    const { out } = said("packs", "new", "my_pack", "--output-dir", room.path, "--json");
    expect(JSON.parse(out)).toMatchObject({ template: "minimal", files: ["ecosystem.json", "run.py"] });
    const code = "import json,run; print(json.dumps(run.run({'name': 'Rumi'}, {})))";
    const said_hello = execFileSync("python3", ["-c", code], { cwd: join(room.path, "my_pack"), encoding: "utf8" });
    expect(JSON.parse(said_hello)).toEqual({ message: "Hello, Rumi!" });
  });
});
