/** The hostile fixtures, approved and started through the API: each is refused or halted by name, and a neighbour trades on. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { requires } from "../../../tools/test-support.ts";
import { eventually, processesNaming, startProgram, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  botRequest,
  createBot,
  fills,
  HOSTILE_PACK,
  installPack,
  instance,
  startBot,
  transition,
  writeRecording,
  type Bot,
  type Data,
} from "./rig.ts";

const SLOW_MS = 400_000;
/** A few at once: each costs a process or a thread. */
const SIDE_BY_SIDE = 4;
/** Their excess is refused and counted inside the box (memory that is not given, sockets that do not open), and they may run on. */
const BOUNDED =
  /^script_|^native_|wasm_memory_hog|flood|free_text|missing_metadata|malformed|sockets|reads_files|writes_files|forks|threads|executes/;

type Manifest = {
  readonly strategies: readonly {
    readonly strategy_id: string;
    readonly strategy_version: string;
    readonly runtime_kind: string;
  }[];
};
const manifest = JSON.parse(readFileSync(join(HOSTILE_PACK, "ecosystem.json"), "utf8")) as Manifest;
const withPython = requires("python3");
const inThread = ({ runtime_kind }: { readonly runtime_kind: string }): boolean =>
  runtime_kind === "rust_wasm" || runtime_kind === "typescript";
const withJail = withPython && requires("bubblewrap");
const strategies = manifest.strategies.filter((one) => inThread(one) || withJail);

/**
 * One attack, each kind of sandbox: the fixture that tries it, and what must have become of it. `kept`: it found no way and
 * runs on, because what it tries was refused to it; `stopped`: refused at admission or halted, by a reason of this form.
 * Wasm has no way to try what needs the host: a module that asks for it is refused.
 */
const KEPT = "kept";
const IMPORTS = ["wasm_imports", /^RUMI-STR-(051|033)$/] as const;
const DEADLINE = /M\.SANDBOX\.(DEADLINE|FUEL_EXHAUSTED)/;
const CRASH =
  /M\.(SANDBOX\.(TRAP|PROCESS_EXIT|STACK_OVERFLOW|FRAME_TOO_LARGE|DEADLINE|BAD_POINTER|FUEL_EXHAUSTED)|STRATEGY\.)/;
/** Cut and counted until its health is gone, or out of time or fuel before that; the counts: packages/runtime/src/packs.test.ts. */
const FLOOD = /RUNNING_PAPER|M\.(STATE|SANDBOX|LOG|INTENT)\./;
const CONTRACT = /M\.(ABI|OUTPUT|INTENT|TELEMETRY|SANDBOX)\./;
type Cell = readonly [strategy_id: string, becomes: typeof KEPT | RegExp];
const ATTACKS: Readonly<Record<string, readonly Cell[]>> = {
  "files, secrets in /proc": [
    IMPORTS,
    ["script_reads_files", KEPT],
    ["python_reads_files", KEPT],
    ["native_reads_files", KEPT],
  ],
  "writing files": [
    IMPORTS,
    ["script_reads_files", KEPT],
    ["python_writes_files", KEPT],
    ["native_writes_files", KEPT],
  ],
  "sockets, Unix sockets, DNS": [IMPORTS, ["script_sockets", KEPT], ["python_sockets", KEPT], ["native_sockets", KEPT]],
  fork: [IMPORTS, ["script_forks", KEPT], ["python_forks", KEPT], ["native_forks", KEPT]],
  threads: [IMPORTS, ["script_forks", KEPT], ["python_threads", KEPT], ["native_threads", KEPT]],
  "other programs": [IMPORTS, ["script_forks", KEPT], ["python_executes", CRASH], ["native_executes", CRASH]],
  memory: [
    ["wasm_memory_hog", KEPT],
    ["script_memory_hog", CRASH],
    ["python_memory_hog", CRASH],
    ["native_memory_hog", CRASH],
  ],
  "a loop without end": [
    ["wasm_spin", DEADLINE],
    ["script_spins", DEADLINE],
    ["python_spins", DEADLINE],
    ["native_spins", DEADLINE],
  ],
  "a native step without end": [
    ["wasm_spin_in_init", DEADLINE],
    ["script_spins_natively", DEADLINE],
    ["python_sleeps", DEADLINE],
    ["native_spins_natively", DEADLINE],
  ],
  logs: [
    ["wasm_log_flood", FLOOD],
    ["script_log_flood", FLOOD],
    ["python_log_flood", FLOOD],
    ["native_log_flood", FLOOD],
  ],
  intents: [
    ["wasm_intent_flood", FLOOD],
    ["script_intent_flood", CONTRACT],
    ["python_intent_flood", FLOOD],
    ["native_intent_flood", CONTRACT],
  ],
  "records of no kind": [
    ["wasm_malformed", CONTRACT],
    ["script_malformed", CONTRACT],
    ["python_malformed", CONTRACT],
    ["native_malformed", CONTRACT],
  ],
  "more than was asked for": [
    ["wasm_trap", CRASH],
    ["script_raw_flood", CRASH],
    ["python_raw_flood", CONTRACT],
    ["native_raw_flood", CRASH],
  ],
  "an error of its own": [
    ["wasm_trap", CRASH],
    ["script_raises", CRASH],
    ["python_raises", CRASH],
    ["native_raises", CRASH],
  ],
  "an end of its own": [
    ["wasm_trap", CRASH],
    ["script_exits", CRASH],
    ["python_exits", CRASH],
    ["native_exits", CRASH],
  ],
  "its own runtime broken": [
    ["wasm_trap", CRASH],
    ["script_breaks_itself", CRASH],
    ["python_bad_pipe", CRASH],
    ["native_bad_pipe", CRASH],
  ],
};

