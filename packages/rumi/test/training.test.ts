/**
 * Training over HTTP: every dangerous flow goes the whole way for whoever trains, and nothing of it happens: no row of the
 * home differs afterwards, no word goes to a runner, and the log has it under names of its own.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPipeline } from "@rumi/operations";
import { botBody, commandBody, INSTRUMENT } from "../../control/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

type Person = { readonly user_id: string; readonly token: string };
type Body = Readonly<Record<string, unknown>>;

let world: ServedControl;
let ann: Person;
let ben: Person;
let cleo: Person;
beforeEach(async () => {
  world = await openServedControl();
  await world.dialRunner();
  [ann, ben, cleo] = [await make(), await make(), await make()];
  await post("/api/venues", {
    venue_id: "OUT",
    kind: "venue_sim",
    url: "http://127.0.0.1:8900",
    key: { file: "/keys/out.json" },
    instruments: [INSTRUMENT],
  });
  await post("/api/bots", { ...botBody(world, "bot-1", world.digest), venue: "OUT" });
  await post("/api/bots", botBody(world, "bot-2", world.digest));
});
afterEach(() => world.close());

const ask = (url: string, body: Body, by?: Person): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "because", ...body }, by?.token);
async function post(url: string, body: Body, by?: Person): Promise<Body> {
  const { status, body: said } = await ask(url, body, by);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Body;
}
async function get(url: string, by?: Person): Promise<Body> {
  const { status, body } = await world.http("GET", url, undefined, by?.token);
  expect(status, JSON.stringify(body)).toBe(200);
  return body["data"] as Body;
}
async function make(roles: readonly string[] = ["operator", "admin", "break_glass"]): Promise<Person> {
  const user_id = String((await post("/api/users", { display_name: "Sam", roles }))["user_id"]);
  return { user_id, token: String((await post(`/api/users/${user_id}/tokens`, {}))["token"]) };
}
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];
const train = (...people: readonly Person[]): Promise<Body> =>
  post("/api/training/start", { principals: people.map(({ user_id }) => user_id) });
const move = (from: string, to: string, by: Person): Promise<Reply> =>
  ask("/api/commands", commandBody(world, "bot-1", from, to), by);
const confirm = (asked: Reply, by: Person): Promise<Reply> => confirmNote(asked.body["challenge"] as Body, by);
const confirmNote = ({ challenge_id, intent_hash, phrase }: Body, by: Person): Promise<Reply> =>
  ask(`/api/challenges/${String(challenge_id)}/confirm`, { intent_hash, phrase }, by);
async function approve(kind: "challenges" | "changes", id: unknown, by: Person): Promise<Reply> {
  const { intent_hash } = await get(`/api/${kind}/${String(id)}`, by);
  return ask(`/api/${kind}/${String(id)}/approve`, { intent_hash }, by);
}

/** What a rehearsal may leave: its key, its evidence, and what is marked as rehearsed. */
const OF_REHEARSALS =
  /^(?:operation_key|challenge|challenge_served|challenge_approval|break_glass_session|training|guardrail_dry_run|sensitive_read|change_feed|log_.*|sqlite_.*)$/;
/** Every other row of the home. */
async function everything(): Promise<Readonly<Record<string, unknown>>> {
  const tables = await world.store.rows<{ name: string }>({
    sql: "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
    parameters: [],
  });
  const rows: Record<string, unknown> = {};
  for (const { name } of tables)
    if (!OF_REHEARSALS.test(name))
      rows[name] = await world.store
        .rows({ sql: `SELECT * FROM "${name}" ORDER BY 1, 2`, parameters: [] })
        .catch(() => world.store.rows({ sql: `SELECT * FROM "${name}" ORDER BY 1`, parameters: [] }));
  expect(rows).toMatchObject({ bot: [expect.anything(), expect.anything()], outbox: expect.anything() as unknown });
  return rows;
}
/** Does it, and answers what the log tells of it; the home and what its runner has heard are as before. */
async function withoutEffect(act: () => Promise<void>): Promise<readonly string[]> {
  const before = await everything();
  const heard = world.runner.received.filter(({ type }) => type !== "renewed").length;
  const first = (await world.actions()).length;
  await act();
  expect(await everything()).toEqual(before);
  expect(world.runner.received.filter(({ type }) => type !== "renewed")).toHaveLength(heard);
  const told = (await world.actions()).slice(first).filter((action) => action !== "query.sensitive_read");
  for (const action of told) expect(action).toMatch(/^training\./);
  return told;
}

