/**
 * Dangerous operations from the wish to the effect: nothing happens unconfirmed, a confirmation acts once, and whatever
 * is late, wrong, used, stale or somebody else's is refused with its code.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Answer, Principal } from "@rumi/operations";
import { write } from "@rumi/store";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import type { UserTables } from "../users/tables.ts";

const ALICE: Principal = { id: "user:01900000-0000-7000-8000-00000000000a", roles: ["operator", "admin"] };
const BOB: Principal = { id: "user:01900000-0000-7000-8000-00000000000b", roles: ["operator", "admin"] };
const OLGA: Principal = { id: "user:01900000-0000-7000-8000-00000000000c", roles: ["operator"] };

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});

const reasonCode = (answer: Answer): string | undefined =>
  answer.kind === "refused" ? answer.failure.reasonCode : `done ${answer.status}`;
const SAFE = (mode: string, by: Principal = ALICE, over: Record<string, unknown> = {}): Promise<Answer> =>
  world.command("safety.set", { command_id: world.id(), mode, reason: "because", ...over }, { principal: by });
const mode = async (): Promise<unknown> => dataOf(await world.query("safety.show"))["mode"];
const act = (verb: string, asked: Answer, by: Principal, over: Record<string, unknown> = {}): Promise<Answer> => {
  const { challenge_id, intent_hash } = challengeOf(asked);
  return world.command(
    `challenges.${verb}`,
    { intent_hash, reason: "looked at it", ...over },
    { params: { challenge_id }, principal: by },
  );
};
const show = (asked: Answer, by: Principal): Promise<Answer> =>
  world.query("challenges.show", {}, { challenge_id: challengeOf(asked).challenge_id }, by);
const confirm = (asked: Answer, over: Record<string, unknown> = {}, by: Principal = ALICE): Promise<Answer> =>
  world.confirm(asked, over, by);
/** A row for a principal of this test, whose id is written here. */
async function known({ id, roles }: Principal): Promise<void> {
  const insert = world.store
    .builder<UserTables>()
    .insertInto("operator")
    .values({
      user_id: id,
      environment: "prod",
      display_name: "same name for all",
      roles: JSON.stringify(roles),
      state: "active",
      created_at: 1,
      created_by: "user:root",
      updated_at: 1,
      row_version: 1,
    });
  expect((await world.store.commit({ writes: [write(insert, 1)], events: [] })).ok).toBe(true);
}
/** A bot on a simulator, which may go live. */
async function liveBot(): Promise<void> {
  await world.addVenueOutside();
  await world.dialRunner();
  dataOf(await world.makeBot("bot-1", { venue: "OUT" }));
}
const goLive = (by: Principal = ALICE, over: Record<string, unknown> = {}): Promise<Answer> =>
  world.command(
    "commands.submit",
    {
      command_id: world.id(),
      target: { bot_id: "bot-1" },
      requested_transition: { from: "IDLE", to: "RUNNING_LIVE" },
      reason: "the day has come",
      trace_id: world.id(),
      run_id: world.id(),
      schema_version: 1,
      ...over,
    },
    { principal: by },
  );

