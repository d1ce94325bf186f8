/** The simulator over raw HTTP and WebSocket, without our own client: what an outsider sees. */
import { createHmac } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { FailureError } from "@rumi/kernel";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { DEMO_INSTRUMENT, DEMO_MARKET, generateMarket } from "../generator.ts";
import { FAULT_KINDS, FaultPlan, parseFault } from "./faults.ts";
import { startVenueSim, type VenueSim, type VenueSimOptions } from "./server.ts";

const KEY = { key_id: "tester", secret: "s3cret" };
const ADMIN = "admin";
const ended: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function start(folder: string, change: Partial<VenueSimOptions> = {}): Promise<VenueSim> {
  const feed = generateMarket({ ...DEMO_MARKET, trades: 2_000, seed: "server-test" });
  if (!feed.ok) throw new Error("the market");
  const sim = await startVenueSim({
    keys: [KEY],
    admin_token: ADMIN,
    log_path: join(folder, "orders.log"),
    host: "127.0.0.1",
    port: 0,
    pace: { kind: "manual" },
    faults: [],
    requests_per_second: 0,
    instruments: [DEMO_INSTRUMENT],
    feed: feed.value,
    maker_fee_ppm: 100,
    taker_fee_ppm: 400,
    seed: "server-test",
    wallNow_us: () => Date.now() * 1_000,
    ...change,
  });
  ended.push(() => sim.close());
  return sim;
}
function folder(): string {
  const made = temporaryFolder();
  ended.push(made.remove);
  return made.path;
}
type Said = {
  readonly status: number;
  readonly body: Record<string, never> & { readonly [name: string]: unknown };
  readonly headers: Headers;
};
type How = { readonly secret?: string; readonly at_ms?: number; readonly headers?: Record<string, string> };

function headersFor(method: string, target: string, text: string, how: How = {}): Record<string, string> {
  const at = how.at_ms ?? Date.now();
  const signature = createHmac("sha256", how.secret ?? KEY.secret)
    .update(`${at}\n5000\n${method}\n${target}\n${text}`)
    .digest("hex");
  return {
    "x-key": KEY.key_id,
    "x-timestamp": String(at),
    "x-recv-window": "5000",
    "x-signature": signature,
    ...how.headers,
  };
}
async function call(sim: VenueSim, method: string, target: string, body?: unknown, how: How = {}): Promise<Said> {
  const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
  const answer = await fetch(new URL(target, sim.url), {
    method,
    headers: headersFor(method, target, text, how),
    ...(text === "" ? {} : { body: text }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Said["body"] };
}
const admin = async (sim: VenueSim, method: string, path: string, body?: unknown, token = ADMIN): Promise<Said> => {
  const answer = await fetch(new URL(path, sim.url), {
    method,
    headers: { "x-admin-token": token },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Said["body"] };
};
const order = (client_order_id: string, change: object = {}): object => ({
  client_order_id,
  instrument_id: "DEMO.SIM",
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  price: "1",
  quantity: "1",
  reduce_only: false,
  post_only: false,
  ...change,
});

describe("orders over HTTP", () => {
  it("[M-8.2.1] one client order id is one order for ever, whatever the second one says", async () => {
    const sim = await start(folder());
    await admin(sim, "POST", "/admin/advance", { rows: 10 });
    expect(await call(sim, "POST", "/v1/orders", order("a"))).toMatchObject({
      status: 201,
      body: { order: { state: "open" } },
    });
    for (const again of [order("a"), order("a", { quantity: "2" })])
      expect(await call(sim, "POST", "/v1/orders", again)).toMatchObject({
        status: 409,
        body: { code: "DUPLICATE_CLIENT_ORDER_ID" },
      });
    expect((await call(sim, "GET", "/v1/orders")).body["orders"]).toHaveLength(1);
    expect(await call(sim, "PATCH", "/v1/orders/a", { price: "2", quantity: "3" })).toMatchObject({
      body: { order: { price: "2", quantity: "3" } },
    });
    expect(await call(sim, "DELETE", "/v1/orders/a")).toMatchObject({
      status: 200,
      body: { order: { state: "cancelled" } },
    });
    expect(await call(sim, "DELETE", "/v1/orders/a")).toMatchObject({ status: 409, body: { code: "ORDER_CLOSED" } });
    expect(await call(sim, "GET", "/v1/orders/none")).toMatchObject({ status: 404, body: { code: "UNKNOWN_ORDER" } });
    expect((await call(sim, "POST", "/v1/orders", order("a"))).status, "a closed id is used up").toBe(409);
  });

  it("a request that is not understood, not signed, too old or unknown changes nothing and says its code", async () => {
    const sim = await start(folder());
    const refused: readonly (readonly [unknown, How, number, string])[] = [
      ["{", {}, 400, "BAD_REQUEST"],
      [{ ...order("b"), more: 1 }, {}, 400, "BAD_REQUEST"],
      [order("b", { quantity: 1 }), {}, 400, "BAD_REQUEST"],
      [order("b", { side: "BUY" }), {}, 400, "BAD_REQUEST"],
      [order("b c"), {}, 400, "BAD_REQUEST"],
      [order("b", { quantity: "0.0001" }), {}, 400, "BAD_REQUEST"],
      [order("b"), { secret: "other" }, 401, "UNAUTHORISED"],
      [order("b"), { headers: { "x-key": "nobody" } }, 401, "UNAUTHORISED"],
      [order("b"), { at_ms: Date.now() - 20_000 }, 400, "TIMESTAMP"],
      [order("b"), { at_ms: Date.now() + 20_000 }, 400, "TIMESTAMP"],
      [order("b", { quantity: "99999999" }), {}, 422, "REJECTED"],
    ];
    for (const [body, how, status, code] of refused)
      expect(await call(sim, "POST", "/v1/orders", body, how), code).toMatchObject({ status, body: { code } });
    expect((await call(sim, "GET", "/v1/orders")).body["orders"]).toEqual([]);
    expect((await call(sim, "GET", "/v1/nothing")).status).toBe(404);
    expect((await admin(sim, "GET", "/admin/state", undefined, "other")).status).toBe(401);
    expect((await admin(sim, "POST", "/admin/faults", { kind: "late_fill", delay: 1 })).status).toBe(400);
  });

  it("[M-8.2.2] survives: the same orders, fills and positions after its log alone is left, a torn line included", async () => {
    const path = folder();
    const first = await start(path);
    await admin(first, "POST", "/admin/advance", { rows: 10 });
    await call(first, "POST", "/v1/orders", order("m", { type: "market", price: "0", quantity: "1" }));
    await call(first, "POST", "/v1/orders", order("r"));
    await admin(first, "POST", "/admin/advance", { rows: 500 });
    const before = (await admin(first, "GET", "/admin/state")).body;
    await first.close();
    ended.pop();
    appendFileSync(join(path, "orders.log"), '{"k":"submit","acc');
    const second = await start(path);
    const after = (await admin(second, "GET", "/admin/state")).body;
    expect(after["accounts"]).toEqual(before["accounts"]);
    expect(JSON.stringify(before["accounts"])).toContain('"state":"filled"');
    expect((await call(second, "POST", "/v1/orders", order("r"))).status, "ids stay used").toBe(409);
    await second.close();
    ended.pop();
    await expect(start(path, { maker_fee_ppm: 7 }), "other options, other exchange").rejects.toThrow(FailureError);
  });

  it("429 with Retry-After beyond the rate, and by fault", async () => {
    const sim = await start(folder(), { requests_per_second: 5 });
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(sim, "GET", "/v1/orders")));
    const limited = answers.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]?.headers.get("retry-after")).toBe("1");
  });
});

