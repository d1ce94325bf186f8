/** Network grants as the Operations Guide's curls ask for them, over HTTP. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSlidingWindow, NETWORK_LIMITS, type SlidingWindow } from "@rumi/platform";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
let requests: SlidingWindow;
let addresses: readonly string[] | null;
let lookups: string[];
let live: readonly string[];

beforeEach(async () => {
  addresses = null;
  lookups = [];
  live = [];
  world = await openServedControl({
    bare: true,
    platform: ({ clock }) => {
      requests = createSlidingWindow(clock, 60_000);
      return {
        network: {
          resolve: (domain) => {
            lookups.push(domain);
            return Promise.resolve(addresses);
          },
          recent: (pack_id) => requests.recent(pack_id),
        },
        liveBotsUsing: () => Promise.resolve(live),
      };
    },
  });
  await install();
});
afterEach(() => world.close());

const source = (): string => join(world.folder, "ecosystem/my_pack");
async function install(): Promise<void> {
  writePack(source(), sampleManifest({ pack_id: "my_pack", pack_identity: "local:my_pack" }));
  await post("/api/packs/scan", "");
  expect((await post("/api/packs/my_pack/approve")).status).toBe(200);
}
const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const GRANT = { pack_id: "my_pack", allowed_domains: ["api.openai.com", "*.anthropic.com"], allowed_ports: [443] };
const CHECK = { pack_id: "my_pack", domain: "api.openai.com", port: 443 };
const check = async (over: Data = {}): Promise<Data> => data(await post("/api/network/check", { ...CHECK, ...over }));
const list = async (): Promise<readonly Data[]> =>
  data(await world.http("GET", "/api/network/list"))["grants"] as readonly Data[];

describe("the guide's calls", () => {
  it("[R-6.1] [R-4.2] grant, list, check and revoke answer as printed, and the log has who was allowed what", async () => {
    expect(data(await post("/api/network/grant", GRANT))).toMatchObject({
      pack_id: "my_pack",
      allowed_domains: ["*.anthropic.com", "api.openai.com"],
      allowed_ports: [443],
      granted_by: "user:root",
      in_force: true,
    });
    expect(await list()).toMatchObject([{ pack_id: "my_pack", in_force: true, why_not: null }]);
    expect(await check()).toMatchObject({ allowed: true, denied_by: null, resolved: false });
    expect(await check({ domain: "console.anthropic.com" })).toMatchObject({ allowed: true });
    const revoke = { pack_id: "my_pack", reason: "不要になった" };
    expect(data(await post("/api/network/revoke", revoke))).toMatchObject({ pack_id: "my_pack", revoked: true });
    expect(await list()).toEqual([]);
    expect(await check()).toMatchObject({ allowed: false, denied_by: "domain" });
    const events = data(await world.http("GET", "/api/audit/events?resource_type=network_grant&limit=50"))["events"];
    const kept = (events as Data[]).map(({ action, actor, details }) => [action, actor, (details as Data)["reason"]]);
    expect(kept).toContainEqual(["permission.granted", "user:root", null]);
    expect(kept).toContainEqual(["permission.revoked", "user:root", "不要になった"]);
    const again = await post("/api/network/revoke", revoke);
    expect([again.status, again.body["error_code"]]).toEqual([404, "RUMI-NET-005"]);
  });

  it("[R-6.1] a second grant replaces the first", async () => {
    data(await post("/api/network/grant", GRANT));
    data(await post("/api/network/grant", { ...GRANT, allowed_domains: ["example.com"] }));
    expect([await check(), await check({ domain: "example.com" })]).toMatchObject([
      { allowed: false, denied_by: "domain" },
      { allowed: true },
    ]);
    expect(await list()).toHaveLength(1);
  });

  it("[R-6.1] addresses, internal names and what is no name are refused, with a code and a next step", async () => {
    for (const domain of [
      "127.0.0.1",
      "169.254.169.254",
      "[::1]",
      "localhost",
      "db.internal",
      "*",
      "*.com",
      "a b.com",
    ]) {
      const reply = await post("/api/network/grant", { ...GRANT, allowed_domains: ["example.com", domain] });
      expect([domain, reply.status, reply.body["error_code"]]).toEqual([domain, 400, "RUMI-NET-004"]);
      expect(String(reply.body["suggestion"])).toContain("*.example.com");
    }
    for (const over of [{ allowed_ports: [0] }, { allowed_ports: [65_536] }, { allowed_ports: ["443"] }, { more: 1 }])
      expect((await post("/api/network/grant", { ...GRANT, ...over })).status).toBe(400);
    const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `a${at}.example.com`);
    const most = { ...GRANT, allowed_domains: names(NETWORK_LIMITS.domains) };
    expect((await post("/api/network/grant", most)).status).toBe(200);
    const more = { ...GRANT, allowed_domains: names(NETWORK_LIMITS.domains + 1) };
    expect((await post("/api/network/grant", more)).status).toBe(400);
  });
});

describe("what check says", () => {
  beforeEach(async () => void data(await post("/api/network/grant", GRANT)));

  it("[R-6.1] a name that resolves to an inner address is held, although the grant names it", async () => {
    addresses = ["1.1.1.1", "192.168.0.1"];
    expect(await check()).toMatchObject({ allowed: false, denied_by: "address", resolved: true });
    addresses = ["1.1.1.1"];
    expect(await check()).toMatchObject({ allowed: true, resolved: true });
  });

  it("[R-6.1] a name that no grant covers is never looked up", async () => {
    await check({ domain: "what-the-pack-knows.example.com" });
    await check({ domain: "api.openai.com", port: 80 });
    expect(lookups).toEqual([]);
  });

  it("[R-6.1] the rate of a pack counts, and slides", async () => {
    for (let at = 0; at < NETWORK_LIMITS.requests_per_minute; at += 1) requests.count("my_pack");
    expect(await check()).toMatchObject({ allowed: false, denied_by: "rate" });
    expect(await check({ pack_id: "other" })).toMatchObject({ denied_by: "domain" });
  });

  it("[R-6.1] [R-5.1] a modified pack's grant is not in force until it is approved again", async () => {
    writeFileSync(join(source(), "README.md"), "x");
    await post("/api/packs/scan", "");
    expect(await check()).toMatchObject({ allowed: false, denied_by: "domain" });
    expect(await list()).toMatchObject([{ in_force: false, why_not: expect.stringContaining("modified") as string }]);
    expect((await post("/api/packs/my_pack/approve")).status).toBe(200);
    expect(await check()).toMatchObject({ allowed: true });
  });

  it("[R-6.1] an uninstalled pack's grant is gone: its name, installed again, starts with nothing", async () => {
    expect((await world.http("DELETE", "/api/packs/my_pack")).status).toBe(200);
    expect(await list()).toEqual([]);
    await install();
    expect(await check()).toMatchObject({ allowed: false, denied_by: "domain" });
  });

  it("[R-6.1] a wider grant for a pack that a live bot runs is confirmed first; taking it away is not", async () => {
    live = ["bot-1"];
    const asked = await post("/api/network/grant", { ...GRANT, allowed_domains: ["example.com"] });
    expect([asked.status, asked.body["reason_code"]]).toEqual([409, "CONFIRMATION_REQUIRED"]);
    expect(await check({ domain: "example.com" })).toMatchObject({ allowed: false });
    expect((await post("/api/network/revoke", { pack_id: "my_pack" })).status).toBe(200);
  });
});