let program: Program;
let hostile_digest: string;

type End = {
  readonly strategy_id: string;
  readonly code: string;
  readonly reason_code: string;
  readonly reason: string;
  readonly next: string;
  readonly state: string;
  readonly health: string;
};

async function tryOne({ strategy_id, strategy_version }: Manifest["strategies"][number]): Promise<End> {
  const bot_id = strategy_id.replaceAll("_", "-");
  const refusal = (body: Data): End => ({
    strategy_id,
    code: String(body["error_code"]),
    reason_code: String(body["reason_code"]),
    reason: String(body["error"]),
    next: String(body["suggestion"]),
    state: "refused",
    health: "",
  });
  const made = await program.call(
    "POST",
    "/api/bots",
    botRequest(bot_id, { pack_id: "hostile", strategy_id, strategy_version, digest: hostile_digest }, { config: {} }),
  );
  if (made.status !== 201) return refusal(made.body);
  const started = await program.call("POST", "/api/commands", transition(bot_id, "IDLE", "RUNNING_PAPER"));
  if (started.status >= 300) return refusal(started.body);
  const settled = (now: Bot): boolean =>
    now.state === "ERROR" ||
    (["running", "feed_ended"].includes(now.instances[0]?.phase ?? "") && Number(now.instances[0]?.events_total) > 30);
  const now = await eventually(async () => {
    const seen = await bot(program, bot_id);
    return settled(seen) && seen;
  }, 200);
  const [last] = now.instances;
  if (now.state === "RUNNING_PAPER")
    await program.call("POST", "/api/commands", transition(bot_id, "RUNNING_PAPER", "QUARANTINED"));
  return {
    strategy_id,
    code: last?.failure?.error_code ?? "",
    reason_code: last?.failure?.reason_code ?? "",
    reason: last?.failure?.error ?? "",
    next: last?.failure?.suggestion ?? "",
    state: now.state,
    health: String(last?.["reason_code"] ?? last?.["health_state"]),
  };
}

