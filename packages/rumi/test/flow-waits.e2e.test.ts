/** Runs that wait, over HTTP and the command line against the built program, with kill -9 at each boundary. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { installPack } from "./rig.ts";

const home = temporaryFolder();
let program: Program;
const environment = { RUMI_MAX_CONCURRENT_FLOWS: "1" };
const start = async (): Promise<void> => void (program = await startProgram({ home: home.path, environment }));
const put = (name: string, text: string): void => {
  mkdirSync(join(home.path, "flows"), { recursive: true });
  writeFileSync(join(home.path, "flows", `${name}.flow.yaml`), `flow_id: ${name}\nphases: [main]\n${text}`);
};
const run = (name: string, key?: string) =>
  program.call("POST", `/api/flows/${name}/run`, {}, key === undefined ? {} : { "idempotency-key": key });
type Approval = { readonly approval_id: string; readonly question: string };
const open = async (): Promise<readonly Approval[]> =>
  ((await program.call("GET", "/api/flow-approvals?state=open")).body["data"] as unknown as { approvals: Approval[] })
    .approvals;
type Run = { readonly state: string; readonly blocks: readonly { readonly path: string }[] };
const runs = async (name: string): Promise<readonly Run[]> =>
  ((await program.call("GET", `/api/flows/${name}/runs`)).body["data"] as unknown as { runs: Run[] }).runs;

beforeAll(async () => {
  put("sign", "steps: [{id: ask, phase: main, type: approval, input: {question: 'Go on?'}, output: said}]\n");
  await start();
}, 180_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

it("[R-14.1] 202 with what is asked, over HTTP; approved on the command line; the same key answers with the result", async () => {
  const waiting = await run("sign", "s1");
  expect([waiting.status, waiting.body]).toEqual([
    202,
    expect.objectContaining({
      success: true,
      flow_id: "sign",
      state: "waiting",
      result: {},
      approval: expect.objectContaining({ question: "Go on?", step_id: "ask", state: "open" }) as object,
    }),
  ]);
  expect((await run("sign", "s1")).status).toBe(202);
  const listed = program.cli("flows", "approvals", "--state", "open", "--json");
  expect(listed.out).toContain("Go on?");
  const [approval] = await open();
  const done = program.cli("flows", "approve", approval?.approval_id ?? "", "--reason", "it was looked at");
  expect([done.code, done.err]).toEqual([0, ""]);
  await eventually(async () => (await run("sign", "s1")).status === 200);
  expect((await run("sign", "s1")).body).toMatchObject({
    success: true,
    result: { said: { approved: true, reason: "it was looked at" } },
  });
  const again = program.cli("flows", "approve", approval?.approval_id ?? "");
  expect(again.code).not.toBe(0);
  expect(again.err).toContain("RUMI-FLOW-015");
}, 180_000);

it.runIf(requires("bubblewrap") && requires("python3"))(
  "[R-14.1] kill -9 while it waits, and right behind the decision: no block is called twice, and it goes on",
  async () => {
    const folder = join(home.path, "origin");
    mkdirSync(join(folder, "blocks"), { recursive: true });
    writeFileSync(
      join(folder, "blocks/when.py"),
      "import time\ndef run(input_data, context):\n    time.sleep(0.3)\n    return time.time_ns()\n",
    );
    const manifest = {
      pack_id: "steps",
      pack_identity: "test:steps",
      version: "1.0.0",
      vocabulary: { types: ["block"] },
    };
    writeFileSync(join(folder, "ecosystem.json"), JSON.stringify(manifest));
    await installPack(program, folder, "steps");
    const block = (id: string): string =>
      `  - { id: ${id}, phase: main, type: python_file_call, owner_pack: steps, file: when.py, output: ${id} }\n`;
    put("killed", `steps:\n${block("a")}  - {id: b, phase: main, type: approval, input: {question: q}}\n${block("c")}`);
    expect((await run("killed", "k1")).status).toBe(202);
    const before = (await runs("killed"))[0]?.blocks;
    await program.kill();
    await start();
    expect([(await run("killed", "k1")).status, (await open()).length]).toEqual([202, 1]);
    const [approval] = await open();
    const path = `/api/flow-approvals/${approval?.approval_id}/approve`;
    expect((await program.call("POST", path, {}, { "idempotency-key": "approve-1" })).status).toBe(200);
    await program.kill();
    await start();
    expect((await program.call("POST", path, {}, { "idempotency-key": "approve-1" })).body).toMatchObject({
      success: true,
      duplicate_suppressed: true,
    });
    await eventually(async () => (await run("killed", "k1")).status === 200);
    const [after] = await runs("killed");
    expect([after?.state, after?.blocks.map((one) => one.path)]).toEqual(["done", ["a", "b", "c"]]);
    expect(after?.blocks[0]).toEqual(before?.[0]);
  },
  90_000,
);

it("[R-14.1] a flow that is due runs by itself, also right behind a kill, with its schedule as the reason", async () => {
  put("often", "schedule: {interval: 10}\nsteps: [{id: a, phase: main, type: set, input: {x: 1}}]\n");
  type Schedule = { readonly flow_id: string; readonly next_at: string; readonly last_at: string | null };
  const schedule = async (): Promise<Schedule | undefined> =>
    (
      (await program.call("GET", "/api/flow-schedules")).body["data"] as unknown as { schedules: Schedule[] }
    ).schedules.find(({ flow_id }) => flow_id === "often");
  const due = (await eventually(schedule)).next_at;
  await program.kill();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(due) - Date.now() + 500)));
  await start();
  await eventually(async () => (await schedule())?.last_at === due);
  expect(await runs("often")).toEqual([expect.objectContaining({ state: "done", actor: "system:scheduler" })]);
  expect(program.cli("flows", "schedules", "--json").out).toContain("every 10 s");
  const told = await program.call("GET", "/api/audit/events?action=flow.executed&limit=50");
  expect(JSON.stringify(told.body)).toContain(`schedule every 10 s, due ${due}`);
}, 180_000);
