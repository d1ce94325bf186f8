/** Forgetting events: not before their time, by two people, and the log verifies behind it. */
import { isoFromMicros, micros, systemRandom } from "@rumi/kernel";
import { encodeVerifier, EVENT_CATALOGUE, signerFromPem, verifyLog, type EventAction } from "@rumi/ledger";
import { ROOT, type Answer, type Principal } from "@rumi/operations";
import { systemEvent } from "@rumi/platform";
import { storedLog } from "@rumi/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf, signer } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { ERASURE_EVENTS } from "./erasure.ts";

const ALICE: Principal = { id: "user:01900000-0000-7000-8000-00000000000b", roles: ["admin"] };
const DAY_MS = 86_400_000;
const YEARS_MS = 2_558 * DAY_MS;
let world: Control;
beforeEach(async () => {
  world = await openControl();
  dataOf(await world.makeBot());
});
afterEach(() => world.close());

const daysAgo = (days: number): string => isoFromMicros(micros(world.clock.now() - days * DAY_MS * 1_000));
const ask = (before: string, over = {}, principal = ALICE): Promise<Answer> =>
  world.command("audit.erase", { command_id: world.id(), before, reason: "a year is over", ...over }, { principal });
async function erase(before: string, over = {}): Promise<Record<string, unknown>> {
  const asked = await ask(before, over);
  const { challenge_id, intent_hash } = challengeOf(asked);
  const params = { challenge_id };
  dataOf(await world.query("challenges.show", {}, params, ROOT));
  dataOf(await world.command("challenges.approve", { intent_hash, reason: "read" }, { params, principal: ROOT }));
  return dataOf(await world.confirm(asked, {}, ALICE));
}
type Told = { readonly action: EventAction; readonly log_index: number; readonly details: Record<string, unknown> };
const events = async (): Promise<readonly Told[]> =>
  dataOf(await world.query("audit.events", { order: "asc", limit: "200" }))["events"] as readonly Told[];
async function verified(): Promise<unknown> {
  const key = signerFromPem(signer.origin, signer.private_key_pem);
  if (!key.ok) throw new Error(key.error.code);
  const source = storedLog(world.store, world.store);
  const { ok, payloads_erased, findings } = await verifyLog({
    source,
    verifier: encodeVerifier(key.value),
    payloads: source,
    index: source,
  });
  return { ok, payloads_erased, findings };
}
/** Events of a kind that is kept for a year. */
async function lookedAt(times: number): Promise<void> {
  const by = { clock: world.clock, random: systemRandom(), actor: "system:program" };
  const committed = await world.store.commit({
    writes: [],
    events: Array.from({ length: times }, () =>
      systemEvent(by, {
        action: "authentication.summary",
        resource_type: "program",
        resource_id: "here",
        outcome: "SUCCESS",
        details: {
          window_start: daysAgo(0),
          window_seconds: 60,
          accepted: 1,
          refused: 0,
          refused_by_code: {},
          addresses: 1,
        },
      }),
    ),
  });
  expect(committed).toMatchObject({ ok: true });
}

it("[L-26] deletion before the retention's end is refused, also to the day; afterwards it takes two people", async () => {
  await lookedAt(3);
  expect(codeOf(await ask(daysAgo(0)))).toBe("RUMI-LOG-029");
  expect(codeOf(await ask(daysAgo(364.99)))).toBe("RUMI-LOG-029");
  expect(codeOf(await ask("2026-02-30T00:00:00Z"))).toBe("RUMI-VAL-002");
  expect(codeOf(await ask("yesterday"))).toMatch(/^RUMI-VAL/);
  expect(dataOf(await ask(daysAgo(365)))).toMatchObject({ erased: 0, next_index: null });
  world.clock.skip(365 * DAY_MS + 60_000);
  expect(codeOf(await ask(daysAgo(365), {}, { ...ALICE, roles: ["operator"] }))).toBe("RUMI-AUTH-003");
  const asked = await ask(daysAgo(365));
  expect(challengeOf(asked).requires).toEqual(["phrase", "second_person"]);
  expect(codeOf(await world.confirm(asked, {}, ALICE)), "alone").toBe("RUMI-CMD-017");
  expect(await verified()).toMatchObject({ ok: true, payloads_erased: 0 });
});

it("[L-26] [L-N15] what is over is forgotten, what is kept longer stays, and the log verifies before and behind it", async () => {
  await lookedAt(3);
  const before = await events();
  const kept = (action: EventAction): string => EVENT_CATALOGUE[action].retention;
  expect(new Set(before.map(({ action }) => kept(action)))).toEqual(new Set(["standard", "financial", "permanent"]));
  const erasedKinds = async (): Promise<ReadonlySet<string>> =>
    new Set((await events()).flatMap(({ action, details }) => (details["erased"] === true ? kept(action) : [])));

  world.clock.skip(365 * DAY_MS + 60_000);
  const first = await erase(daysAgo(365));
  expect(first["erased"]).toBe(before.filter(({ action }) => kept(action) === "standard").length);
  expect(await erasedKinds()).toEqual(new Set(["standard"]));
  expect(await verified()).toEqual({ ok: true, payloads_erased: first["erased"], findings: [] });

  world.clock.skip(YEARS_MS);
  await erase(daysAgo(365));
  expect(await erasedKinds()).toEqual(new Set(["standard", "financial"]));
  expect(
    (await events())
      .filter(({ action }) => kept(action) === "permanent")
      .every(({ details }) => details["erased"] !== true),
  ).toBe(true);
  expect(await verified()).toMatchObject({ ok: true, findings: [] });
});

it("[L-26] one erasure takes so many, and its answer says where the next goes on", async () => {
  await lookedAt(ERASURE_EVENTS + 7);
  world.clock.skip(366 * DAY_MS);
  const first = await erase(daysAgo(365));
  expect(first["erased"]).toBe(ERASURE_EVENTS);
  expect(first["next_index"]).toBe(Number(first["last_index"]) + 1);
  const rest = await erase(daysAgo(365), { from_index: first["next_index"] });
  expect(rest["next_index"]).toBeNull();
  expect(rest["first_index"]).toBeGreaterThanOrEqual(Number(first["next_index"]));
  expect(dataOf(await ask(daysAgo(365), { from_index: 0 })), "nothing is left").toMatchObject({ erased: 0 });
  expect(await verified()).toMatchObject({ ok: true, findings: [] });
});
