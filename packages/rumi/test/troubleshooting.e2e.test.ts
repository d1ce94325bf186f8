/**
 * The guide's troubleshooting list, situation by situation: each is provoked, says what the guide says, and is left by the
 * guide's own lines of curl and jq. What they name is replaced: address, token, pack.
 *
 * Where another file provokes a situation as a whole, it is there: SHA-256 mismatch and missing grants (capabilities.test.ts),
 * pip (pip.e2e.test.ts), sockets (pack-sockets.test.ts), identity (staging.test.ts), modifiers (modifiers.e2e.test.ts).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, startProgram, type Program } from "./program.ts";

const home = temporaryFolder();
let program: Program;
const environment = {
  RUMI_EGRESS_SOCK_DIR: join(home.path, "e"),
  RUMI_CAPABILITY_SOCK_DIR: join(home.path, "c"),
};

const put = (path: string, text: string, folder = home.path): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
type Answer = Readonly<Record<string, unknown>> & { readonly success: boolean };
/** A line of the guide, run by a shell in the home's folder. */
function guide(text: string): string {
  const line = text
    .replaceAll("http://localhost:8765", program.url)
    .replaceAll("YOUR_TOKEN", program.token)
    .replaceAll("{pack_id}", "my_pack");
  const done = spawnSync("bash", ["-c", `set -o pipefail; ${line}`], { cwd: home.path, encoding: "utf8" });
  expect([done.status, done.stderr.replaceAll(/^\s*%.*|^.*--:--.*$/gm, "").includes("error")]).toEqual([0, false]);
  return done.stdout;
}
const curl = (text: string): Answer => JSON.parse(guide(text)) as Answer;
const APPROVE = `curl http://localhost:8765/api/packs/pending \\
  -H "Authorization: Bearer YOUR_TOKEN" > /dev/null
curl -X POST http://localhost:8765/api/packs/{pack_id}/approve \\
  -H "Authorization: Bearer YOUR_TOKEN"`;
const run = async (flow_id: string, of = program): Promise<Readonly<Record<string, unknown>>> =>
  (await of.call("POST", `/api/flows/${flow_id}/run`, {})).body;
const code = async (flow_id: string, of = program): Promise<unknown> => (await run(flow_id, of))["error_code"];
const result = async (flow_id: string): Promise<Readonly<Record<string, unknown>>> =>
  ((await run(flow_id))["result"] ?? {}) as Readonly<Record<string, unknown>>;

const flow = (flow_id: string, file: string): string =>
  `flow_id: ${flow_id}\nphases: [p]\nsteps:\n  - {id: a, phase: p, type: python_file_call, file: ${file}, input: null, output: a}\n`;
const HANDLER = {
  handler_id: "fs_read_handler",
  permission_id: "fs.read",
  entrypoint: "handler.py:execute",
  description: "Reads one file",
  risk: "Reads one file",
};
const PACK: Readonly<Record<string, string>> = {
  "ecosystem.json": JSON.stringify({
    pack_id: "my_pack",
    pack_identity: "local:my_pack",
    version: "1.0.0",
    vocabulary: { types: ["block"] },
  }),
  "blocks/may.py":
    "def run(input_data, context):\n    return context.network_check('api.example.com', 443)['allowed']\n",
  "blocks/reads.py": "def run(input_data, context):\n    return context.capability.call('fs.read', {})\n",
  "flows/may.flow.yaml": flow("may", "may.py"),
  "flows/reads.flow.yaml": flow("reads", "reads.py"),
  "lib/install.py": "def run():\n    return None\n",
  "share/capability_handlers/fs_read_v1/handler.json": JSON.stringify(HANDLER),
  "share/capability_handlers/fs_read_v1/handler.py": "def execute(context, args):\n    return 'read'\n",
};

beforeAll(async () => {
  for (const [path, text] of Object.entries(PACK)) put(`ecosystem/my_pack/${path}`, text);
  put("flow/old.flow.yaml", "flow_id: old\nphases: [p]\nsteps: [{id: a, phase: p, type: set, input: 1, output: a}]\n");
  program = await startProgram({ home: home.path, environment });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  home.remove();
});

