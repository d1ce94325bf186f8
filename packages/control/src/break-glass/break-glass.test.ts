/**
 * Strong operations: only inside a session that a second person approved, that lists them and that has not ended; and
 * nothing dangerous for its holder until somebody else has reviewed it.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { defineOperation, ROOT, type Answer, type Principal } from "@rumi/operations";
import { ok } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { CLOSED, CommandIdField, ReasonField } from "../shared/fields.ts";

const ALICE: Principal = { id: "user:01900000-0000-7000-8000-00000000000a", roles: ["admin", "break_glass"] };

/** A strong operation: nothing of the product may do what it does, so it does nothing. */
const strong = defineOperation({
  name: "walls.take_down",
  summary: "A strong operation",
  http: { method: "POST", path: "/api/walls" },
  input: Type.Object({ command_id: CommandIdField, reason: ReasonField }, CLOSED),
  output: Type.Object({}),
  key: "command_id",
  permission: ["admin", "break_glass"],
  risk: () => "increase",
  danger: () => ({ kind: "confirm", requires: ["phrase"], phrase: "DOWN", base: {}, strong: true }),
  target: () => ({ resource_type: "wall", resource_id: "north" }),
  gates: [],
  load: () => Promise.resolve(null),
  decide: (_facts, _input, { approval_id }) => ok({ writes: [], events: [], outbox: [], data: { approval_id } }),
});

let world: Control;
beforeEach(async () => {
  world = await openControl({ bare: true, declarations: [strong] });
});
afterEach(async () => {
  await world.close();
});

const takeDown = (): Promise<Answer> =>
  world.command("walls.take_down", { command_id: world.id(), reason: "the siege" }, { principal: ALICE });
const ask = (over: Record<string, unknown> = {}, principal = ALICE): Promise<Answer> =>
  world.command("break_glass.open", { verbs: ["walls.take_down"], reason: "the siege", ...over }, { principal });
const reasonCode = (answer: Answer): string | undefined =>
  answer.kind === "refused" ? answer.failure.reasonCode : `done ${answer.status}`;

async function approve(asked: Answer): Promise<void> {
  const { challenge_id, intent_hash } = challengeOf(asked);
  dataOf(await world.query("challenges.show", {}, { challenge_id }, ROOT));
  dataOf(
    await world.command(
      "challenges.approve",
      { intent_hash, reason: "I have read it" },
      { params: { challenge_id }, principal: ROOT },
    ),
  );
}
async function open(over: Record<string, unknown> = {}): Promise<string> {
  const asked = await ask(over);
  await approve(asked);
  return String(dataOf(await world.confirm(asked, {}, ALICE))["session_id"]);
}
const act = (verb: string, session_id: string, principal: Principal): Promise<Answer> =>
  world.command(
    `break_glass.${verb}`,
    { reason: "it was needed, and it was right" },
    { params: { session_id }, principal },
  );

describe("[L-N9] [L-19] break-glass", () => {
  it("a strong operation without an open session is refused; inside one it is still confirmed", async () => {
    const refused = await takeDown();
    expect([codeOf(refused), reasonCode(refused)]).toEqual(["RUMI-CMD-022", "L.BREAK_GLASS.REQUIRED"]);
    const session_id = await open();
    const asked = await takeDown();
    expect(codeOf(asked)).toBe("RUMI-CMD-004");
    const { challenge_id } = challengeOf(asked);
    expect(dataOf(await world.confirm(asked, {}, ALICE))).toEqual({ approval_id: challenge_id });
    const shown = dataOf(await world.query("break_glass.show", {}, { session_id }));
    expect(shown).toMatchObject({ state: "OPEN", holder: ALICE.id, verbs: ["walls.take_down"] });
    const commands = shown["commands"] as { operation: string; under_session: boolean }[];
    expect(commands.filter(({ under_session }) => under_session)).toMatchObject([{ operation: "walls.take_down" }]);
    expect(await world.actions()).toContain("break_glass.opened");
  });

  it("opening takes a reason, a second person, the role, known verbs and at most half an hour", async () => {
    const asked = await ask();
    expect(challengeOf(asked)).toMatchObject({ requires: ["phrase", "second_person"], phrase: "BREAK GLASS" });
    expect(codeOf(await world.confirm(asked, {}, ALICE))).toBe("RUMI-CMD-017");
    expect(codeOf(await ask({}, { ...ALICE, roles: ["admin"] }))).toBe("RUMI-AUTH-003");
    expect(codeOf(await ask({ valid_for_seconds: 1_801 }))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await ask({ verbs: [] }))).toMatch(/^RUMI-VAL/);
    expect(reasonCode(await ask({ reason: "" }))).toBe("REASON_REQUIRED");
    const unknown = await ask({ verbs: ["walls.paint"] });
    await approve(unknown);
    expect(codeOf(await world.confirm(unknown, {}, ALICE))).toBe("RUMI-VAL-002");
    expect(dataOf(await world.query("break_glass.list"))).toMatchObject({ count: 0 });
  });

  it("a session covers its holder, its verbs and its time, also at the confirmation", async () => {
    await open({ verbs: ["safety.set"], valid_for_seconds: 600 });
    expect(reasonCode(await takeDown()), "another verb").toBe("L.BREAK_GLASS.REQUIRED");
    await world.close();
    world = await openControl({ bare: true, declarations: [strong] });
    const session_id = await open({ valid_for_seconds: 60 });
    const other = await world.command("walls.take_down", { command_id: world.id(), reason: "x" }, { principal: ROOT });
    expect(reasonCode(other), "another person").toBe("L.BREAK_GLASS.REQUIRED");
    const asked = await takeDown();
    world.clock.skip(60_001);
    expect(reasonCode(await world.confirm(asked, {}, ALICE)), "its time is over").toBe("L.BREAK_GLASS.REQUIRED");
    expect(dataOf(await world.query("break_glass.show", {}, { session_id }))).toMatchObject({
      state: "REVIEW_PENDING",
    });
  });

  it("its end leaves a review that blocks, and that the holder cannot give", async () => {
    const session_id = await open();
    expect(codeOf(await act("review", session_id, ROOT)), "not before its end").toBe("RUMI-CMD-025");
    dataOf(await act("close", session_id, ALICE));
    expect(reasonCode(await takeDown())).toBe("L.BREAK_GLASS.REQUIRED");
    const set = (mode: string, principal: Principal) =>
      world.command("safety.set", { command_id: world.id(), mode, reason: "x" }, { principal });
    dataOf(await set("SAFE", ALICE));
    expect(reasonCode(await set("NORMAL", ALICE)), "nothing dangerous for its holder").toBe(
      "L.BREAK_GLASS.REVIEW_PENDING",
    );
    expect(reasonCode(await set("NORMAL", ROOT))).toBe("CONFIRMATION_REQUIRED");
    expect(reasonCode(await ask()), "no other session").toBe("L.BREAK_GLASS.REVIEW_PENDING");
    expect(reasonCode(await act("review", session_id, ALICE))).toBe("SECOND_PERSON_REQUIRED");
    expect(dataOf(await act("review", session_id, ROOT))).toMatchObject({
      state: "REVIEWED",
      reviewed_by: "user:root",
    });
    expect(reasonCode(await set("NORMAL", ALICE))).toBe("CONFIRMATION_REQUIRED");
    expect(await world.actions()).toEqual(expect.arrayContaining(["break_glass.ended", "break_glass.reviewed"]));
  });
});
