/**
 * What people may see of living instances, through the program's own doors: metrics, inspection, trace, support bundle.
 *
 * One of the bots keeps secrets, in its configuration, its state, its log lines and its last words, and the program's own
 * environment holds another. Whatever a person can ask for, none of them may be in it.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { unzipped } from "../../control/test/unzip.ts";
import { cli, eventually, ROOT, startProgram, type Program } from "./program.ts";
import { buildTally, createTally, installTally, tallyId } from "./tally-pack.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  DEFAULT_PACK,
  fills,
  installPack,
  ok,
  startBot,
  stopBot,
  writeRecording,
  type Data,
} from "./rig.ts";

const SLOW_MS = 360_000;
const PLANTED = {
  config: "hunter2-planted-config",
  state: "swordfish-planted-state",
  log: "rosebud-planted-log",
  environment: "sesame-planted-environment",
} as const;

const SECRETIVE = `"""Knows secrets, keeps them in its state, says them in its log and in its last words."""
import json
import sys
import rumi_sdk as rumi


class Secretive(rumi.Strategy):
    STATE_VERSION = 1

    def on_init(self, ctx, config, restored):
        self.key = config["venue_word"]
        self.seen = 0 if restored is None else json.loads(restored[1])["seen"]

    def on_event(self, ctx, event):
        self.seen += 1
        ctx.log("${PLANTED.log}")
        if self.seen % 40 == 0:
            print("${PLANTED.log}", file=sys.stderr)
            raise ValueError("the venue refused " + self.key)

    def save_state(self):
        return json.dumps({"seen": self.seen, "venue_word": "${PLANTED.state}", "${PLANTED.state}": 1}).encode()
`;

const folder = temporaryFolder();
let program: Program;

/** Every file of a bundle, one after the other. */
const textOf = (bundle: string): string =>
  [...unzipped(readFileSync(bundle), "rumi-bundle-")].map(([path, bytes]) => `${path}\n${bytes.toString()}`).join("\n");

/** Everything that a person can get out of the program about its bots. */
async function everythingShown(): Promise<Readonly<Record<string, string>>> {
  const get = async (path: string): Promise<string> => JSON.stringify((await program.call("GET", path)).body);
  const inspected = program.cli("inspect", "secretive");
  const bundle = join(folder.path, `bundle-${crypto.randomUUID()}.zip`);
  const bundled = cli(program.home, ["bundle", "--out", bundle], { VENUE_SECRET: PLANTED.environment });
  expect([bundled.code, bundled.err]).toEqual([0, ""]);
  const runners = join(program.home, "user_data/runners");
  return {
    inspect: await get("/api/instances/secretive/inspect"),
    "rumi inspect": inspected.out + inspected.err,
    instances: await get("/api/instances"),
    metrics: await get("/metrics"),
    intents: await get("/api/intents"),
    audit: JSON.stringify((await auditEvents(program)).filter(({ action }) => !action.startsWith("bot.create"))),
    trace: await get(`/api/trace/${(await bot(program, "secretive")).status.run_id ?? ""}`),
    "error answer": await get("/api/instances/secretive/inspect?instance_id=nobody"),
    bundle: textOf(bundle),
    stream: await streamed(),
    output: program.output(),
    logs: readdirSync(runners)
      .filter((name) => name.endsWith(".log"))
      .map((name) => readFileSync(join(runners, name), "utf8"))
      .join(""),
  };
}

/** What /api/events tells from its oldest event on, within a second. */
async function streamed(): Promise<string> {
  const stop = AbortSignal.timeout(1_000);
  let text = "";
  try {
    const response = await fetch(new URL("/api/events", program.url), {
      headers: { authorization: `Bearer ${program.token}`, "last-event-id": "0" },
      signal: stop,
    });
    for await (const chunk of response.body ?? []) text += Buffer.from(chunk as Uint8Array).toString();
  } catch (problem) {
    if (!stop.aborted) throw problem;
  }
  return text;
}

