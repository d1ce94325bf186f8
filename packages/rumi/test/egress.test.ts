/** Requests of packs through the proxy, to real HTTP and HTTPS servers of this test; names and dialling are the test's. */
import { writeFileSync } from "node:fs";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { err, millis, systemRandom } from "@rumi/kernel";
import { createMetrics, type Metrics } from "@rumi/operations";
import {
  createEgressProxy,
  createSlidingWindow,
  EGRESS_LIMITS,
  EGRESS_METHODS,
  NETWORK_LIMITS,
  systemDial,
  type Dial,
  type EgressProxy,
  type EgressReply,
  type SlidingWindow,
} from "@rumi/platform";
import type { Store } from "@rumi/store";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { certificateFor } from "../../platform/test/tls.kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage["headers"] };
type Serve = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const certificate = certificateFor("api.example.com", "b.example.com");
const PUBLIC = "93.184.216.34";
const NOBODY = new AbortController().signal;
const servers: Server[] = [];
const ports: Record<number, number> = {};
let serve: Serve;
let seen: Seen[];

let world: ServedControl;
let requests: SlidingWindow;
let proxy: EgressProxy;
let metrics: Metrics;
let names: Readonly<Record<string, readonly string[] | null>>;
let lookups: string[];
let dialled: string[];
let unwritable: boolean;

const take = (request: IncomingMessage, response: ServerResponse): void => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    seen.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    serve(request, response, Buffer.concat(parts));
  });
};
/** To this test's servers, whichever address it is: what the proxy wanted is kept. */
const dial: Dial = (address, port, signal) => {
  dialled.push(`${address}:${port}`);
  return systemDial("127.0.0.1", ports[port] ?? 1, signal);
};

beforeAll(async () => {
  const { key, cert } = certificate;
  const listen = async (as: number, server: Server): Promise<void> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ports[as] = (server.address() as AddressInfo).port;
  };
  await listen(443, createHttps({ key, cert }, take));
  await listen(80, createHttp(take));
  await listen(8_443, createHttps({ key, cert }, take));
  await listen(
    9_000,
    createTcp(() => undefined),
  ); // takes connections and says nothing
});
afterAll(() => {
  for (const server of servers) server.close();
});
beforeEach(async () => {
  serve = (_request, response) => void response.end("served");
  [seen, lookups, dialled] = [[], [], []];
  names = { "api.example.com": [PUBLIC], "b.example.com": [PUBLIC] };
  metrics = createMetrics();
  unwritable = false;
  const resolve = (domain: string): Promise<readonly string[] | null> => {
    lookups.push(domain);
    return Promise.resolve(names[domain] ?? null);
  };
  world = await openServedControl({
    bare: true,
    platform: ({ clock }) => {
      requests = createSlidingWindow(clock, 60_000);
      return { network: { resolve, recent: (pack_id) => requests.recent(pack_id) } };
    },
  });
  const commit: Store["commit"] = (batch) =>
    unwritable ? Promise.resolve(err({ kind: "conflict", write_index: 0, changed: 0 })) : world.store.commit(batch);
  proxy = createEgressProxy({
    store: Object.assign(Object.create(world.store) as Store, { commit }),
    clock: world.clock,
    random: systemRandom(),
    metrics,
    resolve,
    dial,
    requests,
    max_response_bytes: 100_000,
    tls_ca: certificate.ca,
  });
  const manifest = sampleManifest({ pack_id: "my_pack", pack_identity: "local:my_pack" });
  writePack(join(world.folder, "ecosystem/my_pack"), manifest);
  await post("/api/packs/scan", "");
  data(await post("/api/packs/my_pack/approve"));
});
afterEach(() => world.close());

const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const grant = async (allowed_domains = ["api.example.com"], allowed_ports = [443]): Promise<Data> =>
  data(await post("/api/network/grant", { pack_id: "my_pack", allowed_domains, allowed_ports }));
const send = (over: Data = {}, body = ""): Promise<EgressReply> => {
  const head = { op: "http_request", method: "GET", url: "https://api.example.com/v1?q=secret", ...over };
  return proxy.request("my_pack", head, Buffer.from(body), NOBODY);
};
const typeOf = ({ answer }: EgressReply): string => (answer.success ? `${answer.status_code}` : answer.error_type);
const errorOf = ({ answer }: EgressReply): string => (answer.success ? "" : answer.error);
const events = async (): Promise<readonly Data[]> => {
  const found = data(await world.http("GET", "/api/audit/events?limit=200"))["events"] as readonly Data[];
  return found.filter(({ actor }) => actor === "pack:my_pack").toReversed();
};
const redirects = (to: (url: string) => string | undefined, status = 302): void => {
  serve = (request, response) => {
    const location = to(request.url ?? "");
    if (location === undefined) response.end("arrived");
    else response.writeHead(status, { location }).end();
  };
};

