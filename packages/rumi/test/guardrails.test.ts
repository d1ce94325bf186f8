/** Guardrails against human error over HTTP: every step that is skipped is refused with what is missing, and done properly it works. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runbookOf } from "@rumi/control";
import { botBody, commandBody } from "../../control/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

type Person = { readonly user_id: string; readonly token: string };
type Body = Readonly<Record<string, unknown>>;
const BLOCKED = "L.GUARDRAIL.BLOCKED";
const MINUTE_MS = 60_000;

let world: ServedControl;
let ann: Person;
let ben: Person;
beforeEach(async () => {
  world = await openServedControl();
  [ann, ben] = [await make(), await make()];
  await post("/api/bots", botBody(world, "bot-1", world.digest));
});
afterEach(() => world.close());

const ask = (url: string, body: Body, by?: Person): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "because", ...body }, by?.token);
async function post(url: string, body: Body, by?: Person): Promise<Body> {
  const { status, body: said } = await ask(url, body, by);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Body;
}
async function make(roles: readonly string[] = ["operator", "admin"]): Promise<Person> {
  const user_id = String((await post("/api/users", { display_name: "Sam", roles }))["user_id"]);
  return { user_id, token: String((await post(`/api/users/${user_id}/tokens`, {}))["token"]) };
}
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];
const SET = "/api/guardrails/policy/set";
const set = (body: Body, by = ann): Promise<Reply> => ask(SET, body, by);
async function policy(body: Body): Promise<void> {
  expect(said(await set(body))).toBe("done");
}
const read = async (): Promise<Body> =>
  (await world.http("GET", "/api/guardrails/policy", undefined, ben.token)).body["data"] as Body;
const guardrailOf = ({ body }: Reply): Body => (body["details"] as Body)["guardrail"] as Body;

const APPLY = "bots.config_apply";
const config = (over: Body = {}, by = ann): Promise<Reply> =>
  ask("/api/bots/bot-1/config/apply", { config: { fast: 11 }, at: "next_tick", ...over }, by);
const fast = async (): Promise<unknown> => ((await world.bot())["spec"] as { config: Body }).config["fast"];

/** Approves what is there to be approved, as somebody else. */
async function approved(kind: "challenges" | "changes", id: string, by = ben): Promise<Body> {
  const shown = await world.http("GET", `/api/${kind}/${id}`, undefined, by.token);
  const { intent_hash } = shown.body["data"] as Body;
  expect(said(await ask(`/api/${kind}/${id}/approve`, { intent_hash }, by))).toBe("done");
  return shown.body["data"] as Body;
}
async function changed(operation: string, input: Body): Promise<Reply> {
  const { change_id, intent_hash } = await post("/api/changes", { operation, input }, ann);
  await approved("changes", String(change_id));
  return ask(`/api/changes/${String(change_id)}/commit`, { intent_hash }, ann);
}