function writeSecretive(): string {
  const path = join(folder.path, "secretive");
  mkdirSync(path);
  const manifest = JSON.parse(readFileSync(join(DEFAULT_PACK, "ecosystem.json"), "utf8")) as {
    readonly strategies: readonly (Data & { readonly runtime_kind: string })[];
  };
  const python = manifest.strategies.find(({ runtime_kind }) => runtime_kind === "python");
  writeFileSync(
    join(path, "ecosystem.json"),
    JSON.stringify({
      ...manifest,
      pack_id: "secretive",
      pack_identity: "tests:secretive",
      strategies: [
        {
          ...python,
          strategy_id: "secretive",
          entrypoint: "secretive.py",
          config_schema: { venue_word: { type: "string", required: true } },
        },
      ],
    }),
  );
  writeFileSync(join(path, "secretive.py"), SECRETIVE);
  const checked = cli(folder.path, ["packs", "check", path, "--write-hashes"]);
  expect([checked.code, checked.err]).toEqual([0, ""]);
  return path;
}

describe.runIf(requires("python3") && requires("bubblewrap"))("what people see", () => {
  beforeAll(async () => {
    program = await startProgram({
      home: join(folder.path, "home"),
      environment: { VENUE_SECRET: PLANTED.environment },
    });
    await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
    const digest = await installPack(program);
    const secretive = await installPack(program, writeSecretive(), "secretive");
    await addVenue(program, { path: writeRecording(program.home, 16_000), factor: 60 });
    await createBot(program, "ema", "ema_cross", digest);
    await createBot(program, "script", "ema_cross_typescript", digest);
    await createBot(program, "reversion", "mean_reversion", digest);
    await createBot(program, "secretive", "secretive", secretive, {
      strategy: { pack_id: "secretive", strategy_id: "secretive", strategy_version: "1.0.0", digest: secretive },
      config: { venue_word: PLANTED.config },
    });
    if (requires("rust-wasm")) {
      const version = { kind: "rust_native", version: "1.0.0", state: 1, hook: "none" } as const;
      const native = await installTally(program, "rust_native", await buildTally(folder.path, version));
      await createTally(program, "native", { kind: "rust_native", digest: native });
      await startBot(program, "native");
    }
    for (const bot_id of ["ema", "script", "reversion", "secretive"]) await startBot(program, bot_id);
    for (const bot_id of ["ema", "reversion"]) await eventually(async () => (await fills(program, bot_id)).length > 1);
  }, SLOW_MS);
  afterAll(async () => {
    await program?.stop();
    folder.remove();
  }, SLOW_MS);

  it(
    "[M-14.1] /metrics names every metric with its labels for a bot of each kind, and only while it runs",
    async () => {
      const scrape = async (): Promise<string> => String((await program.call("GET", "/metrics")).body["text"]);
      const of = {
        ema: ["ema_cross", "ll"],
        script: ["ema_cross_typescript", "ll"],
        reversion: ["mean_reversion", "compute"],
        ...(requires("rust-wasm") ? { native: [tallyId("rust_native"), "compute"] } : {}),
      } as const;
      for (const [bot_id, [strategy, _lane]] of Object.entries(of)) {
        const own = `strategy="${strategy}",instance="${bot_id}/main"`;
        const text = await eventually(async () => {
          const now = await scrape();
          return now.includes(`intent_emitted_total{${own}`) && now;
        });
        for (const [name, type, rest] of [
          ["strategy_event_latency_ms", "histogram", '_bucket{OWN,lane="(ll|compute)",le="0\\.001"} \\d+'],
          ["strategy_event_latency_ms", "histogram", '_count{OWN,lane="(ll|compute)"} [1-9]'],
          ["strategy_queue_depth", "gauge", '{OWN,lane="(ll|compute)"} \\d+'],
          ["strategy_timeout_total", "counter", "{OWN} \\d+"],
          ["intent_emitted_total", "counter", '{OWN,type="(order|position)"} [1-9]'],
          ["intent_verdict_total", "counter", '{OWN,verdict="forwarded"} [1-9]'],
          ["state_checkpoint_bytes", "gauge", "{OWN} [1-9]"],
          ["state_restore_time_ms", "gauge", "{OWN} 0"],
          ["health_state", "gauge", "{OWN} [0-2]"],
        ] as const) {
          expect(text, name).toContain(`# TYPE ${name} ${type}\n`);
          expect(text, name).toMatch(new RegExp(`^${name}${rest.replace("OWN", own)}`, "m"));
        }
      }
      const faulty = await eventually(async () => {
        const now = await scrape();
        return now.includes('strategy_fault_total{strategy="secretive"') && now;
      });
      expect(faulty).toMatch(
        /^strategy_fault_total\{strategy="secretive",instance="secretive\/main",kind="\w+"\} [1-9]/m,
      );
      if (requires("rust-wasm")) {
        await ok(program, "POST", "/api/bots/native/config/apply", {
          command_id: crypto.randomUUID(),
          config: { note: "break" },
          at: "next_tick",
          reason: "to see it break",
        });
        const native = `strategy="${tallyId("rust_native")}",instance="native/main"`;
        const broken = await eventually(async () => {
          const now = await scrape();
          return now.includes(`strategy_fault_total{${native}`) && now;
        });
        expect(broken).toMatch(new RegExp(`^strategy_fault_total\\{${native},kind="exit"\\} 1$`, "m"));
        expect(broken).toMatch(new RegExp(`^strategy_isolation_level\\{[^}]*instance="native/main"[^}]*\\} 1$`, "m"));
      }
      await stopBot(program, "reversion");
      await eventually(async () => !(await scrape()).includes('instance="reversion/main"'));
      expect(await scrape()).toContain('instance="ema/main"');
    },
    SLOW_MS,
  );

  it(
    "[M-14.2] [M-2.2.2] rumi inspect samples events, intents, verdicts, state and health of a living instance",
    async () => {
      const looked = JSON.parse(
        await eventually(() => {
          const { out } = program.cli("inspect", "ema/main", "--json");
          return out.includes('"sampled_events": [\n') && out;
        }),
      ) as Data & { readonly live: Data; readonly recent_intents: readonly Data[] };
      expect(looked).toMatchObject({ bot_id: "ema", phase: "running", health_state: "healthy", slo: {}, breaker: {} });
      expect(looked.live).toMatchObject({
        latency: { p95_ms: expect.any(Number) as number },
        queue: { inputs: expect.any(Number) as number },
        state: { bytes: expect.any(Number) as number, digest: expect.stringMatching(/^sha256:/) as string },
        verdicts: { forwarded: expect.any(Number) as number },
      });
      const samples = looked.live["sampled_events"] as readonly Data[];
      expect(samples.length).toBeLessThanOrEqual(32);
      expect(samples[0]).toMatchObject({ schema_version: 1, run_id: looked["run_id"], kind: "trade" });
      expect(looked.recent_intents[0]).toMatchObject({ schema_version: 1, verdict: "forwarded" });
      // However many look, the runner is asked four times a second: answers of one moment are the same sample.
      const [one, two] = await Promise.all([
        ok(program, "GET", "/api/instances/ema/inspect"),
        ok(program, "GET", "/api/instances/ema/inspect"),
      ]);
      expect(one["sampled_at"]).toBe(two["sampled_at"]);
      expect(program.cli("inspect", "nobody").err).toContain("RUMI-SYS-011");
    },
    SLOW_MS,
  );

  it(
    "[M-14.2] rumi inspect --follow looks again every second, one line each, until it is interrupted",
    async () => {
      const following = spawn(process.execPath, [join(ROOT, "bin/rumi"), "inspect", "ema/main", "--follow", "--json"], {
        env: { ...process.env, RUMI_HOME: program.home },
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(following, "exit");
      let said = "";
      following.stdout.on("data", (text: Buffer) => (said += text.toString()));
      try {
        const lines = await eventually(() => {
          const whole = said.split("\n").slice(0, -1);
          return whole.length >= 3 && whole;
        });
        const seen = lines.map((line) => JSON.parse(line) as { readonly bot_id: string; readonly cursor: number });
        expect(seen.every(({ bot_id }) => bot_id === "ema")).toBe(true);
        expect(seen.at(-1)?.cursor, "it is looked at anew").toBeGreaterThan(seen[0]?.cursor ?? Infinity);
      } finally {
        following.kill("SIGINT");
        await ended;
      }
    },
    SLOW_MS,
  );

  it(
    "[M-14.2] [M-15.3] a secret in configuration, environment, log, state or last words never shows anywhere",
    async () => {
      await eventually(async () => (await ok(program, "GET", "/api/instances/secretive/inspect"))["failure"] !== null);
      const state = await ok(program, "GET", "/api/instances/secretive/inspect");
      expect(JSON.stringify(state["failure"])).toContain("the venue refused [config venue_word]");
      for (const [place, text] of Object.entries(await everythingShown())) {
        if (place !== "logs") expect(text.length, place).toBeGreaterThan(0); // a runner that has nothing to say says nothing
        for (const [kind, secret] of Object.entries(PLANTED)) {
          const at = text.indexOf(secret);
          expect(at === -1 ? "" : text.slice(Math.max(0, at - 300), at), `${kind} secret in ${place} after`).toBe("");
        }
      }
    },
    SLOW_MS,
  );

  it(
    "[M-15.1] one trace id leads from market event to fill and to its leaf in the audit log, in both languages",
    async () => {
      for (const bot_id of ["ema", "reversion"]) {
        const traces = new Set((await fills(program, bot_id)).map((fill) => (fill as unknown as Data)["trace_id"]));
        const [trace_id] = [...traces] as string[];
        if (bot_id === "ema") await stopBot(program, bot_id);
        const chain = await eventually(() => {
          const found = JSON.parse(program.cli("trace", trace_id ?? "", "--json").out) as Readonly<
            Record<string, readonly Data[]>
          >;
          return found["fills"]?.every((fill) => fill["leaf"] !== null) === true && found;
        });
        const common = { run_id: expect.any(String) as string, trace_id, schema_version: 1 };
        for (const records of ["market_events", "intents", "orders", "fills"])
          expect([records, chain[records]?.[0]]).toEqual([records, expect.objectContaining(common)]);
        expect(chain["runs"]?.[0]).toMatchObject({ bot_id });
        const leaf = chain["fills"]?.[0]?.["leaf"] as Data;
        const sealed = (await auditEvents(program)).find(({ log_index }) => log_index === leaf["log_index"]);
        expect(sealed).toMatchObject({ action: "journal.segment.sealed", event_id: leaf["event_id"] });
        expect(program.cli("trace", trace_id ?? "").out).toMatch(/market event .*\n.*intent /);
      }
    },
    SLOW_MS,
  );

  it(
    "[M-15.3] rumi bundle holds statistics by reason code, failures, metrics, logs and a verified head; also without the program",
    async () => {
      const out = join(folder.path, "bundle.zip");
      const made = JSON.parse(program.cli("bundle", "--out", out, "--json").out) as {
        readonly files: readonly { readonly path: string; readonly sha256: string }[];
      };
      const paths = made.files.map(({ path }) => path);
      expect(paths).toEqual(paths.toSorted());
      for (const path of [
        "audit.json",
        "doctor.json",
        "failures.json",
        "metrics.txt",
        "settings.json",
        "statistics.json",
      ])
        expect(paths).toContain(path);
      const text = textOf(out);
      expect(text).toMatch(/"strategy_fault_total\{kind=/);
      expect(text).toMatch(/"health (degraded|halted) M\.[A-Z.]+/);
      expect(text).toContain("# TYPE health_state gauge");
      expect(text).toContain('"ok": true');
      expect(program.cli("bundle", "--out", out).code, "an existing file is not replaced").toBe(1);
      await program.stop();
      const alone = cli(program.home, ["bundle", "--out", join(folder.path, "alone.zip"), "--json"]);
      expect(alone.out).toContain("the program did not answer");
      expect(alone.code).toBe(0);
    },
    SLOW_MS,
  );
});
