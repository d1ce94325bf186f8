/** Whose signature counts and for how long; what is kept of signatures. */
import { generateKeyPairSync } from "node:crypto";
import { isoFromMicros, micros } from "@rumi/kernel";
import { attesterFromPem, publicKeyOf } from "@rumi/ledger";
import { ROOT, type Answer, type Principal } from "@rumi/operations";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { SUPPLY_LIMITS } from "./limits.ts";
import { artifactStatement } from "./statement.ts";
import { rootState } from "./trust-roots.ts";

const ALICE: Principal = { id: "user:01900000-0000-7000-8000-00000000000b", roles: ["admin"] };
let world: Control;
beforeEach(async () => {
  world = await openControl({ bare: true });
});
afterEach(async () => {
  await world.close();
});

const pemOf = (curve = "P-256") =>
  generateKeyPairSync("ec", { namedCurve: curve }).publicKey.export({ type: "spki", format: "pem" }).toString();
const inDays = (days: number): string => isoFromMicros(micros(world.clock.now() + days * 86_400_000_000));
const ask = (over: Record<string, unknown> = {}): Promise<Answer> =>
  world.command(
    "supply_chain.trust_root_add",
    {
      command_id: world.id(),
      name: "builder",
      public_key_pem: pemOf(),
      valid_until: inDays(30),
      reason: "our builds",
      ...over,
    },
    { principal: ALICE },
  );
async function add(over: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const asked = await ask(over);
  const { challenge_id, intent_hash } = challengeOf(asked);
  dataOf(await world.query("challenges.show", {}, { challenge_id }, ROOT));
  dataOf(await world.command("challenges.approve", { intent_hash, reason: "read" }, { params: { challenge_id } }));
  return dataOf(await world.confirm(asked, {}, ALICE));
}
const end = (verb: "retire" | "revoke", keyid: unknown, over: Record<string, unknown> = {}): Promise<Answer> =>
  world.command(
    `supply_chain.trust_root_${verb}`,
    { command_id: world.id(), reason: "over", ...over },
    { params: { keyid: String(keyid) } },
  );
const listed = async () =>
  dataOf(await world.query("supply_chain.trust_roots"))["trust_roots"] as Record<string, unknown>[];

it("[L-51.1] [L-N16] a key is added by two people, with a time, and told in the log", async () => {
  const public_key_pem = pemOf();
  const asked = await ask({ public_key_pem });
  expect(challengeOf(asked)).toMatchObject({ requires: ["phrase", "second_person"], phrase: "builder" });
  expect(codeOf(await world.confirm(asked, {}, ALICE)), "nobody approved it").toBe("RUMI-CMD-017");
  expect(await listed()).toEqual([]);
  const added = await add({ public_key_pem });
  expect(added).toMatchObject({
    keyid: publicKeyOf(public_key_pem)?.keyid,
    state: "VALID",
    public_key_pem,
    added_by: ALICE.id,
    revoked_at: null,
  });
  expect(codeOf(await ask({ public_key_pem, name: "other" })), "the same key").toBe("RUMI-SUP-051");
  expect(codeOf(await ask()), "the same name").toBe("RUMI-SUP-051");
  const events = dataOf(await world.query("audit.events", { action: "supply_chain.trust_root.added" }))["events"];
  expect(events).toMatchObject([{ actor: ALICE.id, details: { keyid: added["keyid"], name: "builder" } }]);
});

it("[L-51.1] what is no P-256 public key, or has no time, is not taken", async () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const refused: readonly (readonly [string, Record<string, unknown>])[] = [
    ["a private key", { public_key_pem: privateKey.export({ type: "pkcs8", format: "pem" }).toString() }],
    ["another curve", { public_key_pem: pemOf("P-384") }],
    [
      "another kind",
      {
        public_key_pem: generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString(),
      },
    ],
    ["over before it begins", { valid_from: inDays(3), valid_until: inDays(2) }],
    ["over already", { valid_from: inDays(-3), valid_until: inDays(-2) }],
    ["too long", { valid_from: inDays(0), valid_until: inDays(SUPPLY_LIMITS.root_validity_days + 1) }],
    ["no such day", { valid_until: "2030-02-30T00:00:00Z" }],
  ];
  for (const [what, over] of refused) expect(codeOf(await ask(over)), what).toMatch(/^RUMI-VAL-00/);
  const { valid_until: _, ...endless } = { valid_until: 0, command_id: world.id(), name: "x", reason: "x" };
  expect(codeOf(await world.command("supply_chain.trust_root_add", { ...endless, public_key_pem: pemOf() }))).toMatch(
    /^RUMI-VAL/,
  );
  const operator: Principal = { id: "user:01900000-0000-7000-8000-00000000000c", roles: ["operator"] };
  const body = { command_id: world.id(), name: "x", public_key_pem: pemOf(), valid_until: inDays(1), reason: "x" };
  expect(codeOf(await world.command("supply_chain.trust_root_add", body, { principal: operator }))).toBe(
    "RUMI-AUTH-003",
  );
});