describe("[L-52.1] the policy", () => {
  const WHOLE = {
    high_risk_actions: [APPLY, "bulk.start"],
    friction_level_by_action: { [APPLY]: ["dry_run", "two_person"] },
    contextual_warnings: { [APPLY]: ["The spread is wide after lunch."] },
    hard_block_conditions: [{ condition: "targets_over", actions: ["bulk.start"], targets: 5 }],
  };

  it("[L-52.1] a home without one asks for nothing, and says so", async () => {
    expect(await read()).toMatchObject({
      version: 0,
      guardrail_id: null,
      high_risk_actions: [],
      friction_level_by_action: {},
      contextual_warnings: {},
      hard_block_conditions: [],
      updated_at: null,
      dry_run_within_seconds: 900,
    });
    expect(said(await config())).toBe("done");
  });

  it("[L-52.1] [L-6.1] is set at both paths with one dedupe space, read back whole, and kept as revisions", async () => {
    const command_id = world.id();
    const answer = await set({ ...WHOLE, command_id });
    expect(answer.body["data"]).toMatchObject({ ...WHOLE, version: 1, updated_by: ann.user_id, loosened: [] });
    const again = await ask("/guardrails/policy/set", { ...WHOLE, command_id }, ann);
    expect(again.body["data"]).toMatchObject({ version: 1, duplicate_suppressed: true });
    const shown = await read();
    expect(shown).toMatchObject({ ...WHOLE, version: 1, updated_by: ann.user_id, reason: "because" });
    expect(shown["guardrail_id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(shown["updated_at"]).toMatch(/Z$/);
    await policy({ ...WHOLE, high_risk_actions: [...WHOLE.high_risk_actions, "bots.limits"] });
    const listed = await world.http("GET", "/api/guardrails/policy/revisions");
    expect(listed.body["data"]).toMatchObject({ count: 2, revisions: [{ version: 2 }, { ...WHOLE, version: 1 }] });
    expect((await world.actions()).filter((one) => one === "guardrail.policy.set")).toHaveLength(2);
  });

  const FAULTS: readonly (readonly [string, Body, string, string])[] = [
    ["a field that is unknown", { colour: "red" }, "RUMI-VAL-008", "$.colour"],
    ["an action that is unknown", { high_risk_actions: ["bots.explode"] }, "RUMI-VAL-002", "$.high_risk_actions[0]"],
    ["an action that only tightens", { high_risk_actions: ["holds.set"] }, "RUMI-VAL-002", "$.high_risk_actions[0]"],
    ["a confirmation", { high_risk_actions: ["changes.commit"] }, "RUMI-VAL-002", "$.high_risk_actions[0]"],
    ["itself", { high_risk_actions: ["guardrails.set"] }, "RUMI-VAL-002", "$.high_risk_actions[0]"],
    ["what makes a second person", { high_risk_actions: ["users.create"] }, "RUMI-VAL-002", "$.high_risk_actions[0]"],
    [
      "a friction that is unknown",
      { high_risk_actions: [APPLY], friction_level_by_action: { [APPLY]: ["prayer"] } },
      "RUMI-VAL-002",
      `$.friction_level_by_action.${APPLY}[0]`,
    ],
    [
      "friction of what is not listed",
      { high_risk_actions: [], friction_level_by_action: { [APPLY]: ["dry_run"] } },
      "RUMI-VAL-002",
      `$.friction_level_by_action.${APPLY}`,
    ],
    [
      "a warning of what is not listed",
      { high_risk_actions: [], contextual_warnings: { [APPLY]: ["mind"] } },
      "RUMI-VAL-002",
      `$.contextual_warnings.${APPLY}`,
    ],
    [
      "a hard block of what is not listed",
      { high_risk_actions: [], hard_block_conditions: [{ condition: "incident_open", actions: [APPLY] }] },
      "RUMI-VAL-002",
      "$.hard_block_conditions[0].actions",
    ],
    [
      "a dry run of what has none",
      { high_risk_actions: ["venues.register"], friction_level_by_action: { "venues.register": ["dry_run"] } },
      "RUMI-VAL-002",
      "$.friction_level_by_action.venues.register",
    ],
  ];
  for (const [what, body, code, field] of FAULTS)
    it(`[L-52.1] refuses ${what}`, async () => {
      const answer = await set({ high_risk_actions: [], ...body });
      expect(answer.body).toMatchObject({ success: false, error_code: code });
      expect(String(answer.body["error"])).toContain(field);
      expect(await read()).toMatchObject({ version: 0 });
    });

  it("[L-52.1] a condition that is unknown, or lacks what it needs, is refused", async () => {
    for (const block of [
      { condition: "full_moon", actions: [APPLY] },
      { condition: "targets_over", actions: [APPLY] },
      { condition: "incident_open", actions: [APPLY], targets: 5 },
    ]) {
      const answer = await set({ high_risk_actions: [APPLY], hard_block_conditions: [block] });
      expect([block, answer.status]).toEqual([block, 400]);
    }
  });

  it("[L-52.1] only administrators set it, and everybody reads it", async () => {
    const operator = await make(["operator"]);
    expect(said(await set(WHOLE, operator))).toEqual([403, "RUMI-AUTH-003", "PERMISSION_DENIED"]);
    const viewer = await make(["view_only"]);
    expect((await world.http("GET", "/api/guardrails/policy", undefined, viewer.token)).status).toBe(200);
  });

  const MILDER: readonly (readonly [string, Body])[] = [
    ["an action less", { high_risk_actions: ["bulk.start"], friction_level_by_action: {}, contextual_warnings: {} }],
    ["a friction less", { friction_level_by_action: { [APPLY]: ["two_person"] } }],
    ["a warning less", { contextual_warnings: {} }],
    ["a hard block less", { hard_block_conditions: [] }],
    [
      "a milder hard block",
      { hard_block_conditions: [{ condition: "targets_over", actions: ["bulk.start"], targets: 6 }] },
    ],
  ];
  for (const [what, body] of MILDER)
    it(`[L-52.1] ${what} takes a second person; what is only stricter takes nobody`, async () => {
      await policy(WHOLE);
      await policy({
        ...WHOLE,
        hard_block_conditions: [
          { condition: "targets_over", actions: ["bulk.start"], targets: 4 },
          { condition: "incident_open", actions: [APPLY] },
        ],
      });
      await policy({
        ...WHOLE,
        friction_level_by_action: { [APPLY]: ["staging", "dry_run", "two_person"] },
        hard_block_conditions: [
          { condition: "targets_over", actions: ["bulk.start"], targets: 4 },
          { condition: "incident_open", actions: [APPLY] },
        ],
      });
      const before = await read();
      const milder = await set({ ...WHOLE, ...body });
      expect(said(milder)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
      const challenge = milder.body["challenge"] as Body;
      expect(challenge["requires"]).toEqual(["phrase", "second_person"]);
      const { challenge_id, intent_hash, phrase } = challenge;
      const confirm = `/api/challenges/${String(challenge_id)}/confirm`;
      expect(said(await ask(confirm, { intent_hash, phrase }, ann))).toEqual([
        409,
        "RUMI-CMD-017",
        "APPROVAL_REQUIRED",
      ]);
      expect(await read()).toEqual(before);
      await approved("challenges", String(challenge_id));
      expect(said(await ask(confirm, { intent_hash, phrase }, ann))).toBe("done");
      expect(await read()).toMatchObject({ version: 4, ...body });
    });
});

describe("[L-52.2] friction", () => {
  const asking = (...friction: readonly string[]): Body => ({
    high_risk_actions: [APPLY],
    friction_level_by_action: { [APPLY]: friction },
    contextual_warnings: { [APPLY]: ["The spread is wide after lunch."] },
  });
  const metric = (): number =>
    world.pipeline.settings.metrics
      .snapshot()
      .filter(({ name }) => name === "guardrail_block_count")
      .flatMap(({ series }) => series)
      .reduce((sum, { value }) => sum + value, 0);

  it("[L-52.2] [L-52.1] dry_run: skipped it is refused with warnings, impact and the command line; done by the same person it passes", async () => {
    await policy(asking("dry_run"));
    const skipped = await config();
    expect(said(skipped)).toEqual([409, "RUMI-CMD-030", BLOCKED]);
    expect(guardrailOf(skipped)).toMatchObject({
      action: APPLY,
      friction: ["dry_run"],
      missing: ["dry_run"],
      warnings: ["The spread is wide after lunch."],
      impact: { bot_id: "bot-1", state: "IDLE" },
    });
    expect(skipped.body["suggestion"]).toContain("rumi bots config-apply");
    expect(runbookOf("RUMI-CMD-030", BLOCKED)).toBe("docs/runbooks/guardrails.md");
    expect(await fast()).toBe(10);

    // Another person's, and one of something else, do not count.
    expect(said(await config({ dry_run: true }, ben))).toBe("done");
    expect(said(await config({ dry_run: true, config: { fast: 12 } }))).toBe("done");
    expect(said(await config())).toEqual([409, "RUMI-CMD-030", BLOCKED]);

    const dry = (await config({ dry_run: true, reason: "a look" })).body["data"] as Body;
    expect(dry).toMatchObject({
      dry_run: true,
      would: "apply",
      refusals: [],
      guardrail: { friction: ["dry_run"], missing: [], warnings: ["The spread is wide after lunch."] },
    });
    expect((dry["guardrail"] as Body)["dry_run_counts_until"]).toMatch(/Z$/);
    expect(said(await config())).toBe("done");
    expect(await fast()).toBe(11);
    expect(metric()).toBe(2);
    const { payload } = await world
      .http("GET", "/api/audit/events?action=controlplane.command.denied&limit=1")
      .then(({ body }) => ({ payload: (body["data"] as { events: Body[] }).events[0] }));
    expect(payload).toMatchObject({ details: { reason_code: BLOCKED, error_code: "RUMI-CMD-030" } });
  });

  it("[L-52.2] a dry run counts fifteen minutes, and one that is refused does not count", async () => {
    await policy(asking("dry_run"));
    const wrong = (await config({ dry_run: true, config: { fast: "eleven" } })).body["data"] as Body;
    expect(wrong).toMatchObject({ would: "refuse", guardrail: { dry_run_counts_until: null } });
    expect(said(await config({ config: { fast: "eleven" } }))).toEqual([409, "RUMI-CMD-030", BLOCKED]);
    expect(said(await config({ dry_run: true }))).toBe("done");
    world.clock.skip(15 * MINUTE_MS);
    expect(said(await config())).toEqual([409, "RUMI-CMD-030", BLOCKED]);
    expect(said(await config({ dry_run: true }))).toBe("done");
    world.clock.skip(14 * MINUTE_MS);
    expect(said(await config())).toBe("done");
  });

  it("[L-52.2] of one person the newest 64 dry runs are remembered, and what is over is forgotten", async () => {
    await policy(asking("dry_run"));
    const kept = async (): Promise<number> =>
      Number(
        (
          await world.store.rows<{ n: number }>({ sql: "SELECT count(*) AS n FROM guardrail_dry_run", parameters: [] })
        )[0]?.n,
      );
    for (let n = 0; n < 66; n += 1) {
      expect(said(await config({ dry_run: true, config: { fast: 11 + n } }))).toBe("done");
    }
    expect(await kept()).toBe(64);
    expect(said(await config({ config: { fast: 12 } }))).toEqual([409, "RUMI-CMD-030", BLOCKED]);
    world.clock.skip(15 * MINUTE_MS);
    expect(said(await config({ dry_run: true }))).toBe("done");
    expect(await kept()).toBe(1);
  });

  it("[L-52.2] staging: sent at once it is refused, also after a dry run; as a committed change it works", async () => {
    await policy(asking("staging", "dry_run"));
    const dry = (await config({ dry_run: true })).body["data"] as Body;
    expect(dry).toMatchObject({ would: "refuse", refusals: [{ stage: "guardrails", error_code: "RUMI-CMD-031" }] });
    const skipped = await config();
    expect(said(skipped)).toEqual([409, "RUMI-CMD-031", BLOCKED]);
    expect(guardrailOf(skipped)["missing"]).toEqual(["staging"]);
    expect(skipped.body["suggestion"]).toContain(`rumi changes propose --operation ${APPLY}`);
    const input = { bot_id: "bot-1", config: { fast: 11 }, at: "next_tick" };
    const proposal = await post("/api/changes", { operation: APPLY, input, dry_run: true }, ann);
    expect(proposal).toMatchObject({ preview: { blocked_by: [], warnings: ["The spread is wide after lunch."] } });
    expect(said(await changed(APPLY, input))).toBe("done");
    expect(await fast()).toBe(11);
  });

  it("[L-52.2] two_person: what asks for no challenge is refused when one person sends it, and works as a change", async () => {
    await policy(asking("two_person"));
    const skipped = await config();
    expect(said(skipped)).toEqual([409, "RUMI-CMD-032", BLOCKED]);
    expect(skipped.body["suggestion"]).toContain(`rumi changes propose --operation ${APPLY}`);
    expect(said(await changed(APPLY, { bot_id: "bot-1", config: { fast: 11 }, at: "next_tick" }))).toBe("done");
    expect(await fast()).toBe(11);
  });

  it("[L-52.2] two_person: what asks for a challenge asks for a second person in it, with the warnings; a challenge from before is refused", async () => {
    const safe = (): Promise<Reply> => ask("/api/safety/set", { mode: "NORMAL" }, ann);
    await post("/api/safety/set", { mode: "SAFE" });
    const before = (await safe()).body["challenge"] as Body;
    expect(before["requires"]).toEqual(["phrase"]);
    await policy({
      high_risk_actions: ["safety.set"],
      friction_level_by_action: { "safety.set": ["two_person"] },
      contextual_warnings: { "safety.set": ["Ask why it is SAFE."] },
    });
    const confirm = ({ challenge_id, intent_hash, phrase }: Body): Promise<Reply> =>
      ask(`/api/challenges/${String(challenge_id)}/confirm`, { intent_hash, phrase }, ann);
    expect(said(await confirm(before))).toEqual([409, "RUMI-CMD-032", BLOCKED]);

    const asked = (await safe()).body["challenge"] as Body;
    expect(asked).toMatchObject({ requires: ["phrase", "second_person"], warnings: ["Ask why it is SAFE."] });
    expect(said(await confirm(asked))).toEqual([409, "RUMI-CMD-017", "APPROVAL_REQUIRED"]);
    const shown = await approved("challenges", String(asked["challenge_id"]));
    expect(shown).toMatchObject({ warnings: ["Ask why it is SAFE."], blocked_by: [] });
    expect(said(await confirm(asked))).toBe("done");
    expect(said(await ask("/api/safety/set", { mode: "SAFE" }, ann))).toBe("done");
  });

  it("[L-52.2] stopping passes every step", async () => {
    await world.dialRunner();
    await post("/api/commands", commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER"));
    await policy({
      high_risk_actions: ["commands.submit"],
      friction_level_by_action: { "commands.submit": ["staging", "two_person", "dry_run"] },
      hard_block_conditions: [
        { condition: "outside_hours", actions: ["commands.submit"], from: "00:00", until: "00:00" },
      ],
    });
    const stop = await ask("/api/commands", commandBody(world, "bot-1", "RUNNING_PAPER", "STOPPING"), ann);
    expect(said(stop)).toBe("done");
    const start = await ask("/api/commands", commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER"), ann);
    expect(start.body["reason_code"]).toBe(BLOCKED);
  });
});

describe("[L-52.1] [L-52.2] hard blocks", () => {
  const block = (condition: Body, ...actions: readonly string[]): Promise<void> =>
    policy({
      high_risk_actions: actions,
      contextual_warnings: Object.fromEntries(actions.map((action) => [action, ["Slowly."]])),
      hard_block_conditions: [{ ...condition, actions }],
    });
  const expectBlocked = (answer: Reply, condition: string, problem: string): void => {
    expect(said(answer)).toEqual([409, "RUMI-CMD-008", BLOCKED]);
    expect(guardrailOf(answer)).toMatchObject({ condition, warnings: ["Slowly."] });
    expect(String(guardrailOf(answer)["problem"])).toContain(problem);
    expect(guardrailOf(answer)["impact"]).toEqual(expect.anything());
  };
  const bot = (bot_id: string, over: Body = {}): Promise<Reply> =>
    ask("/api/bots", { ...botBody(world, bot_id, world.digest), ...over }, ann);

  const hour = (more: number): string =>
    new Date(world.clock.now() / 1_000 + more * 3_600_000).toISOString().slice(11, 16);

  it("[L-52.2] incident_open: of what it is about, until it is lifted", async () => {
    await block({ condition: "incident_open" }, APPLY, "groups.create");
    await post("/api/bots", botBody(world, "bot-2", world.digest));
    const group = (group_id: string): Promise<Reply> => ask("/api/groups", { group_id }, ann);
    expect(said(await group("before"))).toBe("done");
    const { hold_id } = await post("/api/holds", { kind: "incident", scope: { bot_id: "bot-2" } });
    // Of another bot; but what names none meets them all.
    expect(said(await config())).toBe("done");
    expectBlocked(await group("meanwhile"), "incident_open", "bot_id:bot-2 by user:root");
    const lift = `/api/holds/${String(hold_id)}/lift`;
    const { challenge_id, intent_hash, phrase } = (await ask(lift, {})).body["challenge"] as Body;
    expect(said(await ask(`/api/challenges/${String(challenge_id)}/confirm`, { intent_hash, phrase }))).toBe("done");
    expect(said(await group("after"))).toBe("done");
  });

  it("[L-52.2] stop_unproven: of the bot, until its stop is attested", async () => {
    await block({ condition: "stop_unproven" }, APPLY, "bots.create");
    await world.dialRunner();
    await post("/api/commands", commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER"));
    await world.until("it runs", async () => {
      const { instances } = await world.bot();
      return (instances as readonly { phase: string }[])[0]?.phase === "running";
    });
    expect(said(await bot("bot-2"))).toBe("done");
    world.runner.drop();
    await post("/api/commands", commandBody(world, "bot-1", "RUNNING_PAPER", "STOPPING"));
    expect(await world.bot()).toMatchObject({ state: "STOPPING" });
    expectBlocked(await config(), "stop_unproven", "not proven stopped: bot-1");
    // It is about a bot that is not there yet: nothing of that one is unproven.
    expect(said(await bot("bot-3"))).toBe("done");
    await world.dialRunner();
    await world.until("its stop is proven", async () => (await world.bot())["state"] === "IDLE");
    expect(said(await config())).toBe("done");
  });

  it("[L-52.2] gate_not_pass: UNKNOWN, FAIL and over time refuse, PASS lets it through; only those that are named", async () => {
    const report = (gate: string, state: string): Promise<Body> =>
      post(`/api/gates/${gate}/report`, { state, rules: [], ttl_seconds: 60 });
    await block({ condition: "gate_not_pass", gates: ["market"] }, APPLY);
    expectBlocked(await config(), "gate_not_pass", "market is UNKNOWN");
    await report("market", "FAIL");
    expectBlocked(await config(), "gate_not_pass", "market is FAIL");
    await report("market", "PASS");
    await report("other", "FAIL");
    expect(said(await config())).toBe("done");
    world.clock.skip(MINUTE_MS);
    expectBlocked(await config({ config: { fast: 12 } }), "gate_not_pass", "market is UNKNOWN");
    await report("market", "PASS");
  });

  it("[L-52.2] gate_not_pass without names means every gate of the home", async () => {
    await block({ condition: "gate_not_pass" }, APPLY);
    expect(said(await config())).toBe("done");
    await post("/api/gates/other/report", { state: "FAIL", rules: [], ttl_seconds: 60 });
    expectBlocked(await config({ config: { fast: 12 } }), "gate_not_pass", "other is FAIL");
  });

  it("[L-52.2] targets_over: more bots at once than allowed", async () => {
    await block({ condition: "targets_over", targets: 1 }, "bulk.start");
    await post("/api/bots", botBody(world, "bot-2", world.digest));
    const bulk = (...bot_ids: readonly string[]): Promise<Reply> =>
      ask(
        "/api/bulk",
        {
          selector: { bot_ids },
          requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
          max_errors: 1,
        },
        ann,
      );
    expectBlocked(await bulk("bot-1", "bot-2"), "targets_over", "it is about 2 bots, more than 1");
    expect(said(await bulk("bot-1"))).toBe("done");
  });

  it("[L-52.2] capital_over: what it asks for, else what the bot has; the amount itself is allowed", async () => {
    await block({ condition: "capital_over", capital: "999.5" }, "bots.create", APPLY);
    expectBlocked(await bot("bot-2"), "capital_over", "more capital than 999.5");
    expectBlocked(await bot("bot-2", { capital: "999.50000001" }), "capital_over", "more capital than 999.5");
    expect(said(await bot("bot-2", { capital: "999.50" }))).toBe("done");
    expectBlocked(await config(), "capital_over", "more capital than 999.5");
  });

  it("[L-52.2] a capital that cannot be read refuses: no evidence is no permission", async () => {
    await block({ condition: "capital_over", capital: "999.5" }, "bots.create");
    expectBlocked(await bot("bot-2", { capital: "0" }), "capital_over", "it could not be evaluated");
  });

  it("[L-52.2] outside_hours: another time than allowed, UTC; within them it passes", async () => {
    const [from, until] = [hour(2), hour(4)];
    await block({ condition: "outside_hours", from, until }, APPLY);
    expectBlocked(await config(), "outside_hours", `it passes from ${from} until ${until}`);
    world.clock.skip(3 * 60 * MINUTE_MS);
    expect(said(await config())).toBe("done");
  });

  it("[L-52.2] outside_hours: only on its days, and hours over midnight belong to the day on which they began", async () => {
    const days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    const began = new Date(world.clock.now() / 1_000 - 3_600_000).getUTCDay();
    const hours = { condition: "outside_hours", from: hour(-1), until: hour(1) };
    const other = days.filter((_, at) => at !== began);
    await policy({
      high_risk_actions: [APPLY, "bots.create"],
      contextual_warnings: { "bots.create": ["Slowly."] },
      hard_block_conditions: [
        { ...hours, actions: [APPLY], days: [days[began]] },
        { ...hours, actions: ["bots.create"], days: other },
      ],
    });
    expect(said(await config())).toBe("done");
    expectBlocked(await bot("bot-2"), "outside_hours", `on ${other.join(", ")}`);
  });

  it("[L-52.2] is shown to whoever approves a change, and asked again at the commit, which it spends", async () => {
    await block({ condition: "gate_not_pass", gates: ["market"] }, APPLY);
    const input = { bot_id: "bot-1", config: { fast: 11 }, at: "next_tick" };
    const { change_id, intent_hash, blocked_by } = await post("/api/changes", { operation: APPLY, input }, ann);
    expect(blocked_by).toMatchObject([{ stage: "guardrails", error_code: "RUMI-CMD-008", reason_code: BLOCKED }]);
    const shown = await approved("changes", String(change_id));
    expect(shown).toMatchObject({ warnings: ["Slowly."], blocked_by: [{ error_code: "RUMI-CMD-008" }] });
    expectBlocked(
      await ask(`/api/changes/${String(change_id)}/commit`, { intent_hash }, ann),
      "gate_not_pass",
      "market is UNKNOWN",
    );
    const after = await world.http("GET", `/api/changes/${String(change_id)}`);
    expect(after.body["data"]).toMatchObject({ state: "FAILED", error_code: "RUMI-CMD-008" });
    expect(await fast()).toBe(10);
  });

  it("[L-52.2] a challenge that was opened before is refused at its confirmation", async () => {
    await post("/api/safety/set", { mode: "SAFE" });
    const { challenge_id, intent_hash, phrase } = (await ask("/api/safety/set", { mode: "NORMAL" }, ann)).body[
      "challenge"
    ] as Body;
    await block({ condition: "gate_not_pass", gates: ["market"] }, "safety.set");
    expectBlocked(
      await ask(`/api/challenges/${String(challenge_id)}/confirm`, { intent_hash, phrase }, ann),
      "gate_not_pass",
      "market is UNKNOWN",
    );
    const safety = await world.http("GET", "/api/safety");
    expect(safety.body["data"]).toMatchObject({ mode: "SAFE" });
  });
});
