import { generateKeyPairSync } from "node:crypto";
import { err, failure, ok, systemRandom } from "@rumi/kernel";
import type { Answer } from "@rumi/operations";
import { platformMigrations } from "@rumi/platform";
import { openPostgresStore } from "@rumi/store";
import type { FundsLedger } from "@rumi/venues";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../../tools/test-support.ts";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { startPostgres, type TestServer } from "../../../store/test/postgres-server.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { controlMigrations } from "../index.ts";
import { amountOf } from "./model.ts";

let world: Control;
/** What the ledger says of the account; `null`: nothing. */
let balance: bigint | null;
const funds: FundsLedger = {
  balance: () =>
    Promise.resolve(
      balance === null
        ? err(failure("RUMI-RSK-005", { account: "SIM/main/ETH", problem: "test" }))
        : ok({ balance, source: "declared" }),
    ),
};
beforeEach(async () => {
  balance = amountOf("5000");
  world = await openControl({ funds });
});
afterEach(() => world.close());

const setPool = (size: string, in_world: Control = world) =>
  in_world.command("pools.set", { command_id: in_world.id(), venue: "SIM", currency: "ETH", size, reason: "test" });
const limits = (bot_id: string, capital: string, in_world: Control = world) =>
  in_world.command("bots.limits", { command_id: in_world.id(), capital, reason: "test" }, { params: { bot_id } });
async function pool(in_world: Control = world): Promise<Record<string, unknown>> {
  const { pools } = dataOf(await in_world.query("pools.list")) as { pools: Record<string, unknown>[] };
  expect(pools).toHaveLength(1);
  return pools[0] ?? {};
}
async function allocated(in_world: Control): Promise<readonly (readonly [string, string])[]> {
  const listed = dataOf(await in_world.query("pools.allocations", { venue: "SIM", currency: "ETH", limit: "200" }));
  return (listed["allocations"] as { bot_id: string; capital: string }[]).map((one) => [one.bot_id, one.capital]);
}
const refusal = (answer: Answer) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : ["done"];

/** Whatever comes at once, in this world's store: what is allocated sums to what the pool says, and never beyond it. */
async function atOnce(one: Control): Promise<void> {
  dataOf(await setPool("1000.5", one));
  const made = await Promise.all(
    Array.from({ length: 24 }, (_, at) => one.makeBot(`bot-${String(at).padStart(2, "0")}`, { capital: "100.05" })),
  );
  const codes = made.map(codeOf);
  expect(
    codes.filter((code) => code === "done 201"),
    "ten times 100.05 are 1000.5 exactly",
  ).toHaveLength(10);
  expect(new Set(codes)).toEqual(new Set(["done 201", "RUMI-RSK-001"]));
  expect(await pool(one)).toMatchObject({ allocated: "1000.5", free: "0", state: "covered" });
  // Half of them give, half of them take, all at once; what was given may be taken or not, but never more.
  const bots = (await allocated(one)).map(([bot_id]) => bot_id);
  await Promise.all(bots.map((bot_id, at) => limits(bot_id, at % 2 === 0 ? "0.00000001" : "200", one)));
  const after = await allocated(one);
  const sum = after.reduce((total, [, capital]) => total + amountOf(capital), 0n);
  expect(sum).toBeLessThanOrEqual(amountOf("1000.5"));
  expect(amountOf(String((await pool(one))["allocated"]))).toBe(sum);
}

