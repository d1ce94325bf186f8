/** Staged intents through the whole program on paper: program, runner, HTTP and command line, and kill -9 in between. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { cli, eventually, startProgram, type Answer, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  createBot,
  fills,
  installPack,
  move,
  ok,
  runnerPids,
  startBot,
  stopBot,
  writeRecording,
  type Data,
} from "./rig.ts";

type Staged = Data & {
  readonly run_id: string;
  readonly idempotency_key: string;
  readonly state: string;
  readonly reason_code: string | null;
  readonly decided_by: string | null;
  readonly client_order_id: string | null;
  readonly trace_id: string;
};
const DAY_MS = 86_400_000;
let program: Program;
const people = new Map<string, { readonly id: string; readonly token: string }>();
const words = (...args: string[]): Data => (JSON.parse(program.cli(...args, "--json").out) as { data: Data }).data;

beforeAll(async () => {
  program = await startProgram();
  for (const [name, role] of [
    ["ann", "operator"],
    ["bob", "operator"],
    ["eve", "view_only"],
  ] as const) {
    const id = String(words("users", "create", "--display-name", name, "--roles", role, "--reason", "test")["user_id"]);
    people.set(name, { id, token: String(words("tokens", "issue", id, "--reason", "test")["token"]) });
  }
  const digest = await installPack(program);
  await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
  const config = { order_quantity: "1", fast_trades: 10, slow_trades: 40, cooldown: 0, order_timeout: 3_600_000 };
  const staged = { config, staging: { expires_after_ms: DAY_MS, max_staged: 4 } };
  await createBot(program, "careful", "ema_cross", digest, staged);
  await createBot(program, "late", "ema_cross", digest, { config, staging: { expires_after_ms: 1_000 } });
  await createBot(program, "free", "ema_cross", digest, { config, staging: { approve_up_to: "100000" } });
  for (const id of ["careful", "late", "free"]) await startBot(program, id);
}, 120_000);
afterAll(async () => {
  await program.stop();
});

const list = async (query: string): Promise<readonly Staged[]> =>
  (await ok(program, "GET", `/api/intents/staged?${query}`))["intents"] as readonly Staged[];
/** The next intent of the careful bot that waits. */
const waiting = (): Promise<Staged> => eventually(async () => (await list("bot_id=careful&state=staged"))[0]);
const became = (one: Staged, state: string): Promise<Staged> =>
  eventually(async () => {
    const [now] = (await list(`run_id=${one.run_id}&limit=200`)).filter(
      ({ idempotency_key }) => idempotency_key === one.idempotency_key,
    );
    return now?.state === state && now;
  });
type Said = { readonly by?: string; readonly body?: Data };
const say = (word: "approve" | "reject", one: Pick<Staged, "run_id" | "idempotency_key">, { by, body }: Said = {}) =>
  program.call(
    "POST",
    `/api/intents/${one.run_id}/${one.idempotency_key}/${word}`,
    { command_id: crypto.randomUUID(), reason: "looked at it", ...body },
    by === undefined ? {} : { authorization: `Bearer ${people.get(by)?.token ?? "nobody's"}` },
  );
const codeOf = ({ status, body }: Answer): readonly unknown[] => [status, body["error_code"]];