describe("a request that the grant covers", () => {
  it("[R-16.1] [R-6.1] is sent as it was written and answered with exactly the agreed members", async () => {
    await grant();
    serve = (_request, response, body) => {
      response.writeHead(201, { "X-Two": ["a", "b"], "content-type": "text/plain" }).end(`got ${body.toString()}`);
    };
    const { answer, body } = await send({ method: "POST", headers: { "X-Own": "1" } }, "a body");
    expect(Object.keys(answer)).toEqual([
      "success",
      "status_code",
      "headers",
      "latency_ms",
      "redirect_hops",
      "bytes_read",
      "final_url",
    ]);
    expect(answer).toMatchObject({
      success: true,
      status_code: 201,
      redirect_hops: 0,
      bytes_read: 10,
      final_url: "https://api.example.com/v1?q=secret",
      headers: { "x-two": "a, b", "content-type": "text/plain" },
    });
    expect(Buffer.from(body).toString()).toBe("got a body");
    expect(seen).toMatchObject([
      {
        method: "POST",
        url: "/v1?q=secret",
        headers: { host: "api.example.com", "x-own": "1", "content-length": "6" },
      },
    ]);
    expect(dialled).toEqual([`${PUBLIC}:443`]);
    expect(lookups, "looked up once").toEqual(["api.example.com"]);
  });
  it("[R-16.1] all six methods, over http where the grant names its port, and names of any of its domains", async () => {
    await grant(["*.example.com"], [443, 80]);
    for (const method of EGRESS_METHODS) expect(typeOf(await send({ method }))).toBe("200");
    expect(typeOf(await send({ url: "http://b.example.com/" }))).toBe("200");
    expect(seen.map(({ method }) => method)).toEqual([...EGRESS_METHODS, "GET"]);
  });
  it("[R-17.1] is in the log before it leaves, and with what came of it; its query is not", async () => {
    await grant();
    let before: readonly string[] = [];
    serve = (_request, response) => {
      void world.actions().then((actions) => {
        before = actions;
        response.end("served");
      });
    };
    await send();
    expect(before.at(-1)).toBe("network.sent");
    const [sent, requested] = await events();
    expect(sent).toMatchObject({ action: "network.sent", outcome: "SUCCESS" });
    expect(requested).toMatchObject({ action: "network.requested", outcome: "SUCCESS" });
    const { details } = requested as { readonly details: Data };
    expect(details).toMatchObject({
      owner_pack: "my_pack",
      method: "GET",
      domain: "api.example.com",
      port: 443,
      status: 200,
      bytes_read: 6,
    });
    expect(JSON.stringify(await events())).not.toContain("secret");
    const counted = metrics.snapshot().find(({ name }) => name === "egress.requests");
    expect(counted?.series).toEqual([{ labels: { pack_id: "my_pack", result: "answered" }, value: 1, count: 0 }]);
  });
  it("[R-16.1] what cannot be written down is not sent", async () => {
    await grant();
    unwritable = true;
    const reply = await send();
    expect([typeOf(reply), seen, dialled]).toEqual(["proxy_error", [], []]);
    expect(errorOf(reply)).toContain("RUMI-NET-003");
  });
});

