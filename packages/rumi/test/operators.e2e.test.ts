/**
 * Who may do what, over HTTP and by the command line, with a token for each role: the matrix is made from the
 * declarations, so an operation that is added is in it.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { permissionMatrix, ROLES, type Role } from "@rumi/operations";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { describedOperations } from "../src/program/describe.ts";
import { cli, processesNaming, startProgram, type Program } from "./program.ts";
import { ok, type Data } from "./rig.ts";
import { sampleOf } from "./samples.ts";

const home = temporaryFolder();
let program: Program;
const tokens = new Map<Role, { readonly token: string; readonly user_id: string }>();

beforeAll(async () => {
  program = await startProgram({ home: home.path });
  for (const role of ROLES) {
    const made = program.cli("users", "create", "--display-name", role, "--roles", role, "--reason", "test", "--json");
    const user_id = String((JSON.parse(made.out) as { data: Data }).data["user_id"]);
    const issued = program.cli("tokens", "issue", user_id, "--reason", "test", "--json");
    tokens.set(role, { token: String((JSON.parse(issued.out) as { data: Data }).data["token"]), user_id });
  }
}, 120_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

const as = (role: Role, method: string, path: string, body?: unknown) =>
  program.call(method, path, body, { authorization: `Bearer ${tokens.get(role)?.token ?? ""}` });

describe("roles", () => {
  it("[L-04] [G-0.5] [G-11] every role × every operation and query: what is not granted is refused and audited, nothing else is", async () => {
    const registry = describedOperations();
    const rows = permissionMatrix(registry);
    expect(rows.length).toBe(registry.operations.size + registry.queries.size);
    const wrong: string[] = [];
    for (const row of rows) {
      const declared = registry.operations.get(row.action) ?? registry.queries.get(row.action);
      if (declared === undefined) throw new Error(row.action);
      const { http, permission } = declared.definition;
      const input = sampleOf(declared.schema) as Record<string, unknown>;
      const path = http.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
      const body = Object.fromEntries(Object.entries(input).filter(([name]) => !http.path.includes(`{${name}}`)));
      for (const role of ROLES) {
        if ("command_id" in body) body["command_id"] = crypto.randomUUID();
        const query = http.method === "GET" ? `?${new URLSearchParams(body as Record<string, string>).toString()}` : "";
        const answer = await as(role, http.method, `${path}${query}`, http.method === "GET" ? undefined : body);
        const refused = answer.status === 403 && (answer.body as Data)["error_code"] === "RUMI-AUTH-003";
        const told = `${row.action} as ${role}: ${answer.status} ${String((answer.body as Data)["error_code"])}`;
        if (answer.status === 401 || refused === permission.includes(role)) wrong.push(told);
      }
    }
    expect(wrong).toEqual([]);
    const denied = await ok(
      program,
      "GET",
      `/api/audit/events?action=controlplane.command.denied&actor=${tokens.get("view_only")?.user_id}&limit=200`,
    );
    expect((denied["events"] as unknown[]).length).toBeGreaterThan(5);
  }, 120_000);

  it("[G-11] a user without the role cannot do what is dangerous, however it is asked for", async () => {
    for (const role of ["view_only", "operator"] as const) {
      await ok(program, "POST", "/api/safety/set", { command_id: crypto.randomUUID(), mode: "SAFE", reason: "x" });
      const answer = await as(role, "POST", "/api/safety/set", {
        command_id: crypto.randomUUID(),
        mode: "NORMAL",
        reason: "x",
      });
      expect([role, answer.status, (answer.body as Data)["error_code"]]).toEqual([role, 403, "RUMI-AUTH-003"]);
    }
    expect((await ok(program, "GET", "/api/safety"))["mode"]).toBe("SAFE");
    const asked = program.cli(
      "safety",
      "set",
      "--mode",
      "NORMAL",
      "--reason",
      "over",
      "--confirm",
      "I UNDERSTAND LIVE RISK",
    );
    expect([asked.code, asked.err]).toEqual([0, expect.stringContaining("dangerous")]);
    expect((await ok(program, "GET", "/api/safety"))["mode"]).toBe("NORMAL");
  });

  it("[L-04] [L-27] a policy forbids what the role allows, is confirmed with what it flips, and is taken back", async () => {
    const cedar =
      '@id("all") permit(principal, action, resource); @id("hands-off") forbid(principal, action == Action::"bots.list", resource) unless { principal in Role::"admin" };';
    const set = (text: string) =>
      program.cli("policies", "set", "--cedar", text, "--reason", "rules", "--confirm", "I UNDERSTAND LIVE RISK");
    const done = set(cedar);
    expect([done.code, done.err]).toEqual([0, expect.stringContaining("What it would do")]);
    const denied = await as("operator", "GET", "/api/bots");
    expect([denied.status, denied.body]).toEqual([403, expect.objectContaining({ reason_code: "POLICY_DENIED" })]);
    expect((await as("admin", "GET", "/api/bots")).status).toBe(200);
    expect(set("").code).toBe(0);
    expect((await as("operator", "GET", "/api/bots")).status).toBe(200);
  });

  it("[G-3.1] a token of one home and environment is refused by another", async () => {
    const other = temporaryFolder();
    const stage = await startProgram({ home: other.path, environment: { RUMI_ENVIRONMENT: "stage" } });
    try {
      for (const token of [program.token, tokens.get("admin")?.token ?? ""]) {
        const answer = await stage.call("GET", "/api/me", undefined, { authorization: `Bearer ${token}` });
        expect([answer.status, (answer.body as Data)["error_code"]]).toEqual([401, "RUMI-AUTH-001"]);
      }
      expect(await ok(stage, "GET", "/api/me")).toMatchObject({ environment: "stage", user_id: "user:root" });
    } finally {
      await stage.stop();
      for (const pid of processesNaming(other.path)) process.kill(pid, "SIGKILL");
      other.remove();
    }
  }, 180_000);

  it("[L-04] a revoked token is refused with the next request, by the command line too", async () => {
    const { token, user_id } = tokens.get("operator") ?? { token: "", user_id: "" };
    expect((await as("operator", "GET", "/api/me")).status).toBe(200);
    const listed = (await ok(program, "GET", `/api/users/${user_id}/tokens`))["tokens"] as { token_id: string }[];
    const revoked = program.cli("tokens", "revoke", String(listed[0]?.token_id), "--reason", "lost");
    expect(revoked.code).toBe(0);
    const answer = await as("operator", "GET", "/api/me");
    expect([answer.status, (answer.body as Data)["error_code"]]).toEqual([401, "RUMI-AUTH-005"]);
    const tried = cli(program.home, ["bots", "list"], { RUMI_TOKEN: token, RUMI_API_URL: program.url });
    expect([tried.code, tried.err]).toEqual([1, expect.stringContaining("TOKEN_REVOKED")]);
  });
});
