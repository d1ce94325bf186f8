/** What the gate demands: revisions that are never changed, and two people for whatever lets more through. */
import type { SupplyPolicy } from "@rumi/supply";
import { ROOT, type Answer, type Principal } from "@rumi/operations";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { asksForReport, DEFAULT_POLICY, looserFields } from "./policy.ts";

const ALICE: Principal = { id: "user:01900000-0000-7000-8000-00000000000b", roles: ["admin"] };
let world: Control;
beforeEach(async () => {
  world = await openControl({ bare: true });
});
afterEach(async () => {
  await world.close();
});

const set = (policy: unknown, over = {}): Promise<Answer> =>
  world.command(
    "supply_chain.policy_set",
    { command_id: world.id(), ...(policy as SupplyPolicy), reason: "ours", ...over },
    { principal: ALICE },
  );
const now = async () => dataOf(await world.query("supply_chain.policy"));

/** The same policy, each time with one field moved the way that lets more through. */
const STRICT: SupplyPolicy = {
  require_signature: true,
  require_lock_files: true,
  require_hashes: true,
  require_advisories: true,
  max_allowed: { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 },
  advisories_max_age_seconds: 3_600,
  exceptions: { allowed: false, max_seconds: 3_600 },
};
const LOOSER: readonly (readonly [string, Partial<SupplyPolicy>])[] = [
  ["require_signature", { require_signature: false }],
  ["require_lock_files", { require_lock_files: false }],
  ["require_hashes", { require_hashes: false }],
  ["require_advisories", { require_advisories: false }],
  ...(["critical", "high", "medium", "low", "unknown"] as const).map(
    (severity) => [`max_allowed.${severity}`, { max_allowed: { ...STRICT.max_allowed, [severity]: 1 } }] as const,
  ),
  ["advisories_max_age_seconds", { advisories_max_age_seconds: 3_601 }],
  ["exceptions.allowed", { exceptions: { allowed: true, max_seconds: 3_600 } }],
  ["exceptions.max_seconds", { exceptions: { allowed: false, max_seconds: 3_601 } }],
];

it("[L-51.1] each field by itself loosens or tightens", () => {
  for (const [field, change] of LOOSER) {
    const next = { ...STRICT, ...change };
    expect(looserFields(STRICT, next)).toEqual([field]);
    expect(looserFields(next, STRICT), field).toEqual([]);
  }
  expect(looserFields(STRICT, STRICT)).toEqual([]);
  expect(asksForReport(DEFAULT_POLICY)).toBe(false);
  for (const name of ["require_signature", "require_lock_files", "require_hashes", "require_advisories"] as const)
    expect(asksForReport({ ...DEFAULT_POLICY, [name]: true }), name).toBe(true);
});

it("[L-51.1] [L-N16] the default is echoed; tightening takes one person, loosening two; revisions stay", async () => {
  expect(await now()).toMatchObject({ revision: 0, policy: DEFAULT_POLICY, asks_for_report: false, set_by: null });
  expect(dataOf(await set(STRICT))).toMatchObject({ revision: 1, policy: STRICT, approval_id: null, changed: true });
  expect(dataOf(await set(STRICT))).toMatchObject({ revision: 1, changed: false });
  for (const [field, change] of LOOSER) {
    const asked = await set({ ...STRICT, ...change });
    expect(challengeOf(asked).requires, field).toEqual(["phrase", "second_person"]);
    expect(codeOf(await world.confirm(asked, {}, ALICE)), field).toBe("RUMI-CMD-017");
  }
  expect(await now()).toMatchObject({ revision: 1, policy: STRICT });
  const asked = await set(DEFAULT_POLICY);
  const { challenge_id, intent_hash } = challengeOf(asked);
  dataOf(await world.query("challenges.show", {}, { challenge_id }, ROOT));
  dataOf(await world.command("challenges.approve", { intent_hash, reason: "read" }, { params: { challenge_id } }));
  expect(dataOf(await world.confirm(asked, {}, ALICE))).toMatchObject({ revision: 2, approval_id: challenge_id });
  const listed = dataOf(await world.query("supply_chain.policies"));
  expect(listed["policies"]).toMatchObject([
    { revision: 2, policy: DEFAULT_POLICY },
    { revision: 1, policy: STRICT, reason: "ours", set_by: ALICE.id },
  ]);
  expect(dataOf(await world.query("supply_chain.policies", { before_revision: "2" }))).toMatchObject({ count: 1 });
  const events = dataOf(await world.query("audit.events", { action: "supply_chain.policy.set" }))["events"];
  expect((events as { details: { revision: number; looser: string[] } }[]).map(({ details }) => details)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ revision: 1, from_revision: 0, looser: [] }),
      expect.objectContaining({
        revision: 2,
        from_revision: 1,
        looser: expect.arrayContaining(["require_hashes"]) as unknown,
      }),
    ]),
  );
});

it("[L-51.1] every field is said: none has a default, none is open, each has its bounds", async () => {
  for (const field of Object.keys(STRICT)) {
    const { [field as keyof SupplyPolicy]: _, ...rest } = STRICT;
    expect(codeOf(await set(rest)), field).toMatch(/^RUMI-VAL/);
  }
  for (const bad of [
    { require_signature: "true" },
    { max_allowed: { ...STRICT.max_allowed, none: 0 } },
    { max_allowed: { critical: 0, high: 0, medium: 0, low: 0 } },
    { max_allowed: { ...STRICT.max_allowed, low: -1 } },
    { max_allowed: { ...STRICT.max_allowed, low: 10_001 } },
    { advisories_max_age_seconds: 31_536_001 },
    { exceptions: { allowed: true, max_seconds: 604_801 } },
    { more: 1 },
  ])
    expect(codeOf(await set({ ...STRICT, ...bad })), JSON.stringify(bad)).toMatch(/^RUMI-VAL/);
  const operator: Principal = { id: "user:01900000-0000-7000-8000-00000000000c", roles: ["operator"] };
  const body = { command_id: world.id(), ...STRICT, reason: "x" };
  expect(codeOf(await world.command("supply_chain.policy_set", body, { principal: operator }))).toBe("RUMI-AUTH-003");
  expect(await now()).toMatchObject({ revision: 0 });
});