describe("a challenge", () => {
  it("[G-4.1] [G-4.2] is the answer to a live start: id, requires, intent hash, expiry, impact; nothing has moved", async () => {
    await liveBot();
    const asked = await goLive();
    expect(asked).toMatchObject({ kind: "refused", status: 409, failure: { reasonCode: "CONFIRMATION_REQUIRED" } });
    const challenge = challengeOf(asked);
    expect(challenge).toMatchObject({
      requires: ["phrase"],
      phrase: "bot-1",
      state: "AWAITING_CONFIRMATION",
      blocked_by: [],
      preview: { bot_id: "bot-1", current_state: "IDLE", capital: "1000" },
    });
    expect(challenge.intent_hash).toMatch(/^sha256:[0-9a-f]{64}$/);
    const left = Date.parse(challenge.expiry) - world.clock.now() / 1_000;
    expect(left).toBeGreaterThan(50_000);
    expect(left).toBeLessThanOrEqual(60_000);
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
    expect(await world.actions()).not.toContain("controlplane.command.denied");
  });

  it("[G-4.2] [G-6.2] confirmed, it runs the stored request once; asked for again it answers as the first time", async () => {
    await liveBot();
    const command_id = world.id();
    const body = { command_id, trace_id: world.id(), run_id: world.id() };
    const asked = await goLive(ALICE, body);
    expect(dataOf(await world.query("commands.show", {}, { command_id }))).toMatchObject({ status: "challenged" });
    const done = await confirm(asked);
    expect(dataOf(done)).toMatchObject({ command_id, state: "RUNNING_LIVE", bot_id: "bot-1" });
    expect(await world.bot()).toMatchObject({ state: "RUNNING_LIVE" });
    const again = await goLive(ALICE, body);
    expect([again.duplicate_suppressed, challengeOf(again)]).toEqual([true, challengeOf(asked)]);
    const twice = await confirm(asked);
    expect([codeOf(twice), reasonCode(twice)]).toEqual(["RUMI-CMD-016", "CONFIRMATION_USED"]);
    const chain = dataOf(await world.query("commands.show", {}, { command_id }));
    const actions = (chain["audit"] as { action: string }[]).map(({ action }) => action);
    for (const action of [
      "controlplane.command.requested",
      "dangerous_op.challenge",
      "dangerous_op.confirm",
      "bot.state.transition",
      "controlplane.command.applied",
    ])
      expect(
        actions.filter((one) => one === action),
        action,
      ).toHaveLength(1);
    const applied = (chain["audit"] as { action: string; details: Record<string, unknown> }[]).find(
      ({ action }) => action === "controlplane.command.applied",
    );
    expect(applied?.details).toMatchObject({
      approval_id: challengeOf(asked).challenge_id,
      reason: "the day has come",
    });
  });

  it("[G-6.2] fifty confirmations at once have one effect", async () => {
    dataOf(await SAFE("SAFE"));
    const asked = await SAFE("NORMAL");
    const answers = await Promise.all(Array.from({ length: 50 }, () => confirm(asked)));
    expect(answers.filter(({ kind }) => kind === "done")).toHaveLength(1);
    for (const answer of answers.filter(({ kind }) => kind === "refused"))
      expect(codeOf(answer)).toMatch(/^RUMI-CMD-(016|009|001)$/);
    const actions = await world.actions();
    expect(actions.filter((action) => action === "dangerous_op.confirm")).toHaveLength(1);
    expect(actions.filter((action) => action === "safety.transition")).toHaveLength(2);
  });

  it("[G-4.2] late, by another, with another phrase, for another payload, without a reason: refused, and nothing moves", async () => {
    dataOf(await SAFE("SAFE"));
    const asked = await SAFE("NORMAL");
    const other = await SAFE("NORMAL");
    const mismatch = ["RUMI-CMD-014", "CONFIRMATION_MISMATCH"];
    const told = async (answer: Promise<Answer>) => [codeOf(await answer), reasonCode(await answer)];
    expect(await told(confirm(asked, {}, BOB))).toEqual(mismatch);
    expect(await told(confirm(asked, { phrase: "i understand live risk" }))).toEqual(mismatch);
    expect(await told(confirm(asked, { phrase: undefined }))).toEqual(mismatch);
    expect(await told(confirm(asked, { intent_hash: challengeOf(other).intent_hash }))).toEqual(mismatch);
    expect(await told(confirm(asked, { reason: undefined }))).toEqual(["RUMI-VAL-001", "REASON_REQUIRED"]);
    expect(await told(confirm(asked, { reason: "   " }))).toEqual(["RUMI-VAL-002", "REASON_REQUIRED"]);
    expect(await told(act("confirm", asked, ALICE, { config: {} }))).toEqual(["RUMI-VAL-008", undefined]);
    const nowhere = await world.command(
      "challenges.confirm",
      { intent_hash: challengeOf(asked).intent_hash, reason: "x" },
      { params: { challenge_id: world.id() } },
    );
    expect(codeOf(nowhere)).toBe("RUMI-CMD-020");
    world.clock.skip(120_001);
    expect(await told(confirm(asked))).toEqual(["RUMI-CMD-013", "CONFIRMATION_EXPIRED"]);
    expect(await mode()).toBe("SAFE");
    expect(await world.actions()).not.toContain("dangerous_op.confirm");
  });

  it("[G-4.2] a stored request that was altered is not what was asked for any more", async () => {
    dataOf(await SAFE("EMERGENCY_STOP"));
    const asked = await SAFE("SAFE");
    const altered = await world.store.commit({
      writes: [
        {
          sql: 'UPDATE challenge SET input = replace(input, \'"mode":"SAFE"\', \'"mode":"NORMAL"\')',
          parameters: [],
          expect: 1,
        },
      ],
      events: [],
    });
    expect(altered.ok).toBe(true);
    expect(codeOf(await confirm(asked))).toBe("RUMI-CMD-014");
    expect(await mode()).toBe("EMERGENCY_STOP");
  });

  it("[G-4.2] a base that moved makes the plan stale, for ever", async () => {
    dataOf(await SAFE("SAFE"));
    const asked = await SAFE("NORMAL");
    dataOf(await SAFE("EMERGENCY_STOP"));
    const stale = await confirm(asked);
    expect([codeOf(stale), reasonCode(stale)]).toEqual(["RUMI-CMD-015", "CONFIRMATION_STALE"]);
    expect(await mode()).toBe("EMERGENCY_STOP");
    expect(codeOf(await confirm(asked))).toBe("RUMI-CMD-016");
  });

  it("[G-4.2] rejected or expired, each says so in the log and confirms nothing", async () => {
    dataOf(await SAFE("SAFE"));
    const rejected = await SAFE("NORMAL");
    expect(codeOf(await act("reject", rejected, OLGA))).toBe("RUMI-AUTH-003");
    expect(dataOf(await act("reject", rejected, BOB))).toMatchObject({ state: "REJECTED", rejected_by: BOB.id });
    expect(codeOf(await confirm(rejected))).toBe("RUMI-CMD-016");
    const forgotten = await SAFE("NORMAL");
    world.clock.skip(120_001);
    await world.rounds(1);
    const shown = dataOf(await show(forgotten, ALICE));
    expect(shown).toMatchObject({ state: "EXPIRED", blocked_by: null });
    const actions = await world.actions();
    expect(actions.filter((action) => action === "dangerous_op.reject")).toHaveLength(1);
    expect(actions.filter((action) => action === "dangerous_op.expire")).toHaveLength(1);
  });

  it("[G-5.1] a confirmation is judged by the safety of its own moment, and is spent", async () => {
    await liveBot();
    const asked = await goLive();
    dataOf(await SAFE("SAFE"));
    expect(reasonCode(await confirm(asked))).toBe("G.SAFETY.SAFE");
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
    expect(codeOf(await confirm(asked))).toBe("RUMI-CMD-016");
    expect(dataOf(await show(asked, ALICE))).toMatchObject({ state: "REFUSED", error_code: "RUMI-CMD-005" });
  });

  it("[G-4.2] a confirmation that a crash interrupted acts once afterwards, and not at all when its time has passed", async () => {
    dataOf(await SAFE("SAFE"));
    const interrupted = async (asked: Answer): Promise<void> => {
      const { challenge_id, intent_hash, phrase } = challengeOf(asked);
      const key = world.id();
      const input = { command_id: key, challenge_id, intent_hash, phrase, reason: "meant" };
      const recovery_point = {
        version: 1,
        owner: "dead",
        attempts: 1,
        principal: ALICE,
        input,
        withheld: false,
        run_id: null,
      };
      const claimed = await world.store.commit({
        writes: [
          {
            sql: "INSERT INTO operation_key (key, operation, fingerprint, state, recovery_point, actor, trace_id, created_at, updated_at) VALUES (?, 'challenges.confirm', 'f', 'requested', ?, ?, ?, 1, 1)",
            parameters: [key, JSON.stringify(recovery_point), ALICE.id, key],
            expect: 1,
          },
        ],
        events: [],
      });
      expect(claimed.ok).toBe(true);
    };
    const late = await SAFE("NORMAL");
    world.clock.skip(120_001);
    await interrupted(late);
    expect(await world.pipeline.recover()).toMatchObject({ found: 1, applied: 0, refused: 1 });
    expect(await mode()).toBe("SAFE");
    await interrupted(await SAFE("NORMAL"));
    expect(await world.pipeline.recover()).toMatchObject({ found: 1, applied: 1 });
    expect(await mode()).toBe("NORMAL");
    expect(await world.pipeline.recover()).toMatchObject({ found: 0 });
  });

  it("[L-04] an operator cannot ask for it, nor confirm once the role is gone", async () => {
    dataOf(await SAFE("SAFE", OLGA));
    expect(codeOf(await SAFE("NORMAL", OLGA))).toBe("RUMI-AUTH-003");
    const asked = await SAFE("NORMAL");
    expect(codeOf(await confirm(asked, {}, { ...ALICE, roles: ["view_only"] }))).toBe("RUMI-AUTH-003");
    for (const left of [["break_glass"], ["operator"]] as const) {
      const again = await SAFE("NORMAL");
      expect(codeOf(await confirm(again, {}, { ...ALICE, roles: left })), left[0]).toBe("RUMI-AUTH-003");
    }
    expect(await mode()).toBe("SAFE");
  });

  it("[G-4.1] [G-2.2a] QUARANTINED is left by a confirmed release, to IDLE, once nothing of it runs", async () => {
    dataOf(await world.makeBot());
    dataOf(await world.move("bot-1", "IDLE", "QUARANTINED"));
    expect(dataOf(await world.moveConfirmed("bot-1", "QUARANTINED", "IDLE"))).toMatchObject({ state: "IDLE" });
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
  });

  it("[L-34] a dry run tells that it would be challenged, and makes no challenge", async () => {
    dataOf(await SAFE("SAFE"));
    expect(dataOf(await SAFE("NORMAL", ALICE, { dry_run: true }))).toMatchObject({
      would: "challenge",
      preview: { from: "SAFE", to: "NORMAL", live_bots: 0 },
    });
    expect(dataOf(await world.query("challenges.list"))).toMatchObject({ count: 0 });
  });

  it("has a limit for each requester", async () => {
    dataOf(await SAFE("SAFE"));
    for (let made = 0; made < 64; made += 1) expect(codeOf(await SAFE("NORMAL"))).toBe("RUMI-CMD-004");
    expect(codeOf(await SAFE("NORMAL"))).toBe("RUMI-CMD-021");
    expect(codeOf(await SAFE("NORMAL", BOB))).toBe("RUMI-CMD-004");
  });
});