it("[L-51.1] keys overlap while one follows the other; retiring only shortens, and revoking is for good", async () => {
  const old = await add();
  const next = await add({ name: "builder-2", valid_from: inDays(1), valid_until: inDays(60) });
  const states = async () => (await listed()).map(({ name, state }) => `${String(name)} ${String(state)}`);
  expect(await states()).toEqual(["builder VALID", "builder-2 NOT_YET_VALID"]);
  expect(codeOf(await end("retire", old["keyid"], { at: inDays(31) })), "longer than it was").toBe("RUMI-VAL-002");
  expect(codeOf(await end("retire", old["keyid"], { at: inDays(-1) })), "in the past").toBe("RUMI-VAL-002");
  expect(dataOf(await end("retire", old["keyid"], { at: inDays(2) }))).toMatchObject({ state: "VALID", changed: true });
  world.clock.skip(86_400_000 + 1_000);
  expect(await states()).toEqual(["builder VALID", "builder-2 VALID"]);
  world.clock.skip(86_400_000);
  expect(await states()).toEqual(["builder RETIRED", "builder-2 VALID"]);
  expect(dataOf(await end("retire", old["keyid"]))).toMatchObject({ changed: false });
  expect(dataOf(await end("revoke", old["keyid"])), "a retired one can have been lost").toMatchObject({
    state: "REVOKED",
    revoked_by: ROOT.id,
  });
  expect(dataOf(await end("revoke", next["keyid"]))).toMatchObject({ state: "REVOKED", changed: true });
  expect(dataOf(await end("revoke", next["keyid"]))).toMatchObject({ state: "REVOKED", changed: false });
  expect(dataOf(await end("retire", next["keyid"]))).toMatchObject({ state: "REVOKED", changed: false });
  expect(codeOf(await end("revoke", "0".repeat(64)))).toBe("RUMI-SYS-011");
});

it("[L-51.1] the states of a key by the clock: its first moment counts, its last does not", () => {
  const row = { valid_from: 10, valid_until: 20, revoked_at: null };
  const at = (now: number, over = {}) => rootState({ ...row, ...over }, micros(now));
  expect([9, 10, 19, 20].map((now) => at(now))).toEqual(["NOT_YET_VALID", "VALID", "VALID", "RETIRED"]);
  expect([9, 15, 25].map((now) => at(now, { revoked_at: 12 }))).toEqual(["REVOKED", "REVOKED", "REVOKED"]);
});

it("[L-51.1] a home has a limit of keys", async () => {
  for (let i = 0; i < SUPPLY_LIMITS.trust_roots; i += 1) await add({ name: `key-${i}` });
  const full = await ask({ name: "one-more" });
  expect(full).toMatchObject({ failure: { code: "RUMI-CMD-027", reasonCode: "L.SUPPLY_CHAIN.FULL" } });
}, 180_000);

it("[L-51.1] signatures are kept as they come, each once, up to a limit; nothing is judged here", async () => {
  const artifact_id = `sha256:${"ab".repeat(32)}`;
  const keep = (envelope: unknown, over = {}) =>
    world.command("supply_chain.signature_add", {
      command_id: world.id(),
      artifact_id,
      envelope: envelope,
      reason: "signed",
      ...over,
    });
  const make = () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = attesterFromPem(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
    return { keyid: key.keyid, envelope: key.sign(artifactStatement(artifact_id as never, "demo")) };
  };
  const { envelope, keyid } = make();
  expect(dataOf(await keep(envelope))).toMatchObject({ artifact_id, keyids: [keyid], changed: true });
  expect(dataOf(await keep(envelope))).toMatchObject({ changed: false });
  for (let i = 1; i < SUPPLY_LIMITS.signatures; i += 1) dataOf(await keep(make().envelope));
  expect(await keep(make().envelope)).toMatchObject({ failure: { code: "RUMI-CMD-027" } });
  const shown = dataOf(await world.query("supply_chain.signatures", { artifact_id }));
  expect(shown).toMatchObject({ count: SUPPLY_LIMITS.signatures });
  expect(shown["signatures"]).toContainEqual(expect.objectContaining({ keyids: [keyid], envelope }));
  for (const bad of [
    {},
    { ...envelope, more: 1 },
    { ...envelope, signatures: [] },
    { ...envelope, payload: "a".repeat(SUPPLY_LIMITS.payload_characters + 1) },
    { ...envelope, payload: "not base64!" },
  ])
    expect(codeOf(await keep(bad))).toMatch(/^RUMI-VAL/);
  expect(codeOf(await keep(envelope, { artifact_id: "demo_pack:latest" })), "a tag").toMatch(/^RUMI-VAL/);
  const told = (await world.actions()).filter((action) => action === "supply_chain.signature.added");
  expect(told).toHaveLength(SUPPLY_LIMITS.signatures);
});