describe("[L-07] capital pools", () => {
  it("bots made and changed at once never hold more than the pool together, to the last decimal", () => atOnce(world));

  it("without a size of its own a pool is as large as the ledger says the account is", async () => {
    dataOf(await world.makeBot("a", { capital: "5000" }));
    expect(refusal(await world.makeBot("b", { capital: "0.00000001" }))).toEqual([
      "RUMI-RSK-001",
      "L.CAPITAL.POOL_EXCEEDED",
    ]);
    expect(await pool()).toMatchObject({ size: null, balance: "5000", allocated: "5000", free: "0" });
  });

  it("[L-2.1] a pool is never larger than the ledger's balance, nor smaller than what its bots hold", async () => {
    dataOf(await world.makeBot("a", { capital: "1000" }));
    expect(refusal(await setPool("5000.00000001"))).toEqual(["RUMI-RSK-004", "L.CAPITAL.BEYOND_BALANCE"]);
    dataOf(await setPool("5000"));
    expect(refusal(await setPool("999.99999999"))).toEqual(["RUMI-RSK-003", "L.CAPITAL.POOL_IN_USE"]);
    dataOf(await setPool("1000"));
    expect(await world.actions()).toEqual(expect.arrayContaining(["capital.pool.set", "capital.allocated"]));
  });

  it("[L-05] what a retired bot held is its pool's again", async () => {
    dataOf(await world.makeBot("a", { capital: "1000.00000001" }));
    dataOf(await world.makeBot("b", { capital: "1" }));
    const wish = { command_id: world.id(), reason: "it has served" };
    dataOf(await world.confirm(await world.command("bots.retire", wish, { params: { bot_id: "a" } })));
    expect(await allocated(world)).toEqual([["b", "1"]]);
    expect(await pool()).toMatchObject({ allocated: "1", free: "4999" });
  });

  it("a balance that is not known allocates nothing, and is said of its pool", async () => {
    dataOf(await world.makeBot("a", { capital: "1000" }));
    balance = null;
    expect(codeOf(await world.makeBot("b"))).toBe("RUMI-RSK-005");
    expect(codeOf(await limits("a", "1"))).toBe("RUMI-RSK-005");
    expect(await pool()).toMatchObject({ pool_id: "SIM/main/ETH", state: "unknown" });
  });

  it("a currency that nothing at the venue is quoted in, and a venue that is not there, have no pool", async () => {
    const of = (over: Record<string, unknown>) =>
      world.command("pools.set", {
        command_id: world.id(),
        venue: "SIM",
        currency: "ETH",
        size: "1",
        reason: "test",
        ...over,
      });
    expect(codeOf(await of({ currency: "JPY" }))).toBe("RUMI-VAL-002");
    expect(codeOf(await of({ venue: "NOWHERE" }))).toBe("RUMI-BOT-006");
    for (const size of ["-1", "1e3", "1.000000001", ""]) expect(codeOf(await of({ size }))).toMatch(/^RUMI-VAL-/);
  });
});