describe("where dangerous operations are switched off", () => {
  it("[G-4.1] none is done, and none is asked to be confirmed", async () => {
    await world.close();
    world = await openControl({ dangerous_operations: "disabled" });
    dataOf(await SAFE("SAFE"));
    expect(reasonCode(await SAFE("NORMAL"))).toBe("DANGEROUS_OPS_DISABLED");
    expect(dataOf(await world.query("challenges.list"))).toMatchObject({ count: 0 });
  });
});

describe("a second person", () => {
  beforeEach(async () => {
    await world.close();
    world = await openControl({ environment: "prod" });
    await known(BOB);
    dataOf(await SAFE("SAFE"));
  });

  it("[L-N10] [L-43] reads the exact request, approves it, and only then the requester's window opens", async () => {
    const asked = await SAFE("NORMAL");
    expect(challengeOf(asked)).toMatchObject({ requires: ["phrase", "second_person"], state: "AWAITING_APPROVAL" });
    const early = await confirm(asked);
    expect([codeOf(early), reasonCode(early)]).toEqual(["RUMI-CMD-017", "APPROVAL_REQUIRED"]);
    const shown = dataOf(await show(asked, BOB));
    expect(shown).toMatchObject({
      requester: ALICE.id,
      intent: { operation: "safety.set", input: { mode: "NORMAL" }, base: { mode: "SAFE" }, environment: "prod" },
      impact: { from: "SAFE", to: "NORMAL" },
      blocked_by: [],
    });
    world.clock.skip(1_700_000);
    expect(dataOf(await act("approve", asked, BOB))).toMatchObject({ state: "AWAITING_CONFIRMATION" });
    world.clock.skip(100_000);
    expect(dataOf(await confirm(asked))).toMatchObject({ mode: "NORMAL" });
    const events = await world.actions();
    expect(events).toEqual(expect.arrayContaining(["query.sensitive_read", "dangerous_op.approve"]));
  });

  it("[L-N10] is another person, entitled, in time, once, and was shown what is approved", async () => {
    const asked = await SAFE("NORMAL");
    const told = async (answer: Promise<Answer>) => [codeOf(await answer), reasonCode(await answer)];
    await show(asked, ALICE);
    expect(await told(act("approve", asked, ALICE))).toEqual(["RUMI-CMD-018", "SECOND_PERSON_REQUIRED"]);
    expect(await told(act("approve", asked, BOB))).toEqual(["RUMI-CMD-019", "INTENT_NOT_SERVED"]);
    expect(await told(act("approve", asked, OLGA))).toEqual(["RUMI-AUTH-003", "PERMISSION_DENIED"]);
    dataOf(await show(asked, BOB));
    const other = await SAFE("NORMAL");
    expect(await told(act("approve", asked, BOB, { intent_hash: challengeOf(other).intent_hash }))).toEqual([
      "RUMI-CMD-014",
      "CONFIRMATION_MISMATCH",
    ]);
    expect(codeOf(await act("approve", other, BOB)), "what was served is another intent").toBe("RUMI-CMD-019");
    dataOf(await act("approve", asked, BOB));
    expect(codeOf(await act("approve", asked, BOB))).toBe("RUMI-CMD-014");
    dataOf(await show(other, BOB));
    world.clock.skip(1_800_001);
    expect(codeOf(await act("approve", other, BOB))).toBe("RUMI-CMD-013");
    expect(codeOf(await confirm(asked))).toBe("RUMI-CMD-013");
    expect(await mode()).toBe("SAFE");
  });

  it("[L-N10] an approval falls with the approver's role", async () => {
    const asked = await SAFE("NORMAL");
    dataOf(await show(asked, BOB));
    dataOf(await act("approve", asked, BOB));
    dataOf(
      await world.command(
        "users.roles_set",
        { roles: ["operator"], reason: "moved on" },
        { params: { user_id: BOB.id } },
      ),
    );
    expect(codeOf(await confirm(asked))).toBe("RUMI-AUTH-003");
    expect(await mode()).toBe("SAFE");
  });

  it("[L-N10] the database itself refuses one person on both sides", async () => {
    const asked = await SAFE("NORMAL");
    const { challenge_id, intent_hash } = challengeOf(asked);
    const insert = (approver: string) =>
      world.store
        .commit({
          writes: [
            {
              sql: "INSERT INTO challenge_approval (challenge_id, requester, approver, intent_hash, reason, approved_at) VALUES (?, ?, ?, ?, 'x', 1)",
              parameters: [challenge_id, ALICE.id, approver, intent_hash],
              expect: 1,
            },
          ],
          events: [],
        })
        .then(({ ok }) => ok)
        .catch(() => false);
    expect(await insert(ALICE.id)).toBe(false);
    expect(await insert(BOB.id)).toBe(true);
  });
});
