/** The socket that runners dial, from its other end: raw messages of whoever gets at it. */
import { execFileSync } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { systemClock, systemRandom, type Clock } from "@rumi/kernel";
import {
  answerChallenge,
  encodeMessage,
  MessageDecoder,
  newNonce,
  type ControlMessage,
  type RunnerMessage,
} from "@rumi/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import type { RunnerConnection } from "./connection.ts";
import { listenForRunners, type RunnerSocketServer } from "./socket-server.ts";

const KEY = new Uint8Array(32).fill(9);
const random = systemRandom();
const folder = { path: "", remove: (): void => undefined };
let server: RunnerSocketServer | undefined;
let connections: RunnerConnection[] = [];
let problems: string[] = [];
/** Lets the time of every handshake be up. */
let letTimePass: () => void;
let clock: Clock;
const socketPath = (): string => join(folder.path, "made/runners/control.sock");

beforeEach(() => {
  Object.assign(folder, temporaryFolder());
  [connections, problems] = [[], []];
  const passed = new Promise<void>((resolve) => (letTimePass = resolve));
  clock = { ...systemClock(), sleep: () => passed };
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  folder.remove();
});

async function listen(): Promise<void> {
  const made = await listenForRunners({
    path: socketPath(),
    key: KEY,
    home_id: "home-1",
    random,
    clock,
    logger: {
      info: () => undefined,
      error: () => undefined,
      warning: (_, fields) => void problems.push(String(fields?.["problem"])),
    },
    onConnection: (connection) => void connections.push(connection),
  });
  if (!made.ok) throw new Error(made.error.code);
  server = made.value;
}

type Caller = {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  send(...messages: readonly RunnerMessage[]): void;
  next(): Promise<ControlMessage>;
};
async function call(): Promise<Caller> {
  const socket = connect(socketPath());
  const decoder = MessageDecoder.forControlMessages();
  const heard: ControlMessage[] = [];
  let wake = (): void => undefined;
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    const read = decoder.push(chunk);
    if (read.ok) heard.push(...read.value);
    wake();
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  return {
    socket,
    closed,
    // In one piece: what comes behind a message is there when that one is read.
    send: (...messages) => void socket.write(Buffer.concat(messages.map(encodeMessage))),
    next: async () => {
      while (heard.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return heard.shift() as ControlMessage;
    },
  };
}

const runner_nonce = newNonce(random);
const HELLO: Extract<RunnerMessage, { type: "hello" }> = {
  type: "hello",
  protocol: 1,
  runner_id: "runner-1",
  pid: 1,
  nonce: runner_nonce,
  started_at: 0,
};
const PROOF: RunnerMessage = { type: "proof", mac: "0".repeat(64) };
const WORD: RunnerMessage = { type: "instances", instances: [], isolation: [] };

async function proofFor(caller: Caller, key = KEY): Promise<RunnerMessage> {
  caller.send(HELLO);
  const challenge = await caller.next();
  if (challenge.type !== "challenge") throw new Error(`it answered with ${challenge.type}`);
  // The control plane proves itself first, by its own key; who has another one does not believe it and answers all the same.
  const proof = answerChallenge(challenge, { key: KEY, runner_id: "runner-1", runner_nonce });
  if (!proof.ok) throw new Error(proof.error.code);
  return key === KEY ? proof.value : PROOF;
}

describe("[L-0.1] before the proof nothing but the handshake is read", () => {
  const wrong: readonly (readonly [string, (caller: Caller) => Promise<void> | void, string])[] = [
    ["a proof without a hello", (caller) => caller.send(PROOF), "it began with proof"],
    ["a report without a hello", (caller) => caller.send(WORD), "it began with instances"],
    ["a report behind the hello", (caller) => caller.send(HELLO, WORD), "it sent instances before its proof"],
    ["a second hello", (caller) => caller.send(HELLO, HELLO), "it sent hello before its proof"],
    ["another protocol", (caller) => caller.send({ ...HELLO, protocol: 2 }), "RUMI-STR-"],
    [
      "a proof by another key, and a report behind it",
      async (caller) => caller.send(await proofFor(caller, new Uint8Array(32)), WORD),
      "RUMI-STR-",
    ],
    ["no message at all", (caller) => void caller.socket.write("GET / HTTP/1.1\r\n\r\n"), "RUMI-STR-030"],
  ];
  it.each(wrong)("%s closes the connection, and nobody hears of it", async (_, speak, problem) => {
    await listen();
    const caller = await call();
    await speak(caller);
    await caller.closed;
    expect(problems).toEqual([expect.stringContaining(problem) as string]);
    expect(connections).toEqual([]);
  });

  it("silence closes it, from the first moment and behind the hello; who proved itself may be silent", async () => {
    await listen();
    const [silent, begun, proven] = [await call(), await call(), await call()];
    begun.send(HELLO);
    expect((await begun.next()).type).toBe("challenge");
    proven.send(await proofFor(proven));
    expect((await proven.next()).type).toBe("welcome");
    letTimePass();
    await Promise.all([silent.closed, begun.closed]);
    expect(problems).toEqual(Array(2).fill("it did not prove itself in time"));
    const heard: string[] = [];
    connections[0]?.onMessage(({ type }) => void heard.push(type));
    proven.send(WORD);
    await expect.poll(() => heard).toEqual(["instances"]);
  });
});

describe("the socket's file", () => {
  it("is its owner's only, in a folder that is its owner's only", async () => {
    const mask = process.umask();
    await listen();
    expect(statSync(socketPath()).mode & 0o7777).toBe(0o600);
    expect(process.umask()).toBe(mask);
    for (const made of ["made", "made/runners"])
      expect([made, statSync(join(folder.path, made)).mode & 0o7777]).toEqual([made, 0o700]);
  });

  it("takes the place of one that a dead program left, and of a file", async () => {
    await listen();
    await server?.close();
    const left = `require("net").createServer().listen(${JSON.stringify(socketPath())}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", left], { stdio: "ignore" })).toThrow();
    expect(existsSync(socketPath())).toBe(true);
    await listen();
    (await call()).socket.destroy();
    await server?.close();
    writeFileSync(socketPath(), "rubbish");
    await listen();
    const caller = await call();
    caller.send(await proofFor(caller));
    expect((await caller.next()).type).toBe("welcome");
  });
});
