/** Install and update scripts of packs in real jails: run twice, change, run; the guide's line of jq; the kernel's handlers. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { auditLines, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { installPack } from "./rig.ts";

const home = temporaryFolder();
let program: Program;
type Row = {
  readonly lib: string;
  readonly state: string;
  readonly error: string | null;
  readonly executed_at: string;
};

const put = (path: string, text: string): void => {
  mkdirSync(dirname(join(home.path, path)), { recursive: true });
  writeFileSync(join(home.path, path), text);
};
const records = async (): Promise<readonly Row[]> =>
  ((await program.call("GET", "/api/lib/records?pack_id=withlib")).body["data"] as unknown as { records: Row[] })
    .records;
const until = (is: (rows: readonly Row[]) => boolean): Promise<unknown> => eventually(async () => is(await records()));
const stateOf = (rows: readonly Row[], lib: string): string | undefined => rows.find((one) => one.lib === lib)?.state;
const approve = async (): Promise<void> => {
  expect((await program.call("POST", "/api/packs/withlib/approve")).status).toBe(200);
};
const libLines = (): readonly string[] =>
  auditLines<{ readonly action: string }>(home.path, "system")
    .map(({ action }) => action)
    .filter((action) => action.includes("lib"));

beforeAll(async () => {
  const manifest = { pack_id: "withlib", pack_identity: "test:lib", version: "1.0.0", vocabulary: { types: ["lib"] } };
  put("origin/ecosystem.json", JSON.stringify(manifest));
  put(
    "origin/lib/install.py",
    "def run(input_data, context):\n    assert input_data['lib'] == 'install'\n    return context['owner_pack']\n",
  );
  put("origin/lib/update.py", "def run(input_data, context):\n    raise ValueError('as it was told')\n");
  const step = (id: string, handler: string, args: string): string =>
    `flow_id: ${id}\nphases: [p]\nsteps:\n  - {id: a, phase: p, type: handler, input: {handler: 'kernel:${handler}', args: ${args}}, output: a}\n`;
  put("flows/list.flow.yaml", step("list", "lib.list_records", "{pack_id: withlib}"));
  put("flows/clear.flow.yaml", step("clear", "lib.clear_record", "{pack_id: withlib, lib: install}"));
  put("flows/clear-wrong.flow.yaml", step("clear-wrong", "lib.clear_record", "{pack_id: withlib, lib: other}"));
  program = await startProgram({ home: home.path });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

describe.runIf(requires("bubblewrap") && requires("python3"))("scripts in lib/", () => {
  it("[R-27.2] run once at their content, over approvals and restarts; a changed one runs; the guide's jq line finds them", async () => {
    await installPack(program, join(home.path, "origin"), "withlib");
    await until((rows) => stateOf(rows, "install") === "success" && stateOf(rows, "update") === "covered");
    const first = await records();
    put("ecosystem/withlib/README.md", "another");
    await approve();
    await program.stop();
    program = await startProgram({ home: home.path });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await records()).toEqual(first);
    put("ecosystem/withlib/lib/update.py", "def run():\n    raise ValueError('another')\n");
    await approve();
    await until((rows) => stateOf(rows, "update") === "failed");
    expect((await records()).find(({ lib }) => lib === "update")?.error).toContain("ValueError: another");
    await eventually(() => Promise.resolve(libLines().filter((action) => action === "lib.executed").length === 2));
    const file = JSON.parse(readFileSync(join(home.path, "user_data/settings/lib_execution_records.json"), "utf8")) as {
      records: Record<string, Row>;
    };
    expect(Object.keys(file.records)).toEqual(["withlib:install", "withlib:update"]);
  });

  it("[R-27.2] kernel:lib.list_records tells and kernel:lib.clear_record forgets, as the command line does", async () => {
    const before = await records();
    const listed = await program.call("POST", "/api/flows/list/run", {});
    expect(listed.body["result"]).toMatchObject({ a: { count: 2, records: before } });
    const cleared = await program.call("POST", "/api/flows/clear/run", {});
    expect([cleared.status, cleared.body["result"]]).toMatchObject([200, { a: { count: 1 } }]);
    const isAgain = (rows: readonly Row[]): boolean =>
      rows.some((one) => one.lib === "install" && one.executed_at > (before[0]?.executed_at ?? ""));
    await until(isAgain);
    await eventually(() => Promise.resolve(libLines().includes("lib.record_cleared")));
    const wrong = await program.call("POST", "/api/flows/clear-wrong/run", {});
    expect([wrong.status, wrong.body["error_code"]]).toEqual([500, "RUMI-FLOW-003"]);
    const shown = program.cli("lib", "records", "--json");
    expect([shown.code, shown.out]).toEqual([0, expect.stringContaining("withlib") as string]);
    const again = await records();
    expect(program.cli("lib", "clear", "--pack-id", "withlib", "--lib", "install").code).toBe(0);
    await until((rows) => rows.some((one) => one.lib === "install" && one.executed_at > (again[0]?.executed_at ?? "")));
  });
});
