/** What a helper gets to see over HTTP: chains in both directions, findings, support bundles, contracts that hold. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { sha256Hex } from "@rumi/kernel";
import { unzipped } from "../../control/test/unzip.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  fills,
  installPack,
  move,
  ok,
  okConfirmed,
  runnerPids,
  startBot,
  stopBot,
  transition,
  untilState,
  writeRecording,
  type Data,
} from "./rig.ts";

const SLOW_MS = 360_000;
const PLANTED = "sesame-planted-environment";
const home = temporaryFolder();
let program: Program;

beforeAll(async () => {
  program = await startProgram({ home: home.path, environment: { VENUE_SECRET: PLANTED } });
  const digest = await installPack(program);
  await addVenue(program, { path: writeRecording(home.path, 4_000), factor: "max" });
  for (const bot_id of ["ema", "failing"]) await createBot(program, bot_id, "ema_cross", digest);
}, SLOW_MS);
afterAll(async () => {
  await program?.stop();
  home.remove();
});

type Rows = readonly Data[];
type Chain = Readonly<Record<"commands" | "runs" | "events" | "intents" | "orders" | "fills" | "triage", Rows>>;
const trace = async (id: unknown): Promise<Chain> => (await ok(program, "GET", `/api/trace/${String(id)}`)) as Chain;
type Finding = {
  readonly class: string;
  readonly reason_code: string;
  readonly next_step: string;
  readonly runbook: string;
};
const triage = async (bot_id: string) =>
  (await bot(program, bot_id))["triage"] as { readonly state: string; readonly findings: readonly Finding[] };
const answer = async (path: string): Promise<unknown> => ok(program, "GET", path);

async function bundle(over: Data = {}): Promise<Data> {
  const asked = await ok(program, "POST", "/api/support_bundles", { reason: "it hangs", ...over });
  return untilReady(String(asked["bundle_id"]));
}
const untilReady = (bundle_id: string): Promise<Data> =>
  eventually(async () => {
    const now = await ok(program, "GET", `/api/support_bundles/${bundle_id}`);
    return now["state"] !== "REQUESTED" && now;
  });

describe("diagnosis", () => {
  it(
    "[L-09] from an order back to intent, run, command and who sent it; from the command forward to order and fill",
    async () => {
      await startBot(program, "ema");
      const order_id = await eventually(
        async () =>
          (await fills(program, "ema")).find(({ client_order_id }) => client_order_id !== null)?.client_order_id,
      );
      await stopBot(program, "ema");
      const back = await trace(order_id);
      expect(back.intents).toMatchObject([{ client_order_id: order_id, verdict: "forwarded" }]);
      expect(back.orders).toMatchObject([{ client_order_id: order_id }]);
      expect(back.fills[0]).toMatchObject({ client_order_id: order_id });
      const [run] = back.runs;
      const start = back.commands.find((one) => one["command_id"] === run?.["command_id"]);
      expect(start).toMatchObject({ bot_id: "ema", actor: "user:root", reason: "IDLE → RUNNING_PAPER" });
      const requested = back.events.filter((one) => one["action"] === "controlplane.command.requested");
      expect(requested.map((one) => (one["details"] as Data)["request_id"])).toContain(start?.["command_id"]);
      for (const leaf of [back.intents[0]?.["leaf"], back.orders[0]?.["leaf"]])
        expect(leaf, "the closed segment of the journal is in the audit log").toMatchObject({
          segment: expect.any(Number) as number,
        });

      const ids = [start?.["command_id"], start?.["trace_id"], run?.["run_id"], back.intents[0]?.["idempotency_key"]];
      for (const id of ids) {
        const forward = await trace(id);
        expect(forward.runs.map((one) => one["run_id"])).toContain(run?.["run_id"]);
        expect(forward.commands.map((one) => one["command_id"])).toContain(start?.["command_id"]);
        if (id === back.intents[0]?.["idempotency_key"])
          expect(forward.orders.map((one) => one["client_order_id"])).toEqual([order_id]);
        else expect(forward.fills.length).toBeGreaterThan(0);
      }
      const shown = program.cli("trace", String(order_id));
      expect(shown.out).toContain(String(start?.["command_id"]));
      expect(program.cli("trace", String(start?.["command_id"])).out).toMatch(/\bfill\b/);
      expect((await program.call("GET", `/api/trace/${crypto.randomUUID()}`)).body["error_code"]).toBe("RUMI-BOT-026");
    },
    SLOW_MS,
  );

  it(
    "[L-28] [G-10.1] a refused start and a program that died with its runner: class, probable cause, next step and runbook in the bot, the trace and the command line",
    async () => {
      expect(await triage("failing")).toEqual({ state: "ok", findings: [], bot_runbook: "docs/runbooks/bots.md" });
      await ok(program, "POST", "/api/gates/data/require", { reason: "test" });
      const command_id = crypto.randomUUID();
      const refused = await program.call(
        "POST",
        "/api/commands",
        transition("failing", "IDLE", "RUNNING_PAPER", command_id),
      );
      expect(refused.body).toMatchObject({ reason_code: "G.GATE.UNKNOWN" });
      const wanted = { class: "restraint", reason_code: "G.GATE.UNKNOWN", runbook: "docs/runbooks/gates.md" };
      expect((await triage("failing")).findings).toMatchObject([wanted]);
      expect((await trace(command_id)).triage).toMatchObject([wanted]);
      const said = program.cli("triage", "failing");
      expect([said.code, said.out]).toEqual([0, expect.stringMatching(/restraint {2}command .*G\.GATE\.UNKNOWN/)]);
      expect(said.out).toContain("→ Look at GET /api/gates");
      expect(program.cli("trace", command_id).out).toContain("docs/runbooks/gates.md");

      await ok(program, "POST", "/api/gates/data/report", { state: "PASS", rules: [], ttl_seconds: 600 });
      await startBot(program, "failing");
      expect(await triage("failing")).toEqual({ state: "ok", findings: [], bot_runbook: "docs/runbooks/bots.md" });
      const pids = runnerPids(home.path);
      await program.kill();
      for (const pid of pids) process.kill(pid, "SIGKILL");
      program = await startProgram({ home: home.path, environment: { VENUE_SECRET: PLANTED } });
      await untilState(program, "failing", "ERROR");
      const [finding] = (await triage("failing")).findings;
      expect(finding).toMatchObject({ class: "control_plane", reason_code: "PROGRAM_RESTARTED" });
      expect(finding?.next_step).toMatch(/start the bot explicitly/);
      expect(program.cli("triage", "failing").out).toContain("failing is ERROR: failing");
      await move(program, "failing", "STOPPING");
      await untilState(program, "failing", "IDLE");
    },
    SLOW_MS,
  );

  it(
    "[G-8.1] a bundle over HTTP: the manifest's hash is in the log, no planted secret is in it, policies make it dangerous",
    async () => {
      const settings = join(home.path, "user_data/settings");
      const keys = readdirSync(settings)
        // Beside the keys stands the lock, and in it a process's id, which the program's log may name.
        .filter((name) => (name.startsWith(".") && !name.startsWith(".lock")) || name.endsWith(".pem"))
        .map((name) => readFileSync(join(settings, name), "utf8").trim())
        .filter((key) => key !== "");
      expect(keys.length).toBeGreaterThan(2);
      const made = await bundle({ description: `the token is ${program.token}, the word ${PLANTED}` });
      const { archive_base64 } = await ok(program, "GET", `/api/support_bundles/${String(made["bundle_id"])}/archive`);
      const files = unzipped(
        Buffer.from(String(archive_base64), "base64"),
        `rumi-bundle-${String(made["bundle_id"])}/`,
      );
      expect(readFileSync(String(made["path"])).toString("base64")).toBe(archive_base64);
      const text = [...files.values()].map(String).join("\n");
      const lines = keys.flatMap((key) => key.split("\n").filter((line) => !line.startsWith("-----")));
      for (const secret of [program.token, PLANTED, ...keys, ...lines])
        expect(text.includes(secret), `${secret.slice(0, 12)}…`).toBe(false);
      for (const path of ["metrics.txt", "settings.json", "triage.json", "versions.json"])
        expect(files.get(path)?.length, path).toBeGreaterThan(0);
      expect(sha256Hex(files.get("manifest.json") ?? "")).toBe(made["manifest_sha256"]);
      const events = await auditEvents(program, { action: "support_bundle.created" });
      expect(
        events.map(({ resource_id, details }) => [resource_id, (details as Data)["manifest_sha256"]]),
      ).toContainEqual([made["bundle_id"], made["manifest_sha256"]]);

      const body = { reason: "again", command_id: crypto.randomUUID() };
      await okConfirmed(program, "/api/policies/set", {
        command_id: crypto.randomUUID(),
        cedar: "",
        confirmations: [{ operation: "support_bundles.create", requires: ["phrase"] }],
        reason: "homes are private",
      });
      const confirmed = await okConfirmed(program, "/api/support_bundles", body);
      expect(await untilReady(String(confirmed["bundle_id"]))).toMatchObject({ state: "READY" });
    },
    SLOW_MS,
  );

  it(
    "[G-C] the contracts are served as they are published, and what lives is of them: every audit event, safety, gates, a bundle's manifest",
    async () => {
      const folder = new URL("../../../docs/contracts/", import.meta.url);
      const names = readdirSync(folder).map((file) => file.replace(".schema.json", ""));
      expect(await answer("/api/contracts")).toEqual({
        contracts: expect.arrayContaining(names) as string[],
        count: names.length,
      });
      const checks = new Map<string, (value: unknown) => string>();
      for (const name of names) {
        const served = (await answer(`/api/contracts/${name}`)) as object;
        expect(served).toEqual(JSON.parse(readFileSync(new URL(`${name}.schema.json`, folder), "utf8")));
        const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(served);
        checks.set(name, (value) => (validate(value) ? "" : JSON.stringify([validate.errors, value])));
      }
      const problem = (name: string, value: unknown): string => checks.get(name)?.(value) ?? `no contract ${name}`;

      await ok(program, "POST", "/api/gates/late/report", { state: "PASS", rules: [], ttl_seconds: 1 });
      const command_id = crypto.randomUUID();
      await ok(program, "POST", "/api/safety/set", { command_id, mode: "SAFE", reason: "test" });
      const events = await auditEvents(program);
      expect(new Set(events.map(({ action }) => action)).size).toBeGreaterThan(25);
      // Its place in the log stands beside the event.
      for (const { log_index: _, ...event } of events) expect(problem("audit_event", event)).toBe("");

      const { generation: _, ...safety } = (await answer("/api/safety")) as Data;
      expect([problem("safety_state", safety), safety["mode"]]).toEqual(["", "SAFE"]);
      expect(problem("safety_state", { ...safety, mode: "OFF" })).not.toBe("");

      const gates = await eventually(async () => {
        const rows = ((await answer("/api/gates")) as { readonly gates: Rows }).gates;
        return rows.some(({ gate, state }) => gate === "late" && state === "UNKNOWN") && rows;
      });
      expect(gates.length).toBeGreaterThan(1);
      for (const { required: _r, reported_by: _b, ...gate } of gates) {
        expect(problem("gate_results", gate)).toBe("");
        expect(problem("gate_results", { ...gate, passed: gate["passed"] !== true })).not.toBe("");
      }

      const { bundles } = (await answer("/api/support_bundles")) as { readonly bundles: Rows };
      expect(bundles.length).toBeGreaterThan(0);
      for (const { manifest } of bundles) {
        expect(problem("support_bundle_manifest", manifest)).toBe("");
        expect(problem("support_bundle_manifest", { ...(manifest as Data), more: 1 })).not.toBe("");
      }
    },
    SLOW_MS,
  );
});
