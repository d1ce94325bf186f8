/**
 * One person with two accounts stays one person, over HTTP: whoever made an account or minted its tokens is behind it, and
 * what the home's own token has just made is still in its hand.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

const DAY_MS = 86_400_000;
type Person = { readonly user_id: string; readonly token: string };

let world: ServedControl;
beforeEach(async () => {
  world = await openServedControl({ bare: true, environment: "prod" });
  await post("/api/safety/set", { mode: "SAFE" });
});
afterEach(() => world.close());

const ask = (url: string, body: Record<string, unknown>, by?: Person): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "because", ...body }, by?.token);
async function post(url: string, body: Record<string, unknown>, by?: Person): Promise<Record<string, unknown>> {
  const { status, body: said } = await ask(url, body, by);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Record<string, unknown>;
}
const mint = async (user_id: string, by?: Person): Promise<Person> => ({
  user_id,
  token: String((await post(`/api/users/${user_id}/tokens`, {}, by))["token"]),
});
async function make(by?: Person, roles: readonly string[] = ["admin"]): Promise<Person> {
  return mint(String((await post("/api/users", { display_name: "Sam", roles }, by))["user_id"]), by);
}
/** Asks for the loosening of the safety mode, which takes two people here. */
async function wish(by?: Person): Promise<Record<string, string>> {
  const { body } = await ask("/api/safety/set", { mode: "NORMAL" }, by);
  return body["challenge"] as Record<string, string>;
}
async function approve({ challenge_id, intent_hash }: Record<string, string>, by?: Person): Promise<Reply> {
  const shown = await world.http("GET", `/api/challenges/${challenge_id}`, undefined, by?.token);
  expect(shown.status).toBe(200);
  return ask(`/api/challenges/${challenge_id}/approve`, { intent_hash }, by);
}
const confirm = ({ challenge_id, intent_hash, phrase }: Record<string, string>, by?: Person): Promise<Reply> =>
  ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, by);
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];
const ONE_HAND = [403, "RUMI-AUTH-014", "SECOND_PERSON_SAME_HAND"];
const TOO_NEW = [403, "RUMI-AUTH-015", "SECOND_PERSON_TOO_NEW"];
async function twoAdmins(): Promise<readonly [Person, Person]> {
  const both = [await make(), await make()] as const;
  world.clock.skip(DAY_MS);
  return both;
}

describe("[L-N10] [L-43] two people are two ids that nobody holds both of", () => {
  it("an admin's second account does not approve the admin's wish; somebody else's does, and it is done once", async () => {
    const [ann, ben] = await twoAdmins();
    const own = await make(ann);
    const asked = await wish(ann);
    const refused = await approve(asked, own);
    expect(said(refused)).toEqual(ONE_HAND);
    expect(refused.body["suggestion"]).toEqual(expect.stringMatching(/whose account and tokens were made by neither/));
    expect(refused.body["error"]).toContain(ann.user_id);
    expect(said(await confirm(asked, ann)), "nothing is approved").toEqual([409, "RUMI-CMD-017", "APPROVAL_REQUIRED"]);
    expect(said(await approve(asked, ben))).toBe("done");
    expect(said(await confirm(asked, ann))).toBe("done");
    expect(await world.actions()).toContain("controlplane.command.denied");
  });

  it("nor does an account through which a chain of accounts and tokens leads back, whichever side asks", async () => {
    const [ann, ben] = await twoAdmins();
    const second = await make(ann);
    const third = await make(second);
    const held = await mint(ben.user_id, third);
    expect(said(await approve(await wish(ann), third)), "made by an account of hers").toEqual(ONE_HAND);
    expect(said(await approve(await wish(ann), ben)), "it holds a token that the chain minted").toEqual(ONE_HAND);
    expect(said(await approve(await wish(ann), held))).toEqual(ONE_HAND);
    expect(said(await approve(await wish(third), ann)), "asked for by the account, approved by its maker").toEqual(
      ONE_HAND,
    );
    expect(said(await approve(await wish(second), await make(ann))), "two accounts of one maker").toEqual(ONE_HAND);
  });

  it("a token that was revoked still tells: it may have minted others", async () => {
    const [ann, ben] = await twoAdmins();
    await mint(ben.user_id, ann);
    const { body } = await world.http("GET", `/api/users/${ben.user_id}/tokens`);
    const { tokens } = body["data"] as { tokens: readonly { token_id: string; created_by: string }[] };
    const minted = tokens.find(({ created_by }) => created_by === ann.user_id)?.token_id ?? "";
    await post(`/api/tokens/${minted}/revoke`, {}, ann);
    expect(said(await approve(await wish(ann), ben))).toEqual(ONE_HAND);
    const [cleo] = await twoAdmins();
    expect(said(await approve(await wish(ann), cleo)), "anybody else does").toBe("done");
  });

  it("who was approved and minted a token of the approver before confirming is refused at the confirmation", async () => {
    const [ann, ben] = await twoAdmins();
    const asked = await wish(ann);
    expect(said(await approve(asked, ben))).toBe("done");
    await mint(ben.user_id, ann);
    expect(said(await confirm(asked, ann))).toEqual(ONE_HAND);
    expect((await world.http("GET", "/api/safety")).body["data"]).toMatchObject({ mode: "SAFE" });
  });

  it("what the home's own token makes is in its hand for a day, on both sides; then it is another person", async () => {
    const [ann] = await twoAdmins();
    const fresh = await make();
    const early = await approve(await wish(), fresh);
    expect(said(early)).toEqual(TOO_NEW);
    const until = String(/from (\S+):/.exec(String(early.body["error"]))?.[1]);
    expect(Math.abs(Date.parse(until) - world.clock.now() / 1_000 - DAY_MS)).toBeLessThan(60_000);
    expect(said(await approve(await wish(fresh)))).toEqual(TOO_NEW);
    expect(said(await approve(await wish(fresh), await make())), "two of them").toEqual(TOO_NEW);
    expect(said(await approve(await wish(ann), fresh)), "beside somebody who is not").toBe("done");
    world.clock.skip(DAY_MS - 60_000);
    expect(said(await approve(await wish(), fresh))).toEqual(TOO_NEW);
    world.clock.skip(60_001);
    expect(said(await approve(await wish(), fresh))).toBe("done");
    await mint(fresh.user_id);
    expect(said(await approve(await wish(), fresh)), "a new token of an old account").toEqual(TOO_NEW);
  });

  it("[L-N9] the review of a break-glass session takes two people too", async () => {
    const roles = ["admin", "break_glass"];
    const [ann, ben] = [await make(undefined, roles), await make(undefined, roles)];
    world.clock.skip(DAY_MS);
    const { body } = await ask("/api/break_glass", { verbs: ["gates.disable"] }, ann);
    const asked = body["challenge"] as Record<string, string>;
    expect(said(await approve(asked, await make(ann, roles)))).toEqual(ONE_HAND);
    expect(said(await approve(asked, ben))).toBe("done");
    const opened = (await confirm(asked, ann)).body["data"] as { session_id: string };
    const path = `/api/break_glass/${opened.session_id}`;
    await post(`${path}/close`, {}, ann);
    expect(said(await ask(`${path}/review`, {}, await make(ann)))).toEqual(ONE_HAND);
    expect(said(await ask(`${path}/review`, {}, ben))).toBe("done");
  });
});