describe("[L-07] [L-41] capital at a start", () => {
  beforeEach(async () => {
    await world.dialRunner();
  });

  it("the preflight names the pool that covers it; a start is refused once the ledger no longer does", async () => {
    dataOf(await world.makeBot("a", { capital: "1000" }));
    balance = amountOf("999.99");
    const refused = await world.move("a", "IDLE", "RUNNING_PAPER");
    expect(refusal(refused)).toEqual(["RUMI-RSK-001", "L.CAPITAL.POOL_EXCEEDED"]);
    expect(refused.kind === "refused" && refused.failure.details).toMatchObject({ failed_item: "capital" });
    expect(await pool()).toMatchObject({ state: "short" });
    balance = null;
    expect(codeOf(await world.move("a", "IDLE", "RUNNING_PAPER"))).toBe("RUMI-RSK-005");
    balance = amountOf("1000");
    const started = dataOf(await world.move("a", "IDLE", "RUNNING_PAPER"));
    const { items } = started["preflight"] as { items: { item: string; state: string; message: string }[] };
    expect(items.find(({ item }) => item === "capital")).toMatchObject({
      state: "PASS",
      message: "1000 ETH of pool SIM/main/ETH",
    });
    // The start refers to its report: the run names it.
    const [run] = await world.store.rows<{ report_id: string }>({ sql: "SELECT report_id FROM run", parameters: [] });
    expect(run?.report_id).toBe((started["preflight"] as { report_id: string }).report_id);
  });

  it("a bot of before there were pools is allocated with its start, or refused", async () => {
    dataOf(await world.makeBot("old", { capital: "1000" }));
    const wiped = ["DELETE FROM capital_allocation", "DELETE FROM capital_pool"].map((sql) => ({
      sql,
      parameters: [],
      expect: "any" as const,
    }));
    expect((await world.store.commit({ writes: wiped, events: [] })).ok).toBe(true);
    dataOf(await setPool("999"));
    expect(codeOf(await world.move("old", "IDLE", "RUNNING_PAPER"))).toBe("RUMI-RSK-001");
    dataOf(await setPool("1000"));
    dataOf(await world.move("old", "IDLE", "RUNNING_PAPER"));
    expect(await allocated(world)).toEqual([["old", "1000"]]);
    expect(await pool()).toMatchObject({ allocated: "1000", free: "0" });
  });

  it("another capital is another version, and only of a bot at rest; what was freed is another's", async () => {
    dataOf(await setPool("1000"));
    dataOf(await world.makeBot("a", { capital: "900" }));
    dataOf(await world.makeBot("b", { capital: "100" }));
    expect(codeOf(await limits("b", "200"))).toBe("RUMI-RSK-001");
    expect(dataOf(await limits("a", "800"))).toMatchObject({ changed: true, version: "1.1.0", generation: 2 });
    expect(dataOf(await limits("a", "800"))).toMatchObject({ changed: false, version: "1.1.0" });
    expect(dataOf(await limits("b", "200"))).toMatchObject({ changed: true });
    expect(codeOf(await limits("b", "0"))).toBe("RUMI-BOT-030");
    expect(codeOf(await limits("nobody", "1"))).toBe("RUMI-BOT-001");
    dataOf(await world.move("a", "IDLE", "RUNNING_PAPER"));
    expect(refusal(await limits("a", "1"))).toEqual(["RUMI-RSK-006", "L.CAPITAL.NOT_AT_REST"]);
  });

  it("[L-34] a dry run shows the pool beside the capital and changes nothing", async () => {
    const tried = dataOf(await world.makeBot("a", { capital: "1000", dry_run: true }));
    expect(tried).toMatchObject({
      dry_run: true,
      preview: { capital: "1000", pool: { pool_id: "SIM/main/ETH", free: "5000", allocated: "0" } },
    });
    dataOf(await world.makeBot("a", { capital: "1000" }));
    const start = dataOf(await world.move("a", "IDLE", "RUNNING_PAPER", { dry_run: true }));
    expect(start).toMatchObject({ preview: { capital: "1000", pool: { allocated: "1000", free: "4000" } } });
    const less = await world.command(
      "bots.limits",
      { command_id: world.id(), capital: "1", dry_run: true, reason: "test" },
      { params: { bot_id: "a" } },
    );
    expect(dataOf(less)).toMatchObject({ preview: { from: "1000", capital: "1", pool: { allocated: "1000" } } });
    expect(await allocated(world)).toEqual([["a", "1000"]]);
  });
});

describe.runIf(requires("postgresql"))("[L-07] capital pools on PostgreSQL", () => {
  let server: TestServer | undefined;
  afterAll(async () => {
    await server?.stop();
  });
  it("bots made and changed at once never hold more than the pool together, to the last decimal", async () => {
    server = await startPostgres();
    const opened = await openPostgresStore({
      server: await server.database(),
      migrations: [...platformMigrations, ...controlMigrations],
      before_migration: () => Promise.resolve(ok(undefined)),
      clock: world.clock,
      signer: {
        origin: "rumi.test/log",
        private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      },
      random: systemRandom(),
    });
    if (!opened.ok) throw new Error(opened.error.code);
    const one = await openControl({ store: opened.value, funds });
    await atOnce(one);
    await one.close();
  }, 120_000);
});