describe("[R-6.1] what the check refuses is refused, what it allows is let through", () => {
  const rows: readonly [name: string, url: string, domain: string, port: number, protocol: string, result: string][] = [
    ["as granted", "https://api.example.com/", "api.example.com", 443, "https", "200"],
    ["another host", "https://evil.com/", "evil.com", 443, "https", "domain_denied"],
    ["below a name", "https://a.api.example.com/", "a.api.example.com", 443, "https", "domain_denied"],
    ["another port", "https://api.example.com:8443/", "api.example.com", 8_443, "https", "port_denied"],
    ["http where 443 is granted", "http://api.example.com/", "api.example.com", 80, "http", "port_denied"],
    ["loopback", "https://127.0.0.1/", "127.0.0.1", 443, "https", "address_denied"],
    ["loopback as a number", "https://2130706433/", "127.0.0.1", 443, "https", "address_denied"],
    ["loopback in octal", "https://0177.1/", "127.0.0.1", 443, "https", "address_denied"],
    ["loopback of version 6", "https://[::1]/", "[::1]", 443, "https", "address_denied"],
    ["the machine's own name", "https://localhost/", "localhost", 443, "https", "address_denied"],
    ["the cloud's own address", "http://169.254.169.254/latest", "169.254.169.254", 80, "http", "address_denied"],
    [
      "a name that resolves inside",
      "https://inside.example.com/",
      "inside.example.com",
      443,
      "https",
      "address_denied",
    ],
    [
      "a name that also resolves inside",
      "https://mixed.example.com/",
      "mixed.example.com",
      443,
      "https",
      "address_denied",
    ],
  ];
  for (const [name, url, domain, port, protocol, result] of rows)
    it(`${name}: ${result}`, async () => {
      names = { ...names, "inside.example.com": ["10.0.0.7"], "mixed.example.com": [PUBLIC, "::1"] };
      await grant(["api.example.com", "inside.example.com", "mixed.example.com"]);
      const check = data(await post("/api/network/check", { pack_id: "my_pack", domain, port, protocol }));
      const reply = await send({ url });
      expect(typeOf(reply)).toBe(result);
      expect(check["denied_by"] ?? "200").toBe(result.replace("_denied", ""));
      if (result === "200") return;
      expect(errorOf(reply)).toMatch(/^RUMI-NET-006: .* POST \/api\/network\/grant/);
      expect([seen, dialled], "nothing was connected to").toEqual([[], []]);
      expect((await events()).map(({ action, outcome }) => [action, outcome])).toEqual([
        ["network.requested", "REJECTED"],
        ["permission.denied", "REJECTED"],
      ]);
    });
  it("another protocol, even where host and port are granted", async () => {
    await grant(["api.example.com"], [443, 21]);
    expect(typeOf(await send({ url: "ftp://api.example.com:21/" }))).toBe("protocol_denied");
  });
  it("a name that no grant covers is not looked up", async () => {
    await grant();
    await send({ url: "https://evil.com/" });
    expect(lookups).toEqual([]);
  });
  it("without a grant, after it was taken away, and while the pack is not approved", async () => {
    expect(typeOf(await send())).toBe("domain_denied");
    await grant();
    expect(typeOf(await send())).toBe("200");
    data(await post("/api/network/revoke", { pack_id: "my_pack", reason: "不要になった" }));
    expect(typeOf(await send())).toBe("domain_denied");
    await grant();
    writeFileSync(join(world.folder, "ecosystem/my_pack/more.py"), "changed = True\n");
    await post("/api/packs/scan", "");
    const reply = await send();
    expect([typeOf(reply), seen.length]).toEqual(["domain_denied", 1]);
  });
  it("the outlook that a block may ask for says the same and counts nothing", async () => {
    await grant();
    expect(await proxy.check("my_pack", "api.example.com", 443)).toEqual({
      allowed: true,
      denied_by: null,
      reason: null,
    });
    expect(await proxy.check("my_pack", "evil.com", 443)).toMatchObject({ allowed: false, denied_by: "domain" });
    expect(await proxy.check("my_pack", "127.0.0.1", 443)).toMatchObject({ allowed: false, denied_by: "address" });
    expect(requests.recent("my_pack")).toBe(0);
  });
});