describe("streams", () => {
  async function listen(
    url: string,
    headers: Record<string, string> = {},
  ): Promise<{ readonly seen: Record<string, unknown>[]; readonly socket: WebSocket }> {
    const socket = new WebSocket(url.replace("http", "ws"), { headers });
    const seen: Record<string, unknown>[] = [];
    socket.on("message", (data: Buffer) => seen.push(JSON.parse(data.toString()) as Record<string, unknown>));
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    ended.push(() => socket.terminate());
    return { seen, socket };
  }
  const until = async (done: () => boolean): Promise<void> => {
    for (const end = performance.now() + 10_000; !done();) {
      if (performance.now() > end) throw new Error(done.toString());
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  it("updates are signed and numbered; market rows are numbered and can be asked for again", async () => {
    const sim = await start(folder());
    await expect(listen(`${sim.url}/v1/updates`)).rejects.toThrow();
    const updates = await listen(`${sim.url}/v1/updates`, headersFor("GET", "/v1/updates", ""));
    const market = await listen(`${sim.url}/v1/market`);
    await admin(sim, "POST", "/admin/advance", { rows: 3 });
    await call(sim, "POST", "/v1/orders", order("m", { type: "market", price: "0" }));
    await admin(sim, "POST", "/admin/advance", { rows: 100 });
    await until(() => updates.seen.some((one) => one["type"] === "fill"));
    expect(updates.seen.map((one) => one["seq"])).toEqual(updates.seen.map((_, at) => at + 1));
    expect(updates.seen[0]).toMatchObject({ type: "ready", fills: 0 });
    const rows = (): number[] =>
      market.seen.flatMap((one) => (one["trades"] as { seq: number }[]).map(({ seq }) => seq));
    await until(() => rows().length === 103);
    expect(rows()).toEqual(Array.from({ length: 103 }, (_, at) => at + 1));
    const page = (await call(sim, "GET", "/v1/trades?from_seq=51&limit=10")).body;
    expect((page["trades"] as unknown as { seq: number }[]).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 10 }, (_, at) => at + 51),
    );
  });
});

describe("faults", () => {
  it("are parsed strictly, happen as often as armed, and by chance the same for the same seed", () => {
    for (const bad of ["", "nothing", "late_fill,count=x", "late_fill,count=", "late_fill,rate=2", "late_fill,more=1"])
      expect(parseFault(bad).ok, bad).toBe(false);
    for (const kind of FAULT_KINDS) expect(parseFault(`${kind},count=2,delay_ms=5`)).toMatchObject({ ok: true });
    const twice = parseFault("reject_storm,count=2");
    const often = parseFault("rate_limit,rate=0.3");
    if (!twice.ok || !often.ok) throw new Error("faults");
    const plan = new FaultPlan("seed", [twice.value]);
    expect([1, 2, 3].map(() => plan.take("reject_storm") !== undefined)).toEqual([true, true, false]);
    const draw = (seed: string): string => {
      const chance = new FaultPlan(seed, [often.value]);
      return Array.from({ length: 60 }, () => (chance.take("rate_limit") === undefined ? "-" : "x")).join("");
    };
    expect(draw("a")).toBe(draw("a"));
    expect(draw("a")).not.toBe(draw("b"));
    expect(draw("a")).toMatch(/x/);
    expect(draw("a")).toMatch(/-/);
  });
});
