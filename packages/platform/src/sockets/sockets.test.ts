/** The socket itself and what is spoken over it; packs' code behind it is in packages/rumi/test/pack-sockets.test.ts. */
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { millis, type Clock } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { realClock } from "../../test/kit.ts";
import { LINE_LIMITS, messageBytes, takeMessage, type Message } from "./frames.ts";
import { serveSocket, SOCKET_PATH_BYTES, type Serve, type ServedSocket, type SocketPlace } from "./listen.ts";

let folder: ReturnType<typeof temporaryFolder>;
let open: ServedSocket[];
let warnings: string[];
let slept: number[];
let hurry: () => void;
let signals: AbortSignal[];
const echo: Serve = ({ head, body }, signal) => {
  signals.push(signal);
  return Promise.resolve({ head: { heard: head }, body });
};
const clock: Clock = {
  ...realClock(),
  sleep: (ms) => {
    slept.push(ms);
    return new Promise((resolve) => (hurry = resolve));
  },
};
const note = (text: string): void => void warnings.push(text);
const logger: Logger = {
  debug: note,
  info: note,
  warning: (text, more) => note(`${text} ${JSON.stringify(more)}`),
  error: note,
  critical: note,
  log: note,
  child: () => logger,
};

beforeEach(() => {
  folder = temporaryFolder();
  [open, warnings, slept, signals] = [[], [], [], []];
});
afterEach(async () => {
  for (const one of open) await one.close();
  folder.remove();
});

const at = (name: string): string => join(folder.path, name);
async function served(over: Partial<SocketPlace> = {}, serve: Serve = echo): Promise<string> {
  const place = { path: at("a/p.sock"), gid: null, mode: 0o660, variable: "RUMI_X", ...over };
  const made = await serveSocket(place, serve, { clock, logger });
  if (!made.ok) return `${made.error.code} ${String(made.error.params["problem"])}`;
  open.push(made.value);
  return place.path;
}
async function dialled(path: string): Promise<{ readonly socket: Socket; readonly heard: () => Promise<Message> }> {
  const socket = connect(path);
  let received: Buffer = Buffer.alloc(0);
  socket.on("data", (part: Buffer) => (received = Buffer.concat([received, part])));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    socket,
    heard: async () => {
      for (;;) {
        const taken = takeMessage(received);
        if (taken.kind === "broken") throw new Error(taken.problem);
        if (taken.kind === "message") {
          received = taken.rest;
          return taken.message;
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
  };
}
const ended = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once("close", resolve));

describe("a socket", () => {
  it("[R-16.1] has its mode and its group from its first moment, and leaves nothing beside it", async () => {
    const path = await served({ mode: 0o640 });
    expect([statSync(path).mode & 0o7777, readdirSync(at("a"))]).toEqual([0o640, ["p.sock"]]);
    await open.pop()?.close();
    expect(readdirSync(at("a"))).toEqual([]);
  });
  it.runIf(process.getuid?.() === 0)("[R-16.1] belongs to the group that is named", async () => {
    expect(statSync(await served({ gid: 1_099 })).gid).toBe(1_099);
  });
  it("[R-16.1] that cannot be made is refused by name: too long a path, a folder that is a file", async () => {
    const long = `${at("x".repeat(SOCKET_PATH_BYTES))}.sock`;
    expect(await served({ path: long })).toBe(`RUMI-NET-011 its path has more than ${SOCKET_PATH_BYTES} bytes`);
    await served();
    expect(await served({ path: join(at("a/p.sock"), "q.sock") })).toMatch(/^RUMI-NET-011 /);
    expect(await served()).toBe("RUMI-NET-011 another program serves it");
    mkdirSync(at("b"));
    mkdirSync(at("b/p.sock"));
    expect(await served({ path: at("b/p.sock") })).toBe("RUMI-NET-011 something that is no socket is in its place");
  });
  it("[R-16.1] whose group cannot be set is not served at all", async () => {
    expect(await served({ gid: 4_294_967_295 + 5 })).toMatch(/^RUMI-NET-011 /);
    expect(readdirSync(at("a"))).toEqual([]);
  });
  it("[R-16.1] takes so many connections and no more", async () => {
    const path = await served();
    const all = await Promise.all(Array.from({ length: LINE_LIMITS.connections }, () => dialled(path)));
    const more = await dialled(path);
    await ended(more.socket);
    all[0]?.socket.write(messageBytes({ a: 1 }));
    expect((await all[0]?.heard())?.head).toEqual({ heard: { a: 1 } });
    for (const { socket } of all) socket.destroy();
  });
});

describe("what is spoken", () => {
  it("[R-16.1] one message after the other, in pieces of any size", async () => {
    const { socket, heard } = await dialled(await served());
    for (const [head, size] of [
      [{ a: "é" }, 0],
      [{ b: [1] }, 1_048_576],
    ] as const) {
      const body = Buffer.alloc(size, 7);
      const bytes = messageBytes(head, body);
      const cut = [3, 9, 4_096];
      let from = 0;
      for (const to of [...cut.filter((one) => one < bytes.length), bytes.length]) {
        socket.write(bytes.subarray(from, to));
        from = to;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      expect(await heard()).toEqual({ head: { heard: head }, body: Uint8Array.from(body) });
    }
    socket.destroy();
  });
  const lengths = (head: number, body: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32LE(head, 0);
    bytes.writeUInt32LE(body, 4);
    return bytes;
  };
  const rows: readonly [string, Buffer, string][] = [
    ["too large a head", lengths(LINE_LIMITS.head_bytes + 1, 0), `at most ${LINE_LIMITS.head_bytes}`],
    ["too large a body", lengths(2, LINE_LIMITS.body_bytes + 1), `at most ${LINE_LIMITS.body_bytes}`],
    ["a head that is no JSON", Buffer.concat([lengths(2, 0), Buffer.from("{a")]), "not JSON"],
    ["a head that is no UTF-8", Buffer.concat([lengths(3, 0), Buffer.from([0x22, 0xff, 0x22])]), "not JSON"],
    ["a head that is a list", Buffer.concat([lengths(2, 0), Buffer.from("[]")]), "not an object"],
  ];
  for (const [name, bytes, says] of rows)
    it(`[R-16.1] ${name} is told so and ends the connection`, async () => {
      const { socket, heard } = await dialled(await served());
      const over = ended(socket);
      socket.write(bytes);
      expect((await heard()).head).toMatchObject({ success: false, error: expect.stringContaining(says) as string });
      await over;
      expect([signals, warnings.length]).toEqual([[], 1]);
    });
  it("[R-16.1] who begins a message and does not end it is let go", async () => {
    const { socket } = await dialled(await served());
    const over = ended(socket);
    socket.write(lengths(10, 0).subarray(0, 5));
    await expect.poll(() => slept).toEqual([millis(LINE_LIMITS.message_ms)]);
    hurry();
    await over;
  });
  it("[R-16.1] who speaks before the answer came is let go, and what was done for them is told", async () => {
    const { socket } = await dialled(
      await served({}, (_message, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      }),
    );
    const over = ended(socket);
    socket.write(messageBytes({ a: 1 }));
    await expect.poll(() => signals.length).toBe(1);
    socket.write(messageBytes({ a: 2 }));
    await over;
    await expect.poll(() => signals[0]?.aborted).toBe(true);
  });
  it("a message that cannot be served ends its connection, and the log says why", async () => {
    const { socket } = await dialled(await served({}, () => Promise.reject(new Error("inside"))));
    const over = ended(socket);
    socket.write(messageBytes({}));
    await over;
    expect(warnings).toEqual(["a pack's message could not be served"]);
  });
});
