import http from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { err, failure, ok } from "@rumi/kernel";
import type { Authenticator, PolicyPort } from "@rumi/operations";
import { feedWrite } from "@rumi/store";
import { openServerKit, type ServerKit, TOKEN } from "../test/kit.ts";
import { SERVER_LIMITS } from "./limits.ts";

let s: ServerKit;
const open: http.ClientRequest[] = [];
afterEach(async () => {
  for (const request of open.splice(0)) request.destroy();
  await s.close();
});

type Stream = {
  readonly status: number;
  readonly text: () => string;
  readonly response: http.IncomingMessage;
  readonly ended: () => boolean;
};
async function listen(port: number, headers: Record<string, string> = {}, path = "/api/events"): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      {
        port,
        host: "127.0.0.1",
        path,
        headers: { authorization: `Bearer ${TOKEN}`, ...headers },
        agent: false,
      },
      (response) => {
        let text = "";
        let ended = false;
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        for (const word of ["end", "close", "error"]) response.on(word, () => (ended = true));
        resolve({
          status: response.statusCode ?? 0,
          text: () => text,
          response,
          ended: () => ended,
        });
      },
    );
    request.on("error", reject);
    open.push(request);
  });
}
async function start(over: Parameters<typeof openServerKit>[0] = {}): Promise<number> {
  s = await openServerKit(over);
  const where = await s.server.listen();
  if (!where.ok) throw new Error("it does not listen");
  return where.value.port;
}
const until = async (what: () => boolean): Promise<void> => {
  for (let at = 0; at < 400 && !what(); at += 1) await new Promise((resolve) => setTimeout(resolve, 25));
  expect(what()).toBe(true);
};
const add = (): Promise<unknown> =>
  s.kit.send("counters.add", { command_id: s.kit.id(), counter_id: "a", reason: "test" });
const ids = (text: string): number[] => [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));

describe("live changes", () => {
  it("tells what changed; a listener that comes back with the last id misses nothing and sees nothing twice", async () => {
    const port = await start();
    const first = await listen(port);
    expect([first.status, first.response.headers["content-type"]]).toEqual([200, "text/event-stream; charset=utf-8"]);
    await add();
    await add();
    await until(() => ids(first.text()).length === 2);
    expect(first.text()).toContain("event: bot.state.transition\ndata: {");
    first.response.destroy();
    await add();
    await add();
    const [, last = 0] = ids(first.text());
    const second = await listen(port, { "last-event-id": String(last) });
    const third = await listen(port, {}, `/api/events?last_event_id=${last}`);
    await until(() => ids(second.text()).length === 2 && ids(third.text()).length === 2);
    expect(ids(second.text())).toEqual([last + 1, last + 2]);
  });
  it("refuses a position that is none, and everybody without a token", async () => {
    const port = await start();
    expect((await listen(port, { "last-event-id": "x" })).status).toBe(400);
    expect((await listen(port, { authorization: "Bearer wrong" })).status).toBe(401);
  });
  it("disconnects a listener that does not read, and nobody else", async () => {
    const port = await start();
    const slow = await listen(port);
    const reader = await listen(port);
    slow.response.pause();
    const data = JSON.stringify({ text: "x".repeat(100_000) });
    for (let round = 0; round < 40 && s.server.app.server.listening && !slow.ended(); round += 1) {
      await s.kit.store.commit({
        writes: Array.from({ length: 4 }, (_, at) =>
          feedWrite(s.kit.store, {
            kind: "test.noise",
            key: String(at),
            data,
            at: s.kit.clock.now(),
          }),
        ),
        events: [],
      });
      await until(() => ids(reader.text()).length === (round + 1) * 4);
    }
    slow.response.resume();
    await until(() => slow.ended());
    expect(reader.ended()).toBe(false);
    expect(ids(slow.text()).length).toBeLessThan(ids(reader.text()).length);
  });
  it("[L-04] ends with its token: what happens afterwards is told to those who may come in, and to nobody else", async () => {
    const gone = new Set<string>();
    const authenticator: Authenticator = {
      authenticate: (token) =>
        Promise.resolve(gone.has(token) ? err(failure("RUMI-AUTH-005", {})) : ok({ id: token, roles: ["view_only"] })),
    };
    const port = await start({ authenticator });
    const leaver = await listen(port, { authorization: "Bearer leaver" });
    const stays = await listen(port, { authorization: "Bearer stays" });
    const change = (): Promise<unknown> =>
      s.kit.store.commit({
        writes: [feedWrite(s.kit.store, { kind: "test.noise", key: "a", data: "{}", at: s.kit.clock.now() })],
        events: [],
      });
    await change();
    await until(() => ids(leaver.text()).length === 1 && ids(stays.text()).length === 1);
    gone.add("leaver");
    await change();
    await until(() => leaver.ended() && ids(stays.text()).length === 2);
    expect([ids(leaver.text()).length, stays.ended()]).toEqual([1, false]);
  });
  it("[L-04] policies are asked: a forbidden principal hears nothing, and a stream ends when they come to forbid it", async () => {
    const forbidden = new Set(["kept-out"]);
    const authenticator: Authenticator = {
      authenticate: (token) => Promise.resolve(ok({ id: token, roles: ["view_only"] })),
    };
    const policy: PolicyPort = {
      refusal: ({ principal, operation }) =>
        operation === "events.read" && forbidden.has(principal.id)
          ? failure("RUMI-AUTH-011", { principal: principal.id, action: operation })
          : undefined,
    };
    s = await openServerKit({ authenticator }, { guards: { policy } });
    const where = await s.server.listen();
    if (!where.ok) throw new Error("it does not listen");
    expect((await listen(where.value.port, { authorization: "Bearer kept-out" })).status).toBe(403);
    const leaver = await listen(where.value.port, { authorization: "Bearer leaver" });
    forbidden.add("leaver");
    await add();
    await until(() => leaver.ended());
    expect(ids(leaver.text())).toEqual([]);
  });
  it("has a limit of listeners", async () => {
    const port = await start();
    for (let at = 0; at < SERVER_LIMITS.streams; at += 1) expect((await listen(port)).status).toBe(200);
    expect((await listen(port)).status).toBe(503);
  });
  it("ends with the program", async () => {
    const port = await start();
    const stream = await listen(port);
    await s.server.close();
    await until(() => stream.ended());
    await expect(listen(port)).rejects.toThrow();
  });
});
