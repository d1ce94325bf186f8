/** Modifiers over HTTP and the command line against the built program: applied, audited, and found where they are wrong. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { auditLines, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { installPack } from "./rig.ts";

const home = temporaryFolder();
let program: Program;

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(home.path, path)), { recursive: true });
  writeFileSync(join(home.path, path), text);
};
const run = async (name: string) => {
  const { body } = await program.call("POST", `/api/flows/${name}/run`, {});
  return body["result"] as unknown;
};
type Listed = { readonly modifier_id: string; readonly state: string; readonly skip_reason: string | null };
const listed = async (): Promise<readonly Listed[]> =>
  ((await program.call("GET", "/api/flows/modifiers")).body["data"] as unknown as { modifiers: Listed[] }).modifiers;
const reasonOf = async (modifier_id: string): Promise<unknown> =>
  (await listed()).find((one) => one.modifier_id === modifier_id)?.skip_reason;
type Line = {
  readonly action: string;
  readonly modifier_id: string;
  readonly rejection_reason: string | null;
  readonly success: boolean;
};
/** As `cat user_data/audit/modifier_application_*.jsonl | jq .` shows it. */
const audited = (category: string): readonly Line[] => auditLines(home.path, category);
const until = (category: string, is: (line: Line) => boolean): Promise<unknown> =>
  eventually(() => Promise.resolve(audited(category).some(is)));

const own = (id: string, more: string): void =>
  put(`flows/modifiers/${id}.modifier.yaml`, `modifier_id: ${id}\n${more}`);
const append = (id: string, target: string, phase: string, more = ""): void =>
  own(
    id,
    `target_flow_id: ${target}\nphase: ${phase}\naction: append\nstep: {id: ${id}, type: set, input: {${id}: 1}}\n${more}`,
  );

beforeAll(async () => {
  put(
    "flows/base.flow.yaml",
    "flow_id: base\nphases: [main]\nsteps:\n  - {id: a, phase: main, type: set, input: {a: 1}}\n",
  );
  put(
    "origin/ecosystem.json",
    JSON.stringify({
      pack_id: "mods",
      pack_identity: "test:mods",
      version: "1.0.0",
      vocabulary: { types: ["modifier"] },
    }),
  );
  put("origin/blocks/who.py", "def run(input_data, context):\n    return context['owner_pack']\n");
  put(
    "origin/flows/modifiers/who.modifier.yaml",
    "modifier_id: who\ntarget_flow_id: packed\nphase: main\naction: inject_after\ntarget_step_id: __last__\nstep: {id: who, type: python_file_call, file: who.py, principal_id: base_pack, output: who}\n",
  );
  put(
    "flows/packed.flow.yaml",
    "flow_id: packed\nphases: [main]\nsteps:\n  - {id: a, phase: main, type: set, input: {a: 1}}\n",
  );
  program = await startProgram({ home: home.path });
  await installPack(program, join(home.path, "origin"), "mods");
}, 120_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

describe("a modifier", () => {
  it("[R-14.4] changes its flow while the program runs, is listed, and leaves a line in modifier_application", async () => {
    expect(await run("base")).toEqual({ a: 1 });
    append("more", "base", "main");
    expect(await reasonOf("more")).toBeNull();
    expect(await run("base")).toEqual({ a: 1, more: 1 });
    await until("modifier_application", (line) => line.modifier_id === "more" && line.success);
    const cli = program.cli("flows", "modifiers", "--flow-id", "base", "--json");
    expect([cli.code, cli.out]).toEqual([0, expect.stringContaining('"more"') as string]);
  });

  it("[R-14.4] [R-27.1] the guide's steps find a wrong one: flow, phase, requires, audit log; once mended it is applied", async () => {
    append("wrong", "baze", "main");
    expect(await reasonOf("wrong")).toBe("target_flow_not_found:baze");
    append("wrong", "base", "mane");
    expect(await reasonOf("wrong")).toBe("phase_not_found:mane");
    append("wrong", "base", "main", "requires: {interfaces: [clock], capabilities: [fs.read]}\n");
    const reason = "requires_not_satisfied:interface clock, capability fs.read";
    expect(await reasonOf("wrong")).toBe(reason);
    await until("modifier_application", (line) => line.rejection_reason === reason && !line.success);
    const cli = program.cli("flows", "modifiers", "--json");
    expect(cli.out).toContain(reason);
    expect(await run("base")).not.toHaveProperty("wrong");
    append("wrong", "base", "main", "requires: {capabilities: [store.get]}\n");
    expect(await reasonOf("wrong")).toBeNull();
    expect(await run("base")).toHaveProperty("wrong", 1);
    own("wrong", "target_flow_id: base\n");
    const { problems } = (await program.call("GET", "/api/flows/modifiers")).body["data"] as unknown as {
      problems: object[];
    };
    expect(problems).toContainEqual(expect.objectContaining({ modifier_id: "wrong", error_code: "RUMI-FLOW-007" }));
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("a pack's modifier", () => {
  it("[R-14.4] [R-17.2] [R-5.1] acts as its own pack, and changes nothing once the pack is not as it was approved", async () => {
    await eventually(async () => (await reasonOf("who")) === null);
    expect(await run("packed")).toEqual({ a: 1, who: "mods" });
    await until("security", (line) => line.action === "principal_id_overridden");
    put("ecosystem/mods/README.md", "changed");
    expect(await run("packed")).toEqual({ a: 1 });
    expect((await listed()).some(({ modifier_id }) => modifier_id === "who")).toBe(false);
    const { status } = await program.call("POST", "/api/packs/mods/approve");
    expect(status).toBe(200);
    await eventually(async () => (await reasonOf("who")) === null);
    expect(await run("packed")).toEqual({ a: 1, who: "mods" });
  });
});