/** The runner has been told it: what is said later is another thing. */
const heard = (what: (one: ServedControl["runner"]["received"][number]) => boolean): Promise<void> =>
  world.until("the runner is told", () => world.runner.received.some(what));

describe("[L-32] [L-N17] a dangerous flow is rehearsed the whole way and has no effect", () => {
  it("[L-32] a live start at the simulated venue", async () => {
    await train(ann);
    const told = await withoutEffect(async () => {
      const asked = await move("IDLE", "RUNNING_LIVE", ann);
      expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
      expect(asked.body).toMatchObject({ training: true, challenge: { training: true, requires: ["phrase"] } });
      const done = await confirm(asked, ann);
      expect(done.body).toMatchObject({ success: true, training: true, data: { training: true } });
    });
    expect(told).toEqual([
      "training.controlplane.command.requested",
      "training.dangerous_op.challenge",
      "training.controlplane.command.requested",
      "training.dangerous_op.confirm",
      "training.controlplane.command.applied",
      "training.controlplane.command.applied",
    ]);
    expect(await get("/api/bots/bot-1")).toMatchObject({ state: "IDLE" });
    const { events } = (await get("/api/audit/events?action=training.controlplane.command.applied&limit=1")) as {
      events: readonly Body[];
    };
    expect(events[0]).toMatchObject({ details: { training: true, operation: "commands.submit" } });
  });

  it("[L-32] its guards are the real ones: what would be refused is refused, and its phrase is asked for", async () => {
    await train(ann);
    await post("/api/safety/set", { mode: "SAFE" });
    await heard((one) => one.type === "safety" && one.mode === "SAFE");
    await withoutEffect(async () => {
      const asked = await ask("/api/commands", commandBody(world, "bot-2", "IDLE", "RUNNING_PAPER"), ann);
      expect(said(asked)).toEqual([409, "RUMI-CMD-005", "G.SAFETY.SAFE"]);
      expect(asked.body["training"]).toBe(true);
      expect((await ask("/api/bots/bot-1/config/apply", { at: "now" }, ann)).body).toMatchObject({
        success: false,
        training: true,
      });
      const { challenge } = (await ask("/api/safety/set", { mode: "NORMAL" }, ann)).body as { challenge: Body };
      const wrong = await confirmNote({ ...challenge, phrase: "please" }, ann);
      expect(said(wrong)).toEqual([409, "RUMI-CMD-014", "CONFIRMATION_MISMATCH"]);
    });
  });

  it("[L-32] the kill switch is cleared, and stays set", async () => {
    await post("/api/killswitch/set", { scope: { bot_id: "bot-1" }, level: "BLOCK" });
    await heard((one) => one.type === "killswitch" && one.rules.length > 0);
    await train(ann);
    await withoutEffect(async () => {
      const asked = await ask("/api/killswitch/set", { scope: { bot_id: "bot-1" }, level: "ALLOW" }, ann);
      expect((await confirm(asked, ann)).body).toMatchObject({ success: true, training: true });
    });
    expect(JSON.stringify(await get("/api/killswitch"))).toContain("BLOCK");
  });

  it("[L-32] a gate is disabled under a rehearsed break-glass session with its second person, and is required still", async () => {
    await post("/api/gates/market/require", {});
    await train(ann, ben);
    const told = await withoutEffect(async () => {
      const strong = (): Promise<Reply> => ask("/api/gates/market/disable", {}, ann);
      expect(said(await strong())).toEqual([403, "RUMI-CMD-022", "L.BREAK_GLASS.REQUIRED"]);
      const opening = await ask("/api/break_glass", { verbs: ["gates.disable"] }, ann);
      const { challenge_id } = opening.body["challenge"] as Body;
      expect(said(await confirm(opening, ann))).toEqual([409, "RUMI-CMD-017", "APPROVAL_REQUIRED"]);
      expect((await approve("challenges", challenge_id, ben)).body).toMatchObject({ success: true, training: true });
      const session = (await confirm(opening, ann)).body["data"] as Body;
      expect(session).toMatchObject({ state: "OPEN", training: true });
      expect((await confirm(await strong(), ann)).body).toMatchObject({ success: true, training: true });
      const of = `/api/break_glass/${String(session["session_id"])}`;
      expect(said(await ask(`${of}/close`, {}, ann))).toBe("done");
      expect(said(await ask(`${of}/review`, {}, ben))).toBe("done");
    });
    expect(told).toContain("training.break_glass.opened");
    expect(await get("/api/gates")).toMatchObject({ gates: [{ gate: "market", required: true }] });
  });

  it("[L-32] a rehearsed break-glass session covers nothing real, and is in nobody's way", async () => {
    await post("/api/gates/market/require", {});
    await train(ann, ben);
    const opening = await ask("/api/break_glass", { verbs: ["gates.disable"] }, ann);
    await approve("challenges", (opening.body["challenge"] as Body)["challenge_id"], ben);
    const { session_id } = (await confirm(opening, ann)).body["data"] as Body;
    await post("/api/training/end", {}, ann);
    expect(said(await ask("/api/gates/market/disable", {}, ann))).toEqual([
      403,
      "RUMI-CMD-022",
      "L.BREAK_GLASS.REQUIRED",
    ]);
    expect(said(await ask(`/api/break_glass/${String(session_id)}/close`, {}, ann))).toEqual([
      409,
      "RUMI-CMD-034",
      "L.TRAINING.MISMATCH",
    ]);
    const real = await ask("/api/break_glass", { verbs: ["gates.disable"] }, ann);
    expect(said(real)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
  });

  it("[L-32] a configuration of a live bot", async () => {
    const { run_id } = (await confirm(await move("IDLE", "RUNNING_LIVE", cleo), cleo)).body["data"] as Body;
    await world.until("it runs", async () => {
      const { instances } = await world.bot();
      return world.runner.instances.has(String(run_id)) && (instances as Body[])[0]?.["phase"] === "running";
    });
    await train(ann);
    await withoutEffect(async () => {
      const asked = await ask(
        "/api/bots/bot-1/config/apply",
        { config: { fast: 11 }, at: "next_tick", reason: "the faster average follows later" },
        ann,
      );
      const done = asked.body["challenge"] === undefined ? asked : await confirm(asked, ann);
      expect(done.body).toMatchObject({ success: true, training: true });
    });
    expect((await world.bot())["spec"]).toMatchObject({ config: { fast: 10 } });
  });

  it("[L-32] a change is proposed, approved and committed by two who train; it is listed as a rehearsal", async () => {
    await train(ann, ben);
    const input = { bot_id: "bot-1", config: { fast: 11 }, at: "next_tick" };
    const told = await withoutEffect(async () => {
      const change = await post("/api/changes", { operation: "bots.config_apply", input }, ann);
      expect(change).toMatchObject({ state: "PROPOSED", training: true, diff: [{ field: "fast" }] });
      expect(said(await approve("changes", change["change_id"], ben))).toBe("done");
      const commit = await ask(
        `/api/changes/${String(change["change_id"])}/commit`,
        { intent_hash: change["intent_hash"] },
        ann,
      );
      expect(commit.body).toMatchObject({ success: true, training: true });
    });
    expect(told).toContain("training.change.committed");
    expect(await get("/api/changes")).toMatchObject({ changes: [{ state: "COMMITTED", training: true }] });
  });

  it("[L-32] a secret is shown to nobody who only rehearses", async () => {
    await train(ann);
    await withoutEffect(async () => {
      const made = await ask(`/api/users/${ben.user_id}/tokens`, {}, ann);
      expect(made.body).toMatchObject({ success: true, training: true });
      expect(JSON.stringify(made.body)).not.toMatch(/rumi_|"token":/);
    });
  });
});

describe("[L-32] what is rehearsed never becomes real, and the other way round", () => {
  const loosen = (by: Person): Promise<Reply> => ask("/api/safety/set", { mode: "NORMAL" }, by);
  beforeEach(() => post("/api/safety/set", { mode: "SAFE" }));
  const MISMATCH = [409, "RUMI-CMD-034", "L.TRAINING.MISMATCH"];

  it("[L-32] a rehearsed challenge is not confirmed after the training; a real one not within", async () => {
    const real = await loosen(ann);
    expect(real.body["challenge"]).toMatchObject({ training: false });
    await train(ann);
    expect(said(await confirm(real, ann))).toEqual(MISMATCH);
    const rehearsed = await loosen(ann);
    await post("/api/training/end", {}, ann);
    expect(said(await confirm(rehearsed, ann))).toEqual(MISMATCH);
    expect(await get("/api/safety")).toMatchObject({ mode: "SAFE" });
    expect(said(await confirm(real, ann))).toBe("done");
    expect(await get("/api/safety")).toMatchObject({ mode: "NORMAL" });
  });

  it("[L-32] a row that was altered to look real is not what was asked for", async () => {
    await train(ann);
    const rehearsed = await loosen(ann);
    await post("/api/training/end", {}, ann);
    await world.store.commit({
      writes: [{ sql: "UPDATE challenge SET training = 0", parameters: [], expect: 1 }],
      events: [],
    });
    expect(said(await confirm(rehearsed, ann))).toEqual([409, "RUMI-CMD-014", "CONFIRMATION_MISMATCH"]);
    expect(await get("/api/safety")).toMatchObject({ mode: "SAFE" });
  });

  it("[L-32] no approval of one counts for the other", async () => {
    const input = { bot_id: "bot-1", config: { fast: 11 }, at: "next_tick" };
    const propose = (by: Person): Promise<Body> => post("/api/changes", { operation: "bots.config_apply", input }, by);
    const real = await propose(cleo);
    await train(ann);
    const rehearsed = await propose(ann);
    expect(said(await approve("changes", real["change_id"], ann))).toEqual(MISMATCH);
    expect(said(await approve("changes", rehearsed["change_id"], ben))).toEqual(MISMATCH);
    const reject = (change: Body, by: Person): Promise<Reply> =>
      ask(`/api/changes/${String(change["change_id"])}/reject`, {}, by);
    expect(said(await reject(real, ann))).toEqual(MISMATCH);
    expect(said(await reject(rehearsed, ben))).toEqual(MISMATCH);
    expect(await get("/api/changes?state=OPEN")).toMatchObject({ count: 2 });
  });

  it("[L-32] a rehearsed dry run does not count for the real thing", async () => {
    expect(said(await confirm(await loosen(cleo), cleo))).toBe("done");
    await post("/api/guardrails/policy/set", {
      high_risk_actions: ["bots.config_apply"],
      friction_level_by_action: { "bots.config_apply": ["dry_run"] },
    });
    await train(ann);
    const config = (over: Body = {}): Promise<Reply> =>
      ask("/api/bots/bot-1/config/apply", { config: { fast: 11 }, at: "next_tick", ...over }, ann);
    expect((await config({ dry_run: true })).body).toMatchObject({ training: true });
    expect(said(await config())).toBe("done");
    await post("/api/training/end", {}, ann);
    expect(said(await config())).toEqual([409, "RUMI-CMD-030", "L.GUARDRAIL.BLOCKED"]);
  });

  it("[L-32] a rehearsed command stays one: sent again afterwards it answers as it did, after a crash it goes on as one", async () => {
    await train(ann);
    const body = { ...commandBody(world, "bot-2", "IDLE", "RUNNING_PAPER") };
    await post("/api/training/end", {}, ann);
    await post("/api/safety/set", { mode: "SAFE" });
    expect(said(await confirm(await loosen(ann), ann))).toBe("done");
    await train(ann);
    expect((await ask("/api/commands", body, ann)).body["training"]).toBe(true);
    await post("/api/training/end", {}, ann);
    const again = await ask("/api/commands", body, ann);
    expect(again.body).toMatchObject({ training: true, duplicate_suppressed: true });
    expect(await get("/api/bots/bot-2")).toMatchObject({ state: "IDLE" });

    // It died between its request and its decision; the training ended; another program goes on.
    await train(ann);
    const died = commandBody(world, "bot-2", "IDLE", "RUNNING_PAPER");
    const { store } = world;
    const dying = createPipeline({
      ...world.pipeline.settings,
      store: { ...store, snapshot: () => Promise.reject(new Error("the program dies here")) },
      logger: { ...world.pipeline.settings.logger, error: () => undefined },
    });
    const operation = world.registry.operations.get("commands.submit");
    if (operation === undefined) throw new Error("commands.submit is gone");
    await dying.execute(operation, {
      raw: { params: {}, query: {}, body: died },
      principal: { id: ann.user_id, roles: ["operator", "admin", "break_glass"] },
      idempotencyKey: null,
      trace_id: world.id(),
      remote: "test",
    });
    await post("/api/training/end", {}, ann);
    const told = await withoutEffect(async () => {
      const next = createPipeline(world.pipeline.settings);
      expect(await next.recover()).toMatchObject({ found: 1, applied: 1 });
    });
    expect(told).toEqual(["training.controlplane.command.resumed", "training.controlplane.command.applied"]);
  });

  it("[L-32] a bulk that was really begun goes on really, although its owner trains meanwhile", async () => {
    await confirm(await loosen(cleo), cleo);
    await post(
      "/api/bulk",
      {
        selector: { bot_ids: ["bot-2"] },
        requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
        max_errors: 1,
      },
      ann,
    );
    await train(ann);
    const bulk = world.control.bulk(world.pipeline);
    await world.until("its bot runs", async () => {
      await bulk.run();
      return (await world.bot("bot-2"))["state"] === "RUNNING_PAPER";
    });
  });
});

describe("[L-32] in an emergency", () => {
  const STOPS: readonly (readonly [string, () => readonly [string, Body]])[] = [
    ["safety.set", () => ["/api/safety/set", { mode: "EMERGENCY_STOP" }]],
    ["killswitch.set", () => ["/api/killswitch/set", { scope: { all: true }, level: "BLOCK" }]],
    ["commands.submit", () => ["/api/commands", commandBody(world, "bot-2", "RUNNING_PAPER", "STOPPING")]],
    ["holds.set", () => ["/api/holds", { kind: "lock", scope: { bot_id: "bot-1" } }]],
  ];
  for (const [operation, wish] of STOPS)
    it(`[L-32] ${operation} is refused by name, says how to mean it, and works once the training is ended`, async () => {
      await post("/api/commands", commandBody(world, "bot-2", "IDLE", "RUNNING_PAPER"));
      await train(ann);
      const [url, body] = wish();
      const refused = await ask(url, body, ann);
      expect(said(refused)).toEqual([409, "RUMI-CMD-033", "L.TRAINING.NOT_REAL"]);
      expect(refused.body).toMatchObject({ training: true });
      expect(refused.body["error"]).toContain(operation);
      expect(refused.body["suggestion"]).toContain("rumi training end");
      await post("/api/training/end", {}, ann);
      const done = await ask(url, { ...body, command_id: world.id() }, ann);
      expect(said(done)).toBe("done");
      expect(done.body["training"]).toBeUndefined();
    });

  it("[L-32] also as a change that two rehearse", async () => {
    await post("/api/commands", commandBody(world, "bot-2", "IDLE", "RUNNING_PAPER"));
    await train(ann, ben);
    const { command_id: _, reason: __, ...input } = commandBody(world, "bot-2", "RUNNING_PAPER", "STOPPING");
    const change = await post("/api/changes", { operation: "commands.submit", input }, ann);
    await approve("changes", change["change_id"], ben);
    const url = `/api/changes/${String(change["change_id"])}/commit`;
    expect(said(await ask(url, { intent_hash: change["intent_hash"] }, ann))).toEqual([
      409,
      "RUMI-CMD-033",
      "L.TRAINING.NOT_REAL",
    ]);
  });
});

describe("[L-32] who is in training", () => {
  it("[L-32] one begins alone for an hour, is told everywhere, and another's commands stay real", async () => {
    const begun = await post("/api/training/start", {}, ann);
    expect(begun).toMatchObject({ count: 1, people: [{ principal: ann.user_id, started_by: ann.user_id }] });
    expect(Date.parse(String(begun["ends_at"])) - world.clock.now() / 1_000).toBeGreaterThan(3_500_000);
    expect(await get("/api/me", ann)).toMatchObject({ training: { session_id: begun["session_id"] } });
    expect(await get("/api/me", ben)).toMatchObject({ training: null });
    expect(await get("/api/training", ann)).toMatchObject({ in_training: true, count: 1 });
    expect(await get("/api/training", ben)).toMatchObject({ in_training: false, count: 1 });
    const real = await ask("/api/bots/bot-1/config/apply", { config: { fast: 11 }, at: "next_tick" }, ben);
    expect(real.body["training"]).toBeUndefined();
    expect((await world.bot())["spec"]).toMatchObject({ config: { fast: 11 } });
    expect(said(await ask("/api/training/start", {}, ann))).toEqual([409, "RUMI-CMD-035", "L.TRAINING.OPEN"]);
    expect((await world.actions()).filter((one) => one === "training.started")).toHaveLength(1);
  });

  it("[L-32] it ends by itself, and by saying so; then commands are real", async () => {
    const config = (fast: number): Promise<Reply> =>
      ask("/api/bots/bot-1/config/apply", { config: { fast }, at: "next_tick" }, ann);
    await post("/api/training/start", { valid_for_seconds: 60 }, ann);
    expect((await config(11)).body["training"]).toBe(true);
    world.clock.skip(60_000);
    expect((await config(11)).body["training"]).toBeUndefined();
    await post("/api/training/start", {}, ann);
    expect((await config(12)).body["training"]).toBe(true);
    expect(await post("/api/training/end", {}, ann)).toMatchObject({ changed: true, count: 1 });
    expect(await post("/api/training/end", {}, ann)).toMatchObject({ changed: false, count: 0 });
    expect((await config(12)).body["training"]).toBeUndefined();
    expect((await world.bot())["spec"]).toMatchObject({ config: { fast: 12 } });
  });

  it("[L-32] others are sent in and taken out by administrators only; nobody who is unknown", async () => {
    const operator = await make(["operator"]);
    const others = { principals: [ann.user_id] };
    expect(said(await ask("/api/training/start", others, operator))).toEqual([
      403,
      "RUMI-AUTH-003",
      "PERMISSION_DENIED",
    ]);
    expect(said(await ask("/api/training/start", others, ben))).toBe("done");
    expect(said(await ask("/api/training/end", others, operator))).toEqual([403, "RUMI-AUTH-003", "PERMISSION_DENIED"]);
    expect(said(await ask("/api/training/end", others, ben))).toBe("done");
    const strangers = await ask("/api/training/start", { principals: [ann.user_id, "user:nobody"] }, ben);
    expect(said(strangers)).toEqual([400, "RUMI-VAL-002", undefined]);
    expect(said(await ask("/api/training/start", { valid_for_seconds: 28_801 }, ann))).toEqual([
      400,
      "RUMI-VAL-002",
      undefined,
    ]);
    const many = Array.from({ length: 101 }, (_, at) => `user:${at}`);
    expect(said(await ask("/api/training/start", { principals: many }, ben))).toEqual([400, "RUMI-VAL-012", undefined]);
  });

  it("[L-32] a rehearsed challenge that nobody confirms expires under a name of its own", async () => {
    await train(ann);
    await move("IDLE", "RUNNING_LIVE", ann);
    world.clock.skip(3_600_000);
    await world.rounds(1);
    const actions = await world.actions();
    expect(actions).toContain("training.dangerous_op.expire");
    expect(actions).not.toContain("dangerous_op.expire");
  });
});
