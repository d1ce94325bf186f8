/** The control plane's side of a runner's socket, for tests: real socket, real handshake, leases by hand. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemRandom } from "@rumi/kernel";
import { build } from "esbuild";
import { answerHello, encodeMessage, MessageDecoder, newNonce, verifyProof } from "../src/protocol-io.ts";
import { REQUIRE } from "./venue-rig.ts";
import type { main } from "../src/runner/runner-main.ts";
import type { ControlMessage, InstanceStatus, JournalEntry, RunnerMessage } from "../src/protocol.ts";

export const KEY: Uint8Array = new Uint8Array(32).fill(7);
type Unnumbered<T> = T extends unknown ? Omit<T, "request"> : never;
type Reply = Extract<RunnerMessage, { type: "reply" }>;

export class TestControl {
  readonly path: string;
  readonly entries = new Map<string, JournalEntry[]>();
  readonly statuses: InstanceStatus[] = [];
  readonly seen: RunnerMessage[] = [];
  readonly refused: string[] = [];
  /** Whether a renewal of `bot/epoch` is granted; undefined: it is not known, and in no answer. */
  grant: (epoch: number) => boolean | undefined = () => true;
  acknowledge = true;
  #server: Server;
  #socket: Socket | undefined;
  #request = 0;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  readonly #key: Uint8Array;

  constructor(path: string, key: Uint8Array = KEY) {
    this.path = path;
    this.#key = key;
    this.#server = createServer((socket) => this.#serve(socket)).listen(path);
  }

  send(message: ControlMessage): void {
    this.#socket?.write(encodeMessage(message));
  }
  ask(message: Unnumbered<Extract<ControlMessage, { request: number }>>): Promise<Reply> {
    const request = (this.#request += 1);
    return new Promise((resolve) => {
      this.#waiting.set(request, resolve);
      this.send({ ...message, request });
    });
  }
  write(bytes: Uint8Array): void {
    this.#socket?.write(bytes);
  }
  drop(): void {
    this.#socket?.destroy();
  }
  async until<T>(what: () => T | undefined | false, ms = 60_000): Promise<T> {
    const end = performance.now() + ms;
    for (;;) {
      const value = what();
      if (value !== undefined && value !== false) return value;
      if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what.toString()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  async close(): Promise<void> {
    this.#socket?.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    const decoder = MessageDecoder.forRunnerMessages();
    const control_nonce = newNonce(systemRandom());
    let hello: Extract<RunnerMessage, { type: "hello" }> | undefined;
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      const read = decoder.push(chunk);
      if (!read.ok) {
        this.refused.push(JSON.stringify(read.error));
        return void socket.destroy();
      }
      for (const message of read.value) {
        this.seen.push(message);
        if (message.type === "hello") {
          hello = message;
          const answer = answerHello(message, { key: this.#key, home_id: "home", control_nonce });
          if (answer.ok) socket.write(encodeMessage(answer.value));
        } else if (message.type === "proof" && hello !== undefined) {
          const proof = verifyProof(message, {
            key: this.#key,
            runner_nonce: hello.nonce,
            control_nonce,
            runner_id: hello.runner_id,
            home_id: "home",
          });
          if (!proof.ok) return void socket.destroy();
          this.#socket = socket;
          socket.write(encodeMessage({ type: "welcome" }));
        } else this.#take(message);
      }
    });
  }

  #take(message: RunnerMessage): void {
    if (message.type === "renew")
      this.send({
        type: "renewed",
        request: message.request,
        leases: message.leases.flatMap((lease) => {
          const granted = this.grant(lease.epoch);
          return granted === undefined ? [] : [{ ...lease, granted }];
        }),
      });
    if (message.type === "status") this.statuses.push(message.status);
    if (message.type === "reply") this.#waiting.get(message.request)?.(message);
    if (message.type === "segment")
      this.send({ type: "segment_ack", run_id: message.segment.run_id, segment: message.segment.segment });
    if (message.type !== "journal") return;
    const known = this.entries.get(message.run_id) ?? [];
    for (const entry of message.entries) if (entry.seq === known.length + 1) known.push(entry);
    this.entries.set(message.run_id, known);
    if (this.acknowledge) this.send({ type: "journal_ack", run_id: message.run_id, seq: known.length });
  }
}

/** `under`: a program that starts the runner (`prlimit …`); `words`: more of its own arguments. */
type More = { readonly under?: readonly string[]; readonly words?: readonly string[] };

/** Bundles the two entry points once and starts runners from them. */
/** `laneHook` is code that runs in every lane besides the real one: how a test makes a thread hang. */
export async function bundleRunner(
  folder: string,
  laneHook = "",
  tests: Parameters<typeof main>[1] = {},
): Promise<(socket: string, key?: Uint8Array, environment?: NodeJS.ProcessEnv, more?: More) => ChildProcess> {
  const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
  mkdirSync(join(folder, "bin"), { recursive: true });
  await build({
    entryPoints: { lane: at("../src/lane/lane-worker.ts") },
    bundle: true,
    platform: "node",
    format: "esm",
    outdir: join(folder, "bin"),
    outExtension: { ".js": ".mjs" },
    banner: { js: REQUIRE },
    footer: { js: laneHook },
    logLevel: "error",
  });
  await build({
    stdin: {
      contents: `import { main } from "./runner-main.ts"; await main(process.argv.slice(2), ${JSON.stringify(tests)});`,
      resolveDir: at("../src/runner"),
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    format: "esm",
    banner: { js: REQUIRE },
    outfile: join(folder, "bin", "runner.mjs"),
    logLevel: "error",
  });
  return (socket, key = KEY, environment = process.env, more = {}) => {
    const keyFile = join(folder, `key-${Buffer.from(key.slice(0, 2)).toString("hex")}`);
    writeFileSync(keyFile, Buffer.from(key).toString("hex"), { mode: 0o600 });
    const [program, ...before] = [...(more.under ?? []), process.execPath];
    return spawn(
      program,
      [
        ...before,
        join(folder, "bin", "runner.mjs"),
        "--socket",
        socket,
        "--key-file",
        keyFile,
        "--runner-id",
        "runner-1",
        "--lane-url",
        join(folder, "bin", "lane.mjs"),
        "--orphan-ms",
        "2000",
        "--sdk-dir",
        at("../../../sdk/python"),
        "--runner-dir",
        at("../../sandbox/python"),
        ...(more.words ?? []),
      ],
      { stdio: ["ignore", "inherit", "inherit"], env: environment },
    );
  };
}