it(
  "[M-8.3.1] [M-16] staged → approved → committed over HTTP: no order before the approval, one after it, whoever else approves",
  { timeout: 180_000 },
  async () => {
    const one = await waiting();
    expect([one.client_order_id, one.decided_by]).toEqual([null, null]);
    const shown = (await ok(program, "GET", "/api/intents?bot_id=careful"))["intents"] as readonly Data[];
    expect(shown.at(-1)).toMatchObject({
      verdict: "staged",
      idempotency_key: one.idempotency_key,
      client_order_id: null,
    });
    expect((await ok(program, "GET", "/api/orders?bot_id=careful"))["orders"]).toEqual([]);

    expect(codeOf(await say("approve", { ...one, idempotency_key: "4242" }))).toEqual([404, "RUMI-BOT-060"]);
    expect((await say("approve", one, { body: { unknown: 1 } })).status, "an unknown field").toBe(400);
    expect((await say("approve", one, { body: { reason: "" } })).status, "no reason").toBe(400);
    expect((await say("approve", one, { by: "nobody" })).status).toBe(401);
    for (const word of ["approve", "reject"] as const)
      expect(codeOf(await say(word, one, { by: "eve" })), "who may only look").toEqual([403, "RUMI-AUTH-003"]);
    expect((await list("bot_id=careful&state=staged")).at(-1)).toMatchObject({ decision: null });

    const command_id = crypto.randomUUID();
    const body = { command_id };
    const raced = await Promise.all([say("approve", one, { by: "ann", body }), say("approve", one, { by: "bob" })]);
    const [first, second] = raced[0].status === 200 ? ["ann", raced[1]] : ["bob", raced[0]];
    expect(raced.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(codeOf(second)).toEqual([409, "RUMI-BOT-061"]);
    expect(second.body["error"], "who was first").toContain(people.get(first)?.id);
    const done = await became(one, "committed");
    expect(done).toMatchObject({ decided_by: people.get(first)?.id, reason_code: null });
    expect(done.client_order_id).toMatch(/^R/);
    const again = await say("approve", one, { by: "ann", body });
    expect(again.status, "the same command again gets the same answer").toBe(raced[0].status);
    expect(codeOf(await say("approve", one))).toEqual([409, "RUMI-BOT-061"]);
    expect(codeOf(await say("reject", one))).toEqual([409, "RUMI-BOT-061"]);
    const filled = await eventually(async () => (await fills(program, "careful"))[0]);
    expect(filled.client_order_id, "execution sent what was approved").toBe(done.client_order_id);
    const chain = await ok(program, "GET", `/api/trace/${one.trace_id}`);
    const verdicts = (chain["intents"] as readonly Data[]).map(({ verdict }) => verdict);
    expect(new Set(verdicts)).toEqual(new Set(["forwarded", "staged"]));
    const orders = (await ok(program, "GET", "/api/orders?bot_id=careful"))["orders"] as readonly Data[];
    expect(orders.filter(({ client_order_id }) => client_order_id === done.client_order_id)).toHaveLength(1);
  },
);

it(
  "[M-8.3.1] the command line lists, rejects and refuses a second word; the policy and time decide by themselves",
  { timeout: 180_000 },
  async () => {
    const one = await waiting();
    const intents = (...args: string[]) => cli(program.home, ["intents", ...args]);
    expect(intents("staged", "--bot-id", "careful", "--json").out).toContain(one.idempotency_key);
    const rejected = intents("reject", one.run_id, one.idempotency_key, "--reason", "too large");
    expect([rejected.code, rejected.err]).toEqual([0, ""]);
    expect(await became(one, "rejected")).toMatchObject({
      decided_by: "user:root",
      client_order_id: null,
      reason_code: "M.STAGING.REJECTED",
    });
    const second = intents("approve", one.run_id, one.idempotency_key, "--reason", "no, good");
    expect([second.code, second.err + second.out]).toEqual([1, expect.stringContaining("RUMI-BOT-061")]);

    const expired = await eventually(async () => (await list("bot_id=late&state=expired"))[0]);
    expect(expired.reason_code).toBe("M.STAGING.EXPIRED");
    expect(codeOf(await say("approve", expired))).toEqual([409, "RUMI-BOT-061"]);
    expect(await fills(program, "late")).toEqual([]);
    const free = await eventually(async () => (await list("bot_id=free&state=committed"))[0]);
    expect(free.decided_by).toBe("policy");
    await eventually(async () => (await fills(program, "free")).length > 0);
  },
);

it(
  "[M-8.3.1] [M-8.2.2] kill -9 of the runner: what waited is never sent, whoever approves it; what comes next is",
  { timeout: 180_000 },
  async () => {
    const one = await waiting();
    const before = (await fills(program, "careful")).length;
    for (const pid of runnerPids(program.home)) process.kill(pid, "SIGKILL");
    const said = await say("approve", one);
    expect([200, 409]).toContain(said.status);
    const voided = await became(one, "voided");
    expect([voided.reason_code, voided.client_order_id]).toEqual(["M.STAGING.EPOCH", null]);
    expect(codeOf(await say("approve", one))).toEqual([409, "RUMI-BOT-061"]);
    const next = await waiting();
    expect(next.run_id).toBe(one.run_id);
    expect((await say("approve", next)).status).toBe(200);
    const { client_order_id } = await became(next, "committed");
    const after = await eventually(async () => {
      const all = await fills(program, "careful");
      return all.length > before && all;
    });
    expect(after.slice(before).map((fill) => fill.client_order_id)).toContain(client_order_id);
  },
);

it(
  "[M-8.3.1] a paused bot approves nothing, a stopped one voids what waits, and the log and the replay agree",
  { timeout: 180_000 },
  async () => {
    const one = await waiting();
    await move(program, "careful", "PAUSED");
    expect(codeOf(await say("approve", one))).toEqual([409, "RUMI-BOT-063"]);
    expect((await list(`run_id=${one.run_id}&state=staged`)).map(({ idempotency_key }) => idempotency_key)).toContain(
      one.idempotency_key,
    );
    const { run_id } = one;
    await stopBot(program, "careful");
    expect((await became(one, "voided")).reason_code).toBe("M.STAGING.CANCELLED");
    expect((await bot(program, "careful")).state).toBe("IDLE");
    const told = (await auditEvents(program, { run_id })).filter(({ action }) => action === "intent.staging.changed");
    const states = told.map((event) => (event["details"] as Data)["state"]);
    expect(new Set(states)).toEqual(new Set(["staged", "approved", "committed", "rejected", "voided"]));
    const asked = (await auditEvents(program)).filter(({ action }) => action === "intent.staging.asked");
    expect(asked.length).toBeGreaterThanOrEqual(3);
    const replayed = cli(program.home, ["replay", run_id, "--json"]);
    expect([replayed.code, replayed.err]).toEqual([0, ""]);
    expect(JSON.parse(replayed.out)).toMatchObject({ outcome: "identical" });
  },
);