describe("[R-16.1] addresses", () => {
  it("a name that changes its mind is connected where it was judged", async () => {
    await grant();
    // As a rebinding server does it: outside when it is judged, inside ever after.
    const answers = [[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]];
    names = new Proxy({}, { get: () => answers.shift() ?? null });
    expect(typeOf(await send())).toBe("200");
    expect([lookups, dialled]).toEqual([["api.example.com"], [`${PUBLIC}:443`]]);
    expect(typeOf(await send())).toBe("address_denied");
    expect(dialled).toHaveLength(1);
  });
  it("the next address is tried where one does not answer; a name without any is said so", async () => {
    await grant(["*.example.com"], [443, 1]);
    names = { "api.example.com": [PUBLIC, "1.1.1.1"] };
    expect(typeOf(await send({ url: "https://api.example.com:1/" }))).toBe("connection_failed");
    expect(dialled).toEqual([`${PUBLIC}:1`, "1.1.1.1:1"]);
    expect(typeOf(await send({ url: "https://none.example.com/" }))).toBe("name_not_found");
  });
  it("one address has 10 s where there is another, all of them have a minute", async () => {
    await grant();
    /** A hundred times as fast. */
    const fast = {
      ...world.clock,
      sleep: (ms: number, signal?: AbortSignal) => world.clock.sleep(millis(ms / 100), signal),
    };
    const tried: string[] = [];
    const through = (dialling: Dial): EgressProxy =>
      createEgressProxy({
        store: world.store,
        clock: fast,
        random: systemRandom(),
        metrics,
        resolve: (domain) => Promise.resolve(names[domain] ?? null),
        dial: dialling,
        requests,
        max_response_bytes: 100_000,
        tls_ca: certificate.ca,
      });
    const silent: Dial = (address, _port, signal) => {
      tried.push(address);
      return new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => reject(new Error("aborted")), { once: true }),
      );
    };
    const head = { op: "http_request", method: "GET", url: "https://api.example.com/", timeout_seconds: 120 };
    const of = (proxied: EgressProxy) => proxied.request("my_pack", head, Buffer.alloc(0), NOBODY);
    names = { "api.example.com": [PUBLIC, "1.1.1.1"] };
    const second = through((address, port, signal) =>
      address === PUBLIC ? silent(address, port, signal) : dial(address, port, signal),
    );
    expect(typeOf(await of(second))).toBe("200");
    names = { "api.example.com": Array.from({ length: 20 }, (_, at) => `1.1.1.${at + 1}`) };
    tried.length = 0;
    const began = performance.now();
    expect(typeOf(await of(through(silent)))).toBe("timeout");
    expect(performance.now() - began).toBeGreaterThan(EGRESS_LIMITS.connect_ms / 100 - 20);
    const most = EGRESS_LIMITS.connect_ms / EGRESS_LIMITS.connect_one_ms;
    expect(tried.length).toBeGreaterThan(1);
    expect(tried.length).toBeLessThanOrEqual(most + 1);
  });
  it("the certificate must be the name's", async () => {
    await grant(["*.example.com"]);
    names = { "c.example.com": [PUBLIC] };
    const reply = await send({ url: "https://c.example.com/" });
    expect(typeOf(reply)).toBe("tls_failed");
    expect(errorOf(reply)).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(seen).toEqual([]);
  });
});

describe("[R-16.1] redirects", () => {
  it("three are followed, a fourth is not", async () => {
    await grant();
    redirects((url) => (url === "/3" ? undefined : `/${Number(url.slice(1)) + 1}`));
    const { answer } = await send({ url: "https://api.example.com/0" });
    expect(answer).toMatchObject({ success: true, redirect_hops: 3, final_url: "https://api.example.com/3" });
    const [, requested] = await events();
    expect((requested as { readonly details: Data }).details["redirect_hops"]).toEqual(
      [1, 2, 3].map((at) => `https://api.example.com/${at}`),
    );
    redirects((url) => `${url}x`);
    const more = await send({ url: "https://api.example.com/" });
    expect([typeOf(more), seen.length]).toEqual(["too_many_redirects", 4 + EGRESS_LIMITS.redirects + 1]);
  });
  it("each is judged as the first one was: another domain, another port, an address, a name inside", async () => {
    await grant();
    names = { ...names, "api.example.com": [PUBLIC] };
    const rows = [
      ["https://evil.com/", "domain_denied"],
      ["https://api.example.com:8443/", "port_denied"],
      ["http://api.example.com/", "port_denied"],
      ["https://127.0.0.1/", "address_denied"],
      ["//localhost/", "address_denied"],
      ["file:///etc/passwd", "invalid_request"],
    ] as const;
    for (const [to, result] of rows) {
      redirects((url) => (url === "/from" ? to : undefined));
      expect([to, typeOf(await send({ url: "https://api.example.com/from" }))]).toEqual([to, result]);
    }
    expect(new Set(dialled)).toEqual(new Set([`${PUBLIC}:443`]));
    names = { ...names, "b.example.com": ["192.168.0.1"] };
    await grant(["*.example.com"]);
    redirects(() => "https://b.example.com/");
    expect(typeOf(await send())).toBe("address_denied");
  });
  it("a grant that is taken away meanwhile counts at the next hop", async () => {
    await grant();
    serve = (_request, response) => {
      void post("/api/network/revoke", { pack_id: "my_pack" }).then(() =>
        response.writeHead(302, { location: "/next" }).end(),
      );
    };
    expect([typeOf(await send()), seen.length]).toEqual(["domain_denied", 1]);
  });
  it("what is secret for one host is not told to the next", async () => {
    await grant(["*.example.com"]);
    redirects((url) => (url === "/from" ? "https://b.example.com/" : undefined), 307);
    const headers = { Authorization: "Bearer x", Cookie: "a=b", "X-Own": "1" };
    await send({ url: "https://api.example.com/from", headers });
    expect(seen.map((one) => [one.headers.host, one.headers.authorization, one.headers["x-own"]])).toEqual([
      ["api.example.com", "Bearer x", "1"],
      ["b.example.com", undefined, "1"],
    ]);
  });
});

