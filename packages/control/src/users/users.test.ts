/** People and their tokens: two people are two ids, a token is shown once, ends when it should, and is nobody's elsewhere. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { operatorAuthenticator } from "./authenticator.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl({ bare: true });
});
afterEach(async () => {
  await world.close();
});

const make = async (roles: readonly string[], display_name = "Sam"): Promise<string> =>
  String(dataOf(await world.command("users.create", { display_name, roles, reason: "joins" }))["user_id"]);
type Issued = { readonly token: string; readonly token_id: string; readonly expires_at: string };
const issue = async (user_id: string, over: Record<string, unknown> = {}): Promise<Issued> =>
  dataOf(
    await world.command("tokens.issue", { reason: "a laptop", ...over }, { params: { user_id } }),
  ) as unknown as Issued;
const come = async (token: string): Promise<unknown> => {
  const found = await world.control.operators.authenticate(token);
  return found.ok ? found.value : (found.error.reasonCode ?? found.error.code);
};

describe("operators", () => {
  it("[L-04] two of one name are two immutable ids; the bootstrap principal is listed and fixed", async () => {
    const [one, two] = [await make(["operator"]), await make(["operator"])];
    expect(one).not.toBe(two);
    expect(one).toMatch(/^user:[0-9a-f-]{36}$/);
    const listed = dataOf(await world.query("users.list")) as { users: { id: string; bootstrap: boolean }[] };
    expect(listed.users.map(({ id, bootstrap }) => [id, bootstrap])).toEqual([
      ["user:root", true],
      [one, false],
      [two, false],
    ]);
    const over = { params: { user_id: "user:root" } };
    for (const [name, body] of [
      ["users.disable", {}],
      ["users.roles_set", { roles: ["view_only"] }],
      ["tokens.issue", {}],
    ] as const)
      expect(codeOf(await world.command(name, { reason: "x", ...body }, over)), name).toBe("RUMI-AUTH-008");
  });

  it("[L-04] refused: no role, a role that is none, one twice, nobody's id, a name of blanks", async () => {
    for (const roles of [[], ["root"], ["admin", "admin"]])
      expect(codeOf(await world.command("users.create", { display_name: "x", roles, reason: "x" }))).toMatch(
        /^RUMI-VAL/,
      );
    expect(codeOf(await world.command("users.create", { display_name: " ", roles: ["admin"], reason: "x" }))).toMatch(
      /^RUMI-VAL/,
    );
    const nobody = { params: { user_id: `user:${world.id()}` } };
    for (const name of ["users.disable", "tokens.issue"])
      expect(codeOf(await world.command(name, { reason: "x" }, nobody))).toBe("RUMI-AUTH-006");
    expect(codeOf(await world.command("tokens.revoke", { reason: "x" }, { params: { token_id: world.id() } }))).toBe(
      "RUMI-AUTH-007",
    );
    expect(await world.actions()).not.toContain("operator.created");
  });
});

describe("tokens", () => {
  it("[L-04] let in whom they belong to with the roles of the moment", async () => {
    const user_id = await make(["view_only"]);
    const { token } = await issue(user_id);
    expect(await come(token)).toEqual({ id: user_id, roles: ["view_only"] });
    dataOf(await world.command("users.roles_set", { roles: ["admin"], reason: "x" }, { params: { user_id } }));
    expect(await come(token)).toEqual({ id: user_id, roles: ["admin"] });
    const flipped = token.slice(0, -1) + (token.endsWith("A") ? "B" : "A");
    for (const wrong of ["", flipped, token.slice(1), token.toUpperCase(), `${token}x`])
      expect(await come(wrong)).toBe("RUMI-AUTH-001");
  });

  it("[L-04] [G-7.1] are shown once: neither the store, nor the log, nor the list, nor a repeated command knows them", async () => {
    const user_id = await make(["operator"]);
    const command_id = world.id();
    const { token, token_id } = await issue(user_id, { command_id });
    expect(token).toMatch(/^rumi_dev_[0-9a-f]{32}\.[\w-]{43}$/);
    const again = dataOf(
      await world.command("tokens.issue", { command_id, reason: "a laptop" }, { params: { user_id } }),
    );
    expect(again).toMatchObject({ token_id });
    expect(again["token"]).toBeUndefined();
    const secret = token.split(".")[1] ?? "";
    for (const table of ["operator_token", "operation_key", "log_payload", "change_feed", "log_entry"]) {
      const rows = await world.store.rows({ sql: `SELECT * FROM ${table}`, parameters: [] });
      expect(JSON.stringify(rows), table).not.toContain(secret);
    }
    const listed = dataOf(await world.query("tokens.list", {}, { user_id }));
    expect(listed).toMatchObject({ count: 1, tokens: [{ token_id, label: "", revoked_at: null }] });
    expect(JSON.stringify(listed)).not.toMatch(/hash|secret/);
    expect(world.lines.join("")).not.toContain(secret);
  });

  it("[L-04] end by revocation, by time and with their principal, at once", async () => {
    const user_id = await make(["operator"]);
    const [kept, revoked, short] = [
      await issue(user_id),
      await issue(user_id),
      await issue(user_id, { valid_for_seconds: 60 }),
    ];
    for (const { token } of [kept, revoked, short]) expect(await come(token)).toMatchObject({ id: user_id });
    dataOf(await world.command("tokens.revoke", { reason: "lost" }, { params: { token_id: revoked.token_id } }));
    expect(await come(revoked.token)).toBe("TOKEN_REVOKED");
    world.clock.skip(60_001);
    expect(await come(short.token)).toBe("RUMI-AUTH-002");
    expect(await come(kept.token)).toMatchObject({ id: user_id });
    dataOf(await world.command("users.disable", { reason: "left" }, { params: { user_id } }));
    expect(await come(kept.token)).toBe("PRINCIPAL_DISABLED");
    expect(codeOf(await world.command("tokens.issue", { reason: "x" }, { params: { user_id } }))).toBe("RUMI-AUTH-010");
    expect(await world.actions()).toEqual(
      expect.arrayContaining(["operator.created", "token.issued", "token.revoked", "operator.disabled"]),
    );
  });

  it("[G-3.1] of one environment are nobody's in another, whatever their row says", async () => {
    const user_id = await make(["admin"]);
    const { token } = await issue(user_id);
    const stage = operatorAuthenticator(world.store, { clock: world.clock, environment: "stage" });
    const asked = [token, token.replace("rumi_dev_", "rumi_stage_")];
    for (const one of asked) {
      const found = await stage.authenticate(one);
      expect(found.ok ? found.value : found.error.code).toBe("RUMI-AUTH-001");
    }
    stage.close();
  });

  it("have a limit for each principal", async () => {
    const user_id = await make(["operator"]);
    for (let made = 0; made < 32; made += 1) await issue(user_id);
    expect(codeOf(await world.command("tokens.issue", { reason: "x" }, { params: { user_id } }))).toBe("RUMI-AUTH-009");
  });
});
