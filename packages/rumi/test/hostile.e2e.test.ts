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

const SLOW_MS = 180_000;
/** A few at once: each costs a process or a thread. */
const SIDE_BY_SIDE = 4;
/** Their excess is refused and counted inside the box (memory that is not given, sockets that do not open), and they may run on. */
const BOUNDED =
  /wasm_memory_hog|flood|free_text|missing_metadata|malformed|sockets|reads_files|writes_files|forks|threads|executes/;

type Manifest = {
  readonly strategies: readonly {
    readonly strategy_id: string;
    readonly strategy_version: string;
    readonly runtime_kind: string;
  }[];
};
const manifest = JSON.parse(readFileSync(join(HOSTILE_PACK, "ecosystem.json"), "utf8")) as Manifest;
const withPython = requires("python3");
const strategies = manifest.strategies.filter(({ runtime_kind }) => withPython || runtime_kind === "rust_wasm");

let program: Program;
let hostile_digest: string;

type End = {
  readonly strategy_id: string;
  readonly code: string;
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