describe("[R-16.1] limits", () => {
  it("an answer above RUMI_MAX_RESPONSE_BYTES is cut off, the largest is taken", async () => {
    await grant();
    serve = (request, response) => void response.end(Buffer.alloc(Number(request.url?.slice(1))));
    expect(await send({ url: "https://api.example.com/100000" })).toMatchObject({ answer: { bytes_read: 100_000 } });
    const reply = await send({ url: "https://api.example.com/100001" });
    expect([typeOf(reply), reply.body.length]).toEqual(["response_too_large", 0]);
    expect(errorOf(reply)).toContain("RUMI_MAX_RESPONSE_BYTES");
    let ended = false;
    serve = (_request, response) => {
      const more = setInterval(() => response.write(Buffer.alloc(50_000)), 1);
      response.on("close", () => {
        ended = true;
        clearInterval(more);
      });
    };
    expect(typeOf(await send()), "one without an end").toBe("response_too_large");
    await expect.poll(() => ended).toBe(true);
  });
  it("headers of an answer have a limit", async () => {
    await grant();
    serve = (_request, response) => void response.writeHead(200, { "x-large": "x".repeat(70_000) }).end();
    expect(typeOf(await send())).toBe("connection_failed");
  });
  it("the time is the whole call's: connecting, waiting and every hop", async () => {
    await grant(["api.example.com"], [443, 9_000]);
    const began = performance.now();
    serve = () => undefined; // never
    expect(typeOf(await send({ timeout_seconds: 0.2 }))).toBe("timeout");
    expect(typeOf(await send({ url: "https://api.example.com:9000/", timeout_seconds: 0.2 }))).toBe("timeout");
    redirects((url) => `${url}x`);
    const slow = serve;
    serve = (request, response, body) => void setTimeout(() => slow(request, response, body), 150);
    expect(typeOf(await send({ timeout_seconds: 0.2 }))).toBe("timeout");
    expect(performance.now() - began).toBeLessThan(5_000);
  });
  it("whoever goes away takes the request with them", async () => {
    await grant();
    const gone = new AbortController();
    let ended = false;
    serve = (_request, response) => {
      response.on("close", () => (ended = true));
      gone.abort();
    };
    const head = { op: "http_request", method: "GET", url: "https://api.example.com/" };
    await proxy.request("my_pack", head, Buffer.alloc(0), gone.signal);
    await expect.poll(() => ended).toBe(true);
  });
  it("60 requests within a minute, one window for the proxy and the check; it slides", async () => {
    await grant();
    for (let at = 0; at < NETWORK_LIMITS.requests_per_minute; at += 1) expect(typeOf(await send())).toBe("200");
    const reply = await send();
    expect([typeOf(reply), seen.length]).toEqual(["rate_denied", NETWORK_LIMITS.requests_per_minute]);
    const check = { pack_id: "my_pack", domain: "api.example.com", port: 443 };
    expect(data(await post("/api/network/check", check))).toMatchObject({ denied_by: "rate" });
    requests = createSlidingWindow({ monotonic: () => world.clock.monotonic() }, 60_000);
    expect(data(await post("/api/network/check", check))).toMatchObject({ allowed: true });
  });
  it("sixty at once are sixty: nobody slips between reading the window and counting", async () => {
    await grant();
    const all = await Promise.all(Array.from({ length: 80 }, () => send()));
    expect(all.filter(({ answer }) => answer.success)).toHaveLength(NETWORK_LIMITS.requests_per_minute);
    expect(seen).toHaveLength(NETWORK_LIMITS.requests_per_minute);
  });
  it("a pack that is refused again and again fills no log", async () => {
    for (let at = 0; at < EGRESS_LIMITS.refusals_logged_per_minute + 20; at += 1) await send();
    expect(await events()).toHaveLength(2 * EGRESS_LIMITS.refusals_logged_per_minute);
    expect(typeOf(await send())).toBe("rate_denied");
    await grant();
    expect(typeOf(await send()), "for the rest of the minute").toBe("rate_denied");
  });
});

describe("[R-16.1] what a pack writes is a request and nothing else", () => {
  it("is refused with its reason and never sent", async () => {
    await grant();
    for (const over of [{ method: "TRACE" }, { headers: { a: "b\r\nc: d" } }, { url: "https://api.example.com/\n" }]) {
      const reply = await send(over);
      expect([typeOf(reply), errorOf(reply).slice(0, 12)]).toEqual(["invalid_request", "RUMI-NET-007"]);
    }
    expect([seen, await events()]).toEqual([[], []]);
  });
});