describe.runIf(requires("bubblewrap") && requires("python3") && requires("jq") && requires("curl"))(
  "the guide's situation",
  () => {
    it("[R-27.1] [R-5.1] a pack that is not approved runs nothing; pending names it, and approve lets it run", async () => {
      expect((await program.call("POST", "/api/packs/scan", {})).status).toBe(200);
      expect(await code("may")).toBe("RUMI-FLOW-001");
      const pending = curl(`curl http://localhost:8765/api/packs/pending \\
  -H "Authorization: Bearer YOUR_TOKEN"`);
      expect(JSON.stringify(pending)).toContain("my_pack");
      expect(curl(APPROVE).success).toBe(true);
      expect(await result("may")).toEqual({ a: false });
    });

    it("[R-27.1] [R-5.1] a pack that was modified is off at once; approved again it runs", async () => {
      put("ecosystem/my_pack/README.md", "another word\n");
      expect(await code("may")).toBe("RUMI-PACK-007");
      const status = await program.call("GET", "/api/packs/my_pack/status");
      expect(JSON.stringify(status.body)).toContain('"modified"');
      expect(curl(APPROVE).success).toBe(true);
      expect(await result("may")).toEqual({ a: false });
    });

    it("[R-27.1] [R-6.1] network access that is denied is granted by the guide's line", async () => {
      expect(await result("may")).toEqual({ a: false });
      const listed = curl(`curl http://localhost:8765/api/network/list \\
  -H "Authorization: Bearer YOUR_TOKEN"`);
      expect(JSON.stringify(listed)).not.toContain("api.example.com");
      const granted = curl(`curl -X POST http://localhost:8765/api/network/grant \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"pack_id": "my_pack", "allowed_domains": ["api.example.com"], "allowed_ports": [443]}'`);
      expect(granted.success).toBe(true);
      expect(await result("may")).toEqual({ a: true });
    });

    it("[R-27.1] [R-8.1] a capability that is trusted and not granted is denied; the guide's grant lets it be used", async () => {
      const scanned = (await program.call("POST", "/api/capability/candidates/scan", {})).body["data"] as unknown as {
        readonly candidates: readonly { readonly candidate_key: string }[];
      };
      const key = encodeURIComponent(scanned.candidates[0]?.candidate_key ?? "");
      expect(
        (await program.call("POST", `/api/capability/requests/${key}/approve`, { notes: "Reviewed" })).status,
      ).toBe(200);
      expect(await result("reads")).toMatchObject({ a: { success: false, error_type: "grant_denied" } });
      const granted = curl(`curl -X POST http://localhost:8765/api/capability/grants/grant \\
  -H "Authorization: Bearer YOUR_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"principal_id": "my_pack", "permission_id": "fs.read"}'`);
      expect(granted.success).toBe(true);
      expect(await result("reads")).toMatchObject({ a: { success: true, output: "read" } });
    });

    it("[R-27.1] [R-16.1] sockets: ls -la shows one for the pack, for its owner and group only", () => {
      const listed = guide(`ls -la ${environment.RUMI_EGRESS_SOCK_DIR}/`);
      expect(listed).toMatch(/^srw-rw----.* my_pack\.sock$/m);
    });

    it("[R-27.1] [R-27.2] a lib that does not run again is found by the guide's jq line, its record, and runs once cleared", async () => {
      const line = `cat user_data/audit/system_$(date +%Y-%m-%d).jsonl | jq 'select(.action | contains("lib"))'`;
      await eventually(() => guide(line).includes("lib.executed"));
      const records = async (): Promise<string> =>
        JSON.stringify((await program.call("GET", "/api/lib/records?pack_id=my_pack")).body);
      expect(await records()).toContain("install");
      put(
        "flows/clear.flow.yaml",
        "flow_id: clear\nphases: [p]\nsteps:\n  - {id: a, phase: p, type: handler, input: {handler: 'kernel:lib.clear_record', args: {pack_id: my_pack, lib: install}}, output: a}\n",
      );
      const runs = (): number => guide(line).split('"lib.executed"').length - 1;
      const before = runs();
      expect(await eventually(async () => ((await code("clear")) === undefined ? "cleared" : undefined))).toBe(
        "cleared",
      );
      await eventually(() => runs() > before);
    });

    it("[R-27.1] [R-14.4] a modifier that is not applied is found by the guide's jq line, with its reason", async () => {
      put(
        "flows/wrong.modifier.yaml",
        "modifier_id: wrong\ntarget_flow_id: no-such-flow\nphase: p\naction: append\nstep: {id: b, type: set, input: 1, output: b}\n",
      );
      await program.call("GET", "/api/flows/modifiers");
      await program.call("POST", "/api/flows/may/run", {});
      await eventually(() =>
        guide("cat user_data/audit/modifier_application_$(date +%Y-%m-%d).jsonl | jq . || true").includes(
          "target_flow_not_found:no-such-flow",
        ),
      );
    });

    it(
      "[R-27.1] [R-27.3] an old directory warns with the guide's line until its flow has moved",
      { timeout: 120_000 },
      async () => {
        const LINE = "Using legacy flow path. This is DEPRECATED and will be removed.";
        expect(await code("old")).toBeUndefined();
        expect(program.output()).toContain(LINE);
        renameSync(join(home.path, "flow/old.flow.yaml"), join(home.path, "flows/old.flow.yaml"));
        await program.stop();
        program = await startProgram({ home: home.path, environment });
        expect(await code("old")).toBeUndefined();
        expect(program.output()).not.toContain(LINE);
      },
    );

    it(
      "[R-27.1] [R-3.1] without anything to hold a pack's code strict refuses it in the guide's words; the guide's way out is permissive",
      { timeout: 120_000 },
      async () => {
        await program.stop();
        const without = { ...environment, RUMI_CONTAINER_ENGINE: `docker:${join(home.path, "no-such.sock")}` };
        program = await startProgram({ home: home.path, environment: without });
        const refused = await program.call("POST", "/api/flows/may/run", {});
        expect([refused.status, refused.body["error"]]).toEqual([
          500,
          expect.stringMatching(/Docker is required but not available.*--permissive or RUMI_SECURITY_MODE=permissive/),
        ]);
        const status = program.cli("docker", "status");
        expect(status.out).toContain("Docker is required but not available");
        expect(await code("old")).toBeUndefined(); // what runs nobody's code needs no box
        await program.stop();
        program = await startProgram({ home: home.path, environment, args: ["--permissive"] });
        expect(await result("may")).toEqual({ a: true });
        expect(cli(home.path, ["docker", "status"], environment).out).toMatch(/permissive/);
      },
    );
  },
);