describe("[M-0.2] hostile strategies", () => {
  const ends: End[] = [];
  beforeAll(async () => {
    program = await startProgram();
    const digest = await installPack(program);
    hostile_digest = await installPack(program, HOSTILE_PACK, "hostile");
    await addVenue(program, { path: writeRecording(program.home, 30_000), factor: 120 });
    await createBot(program, "neighbour", "ema_cross", digest);
    await startBot(program, "neighbour");
    const left = [...strategies];
    const worker = async (): Promise<void> => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) ends.push(await tryOne(next));
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  }, SLOW_MS);
  afterAll(async () => {
    expect(await program.stop()).toBe(0);
    expect(processesNaming(program.home)).toEqual([]);
  }, SLOW_MS);

  it.each(strategies.map(({ strategy_id }) => [strategy_id] as const))(
    "[M-2.1] [M-6.2.1] %s is refused or halted with code, reason and next step, or kept within its limits",
    (strategy_id) => {
      const end = ends.find((one) => one.strategy_id === strategy_id);
      const text = JSON.stringify(end);
      if (end?.state === "RUNNING_PAPER") expect(strategy_id, text).toMatch(BOUNDED);
      else {
        expect(end?.code, text).toMatch(/^RUMI-[A-Z]+-\d{3}$/);
        expect(
          [end?.reason ?? "", end?.next ?? ""].every((words) => words.length > 5),
          text,
        ).toBe(true);
      }
    },
  );

  it.each(Object.entries(ATTACKS).flatMap(([attack, cells]) => cells.map((cell) => [attack, ...cell] as const)))(
    "[M-5.2.1] [M-5.2.2] [M-5.2.3] [M-5.2.4] [M-5.2.5] [M-5.2.6] %s: %s",
    (_, strategy_id, becomes) => {
      if (!strategies.some((one) => one.strategy_id === strategy_id)) return;
      const end = ends.find((one) => one.strategy_id === strategy_id);
      const text = JSON.stringify(end);
      if (becomes === KEPT) expect(end?.state, text).toBe("RUNNING_PAPER");
      else expect(text).toMatch(new RegExp(becomes.source.replaceAll(/[$^]/g, "")));
    },
  );

  it("every hostile fixture of the pack stands in the table", () => {
    const named = new Set(Object.values(ATTACKS).flatMap((cells) => cells.map(([strategy_id]) => strategy_id)));
    const contract = /free_text|missing_metadata/;
    const ids = manifest.strategies.map(({ strategy_id }) => strategy_id);
    expect(ids.filter((id) => !named.has(id) && !contract.test(id))).toEqual([]);
    expect([...named].filter((id) => !ids.includes(id))).toEqual([]);
  });

  it("[M-12.1] every admission is kept and readable, refused and admitted ones, over HTTP and on the command line", async () => {
    const of = async (bot_id: string): Promise<readonly Data[]> => {
      const answer = await program.call("GET", `/api/admissions?bot_id=${bot_id}`);
      return (answer.body as { readonly data?: { readonly admissions: readonly Data[] } }).data?.admissions ?? [];
    };
    const [refused] = await of("wasm-trap");
    expect(refused).toMatchObject({ admitted: false, strategy_id: "wasm_trap", digest: hostile_digest });
    expect(refused?.["reason_code"]).toMatch(/^M\./);
    expect(((refused?.["checks"] ?? []) as readonly Data[]).filter((one) => one["passed"] === false)).toHaveLength(1);
    const [admitted] = await of("neighbour");
    expect(admitted).toMatchObject({ admitted: true, isolation: { level: "L2" }, error_code: null });
    expect(((admitted?.["checks"] ?? []) as readonly Data[]).map((one) => one["check"])).toContain("smoke");
    const shown = await program.call("GET", `/api/admissions/${String(refused?.["report_id"])}`);
    expect(shown.body).toMatchObject({ data: { report_id: refused?.["report_id"], admitted: false } });
    expect((await program.call("GET", `/api/admissions/${crypto.randomUUID()}`)).body).toMatchObject({
      error_code: "RUMI-BOT-035",
    });
    const told = await auditEvents(program, { action: "strategy.admission" });
    expect(told.some((event) => event.resource_id === "wasm-trap" && event["outcome"] === "FAILURE")).toBe(true);
    const said = program.cli("admissions", "list", "--bot-id", "wasm-trap", "--json");
    expect(said.out, said.err).toContain(String(refused?.["report_id"]));
  });

  it(
    "[M-2.1] the neighbour traded through all of it, and the program is well",
    async () => {
      const before = (await instance(program, "neighbour"))?.cursor ?? 0;
      await eventually(async () => ((await instance(program, "neighbour"))?.cursor ?? 0) > before);
      expect((await bot(program, "neighbour")).state).toBe("RUNNING_PAPER");
      expect((await fills(program, "neighbour")).length).toBeGreaterThan(0);
      expect((await program.call("GET", "/api/safety")).status).toBe(200);
    },
    SLOW_MS,
  );
});
