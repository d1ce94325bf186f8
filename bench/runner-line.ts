/**
 * The control plane's side of one runner's socket, as small as it can be: leases are granted, journals acknowledged,
 * statuses kept. What is measured is the runner, so nothing here stores or thinks.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { systemRandom } from "@rumi/kernel";
import {
  answerHello,
  type ControlMessage,
  encodeMessage,
  type InstanceSpec,
  type InstanceStatus,
  type JournalEntry,
  MessageDecoder,
  newNonce,
  type RunnerMessage,
  verifyProof,
} from "@rumi/runtime";

type Reply = Extract<RunnerMessage, { type: "reply" }>;
type Ask = ControlMessage extends infer T ? (T extends { request: number } ? Omit<T, "request"> : never) : never;

const KEY = new Uint8Array(32).fill(7);

export class RunnerLine {
  readonly statuses = new Map<string, InstanceStatus>();
  /** Told every record that arrives. */
  onEntries: (run_id: string, entries: readonly JournalEntry[]) => void = () => undefined;
  /** Generation of the kill switch that the runner has followed. */
  followed = 0;
  readonly #server: Server;
  readonly #waiting = new Map<
    number,
    { readonly resolve: (reply: Reply) => void; readonly reject: (error: Error) => void }
  >();
  readonly #child: ChildProcess;
  #socket: Socket | undefined;
  #request = 0;
  #ready: () => void = () => undefined;
  readonly ready: Promise<void>;

  /** `runner` is the bundled runner.js; `folder` takes key and socket. */
  constructor(runner: string, folder: string, more: readonly string[] = []) {
    this.ready = new Promise((resolve) => (this.#ready = resolve));
    const socket = join(folder, "s");
    const key = join(folder, "key");
    writeFileSync(key, Buffer.from(KEY).toString("hex"), { mode: 0o600 });
    this.#server = createServer((line) => this.#serve(line)).listen(socket);
    const dist = join(runner, "..");
    this.#child = spawn(
      process.execPath,
      [
        runner,
        "--socket",
        socket,
        "--key-file",
        key,
        "--runner-id",
        "bench",
        "--lane-url",
        join(dist, "lane-worker.js"),
        "--orphan-ms",
        "2000",
        ...more,
      ],
      { stdio: ["ignore", "ignore", "inherit"] },
    );
    // Nobody waits for an answer that cannot come.
    this.#child.once("exit", (code, signal) => {
      const gone = new Error(`the runner ended: ${signal ?? code}`);
      for (const { reject } of this.#waiting.values()) reject(gone);
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resident memory of the whole runner process, bytes: what is its own, without files that every process shares. */
  memory(): number {
    const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid}/status`, "utf8"));
    return Number(match?.[1] ?? Number.NaN) * 1_024;
  }

  async start(spec: InstanceSpec): Promise<InstanceStatus> {
    const reply = await this.ask({ type: "start", spec });
    if (!reply.ok)
      throw new Error(`${reply.failure.error_code} ${reply.failure.reason_code ?? ""} ${reply.failure.error}`);
    this.statuses.set(spec.run_id, reply.status);
    return reply.status;
  }

  tell(message: Extract<ControlMessage, { readonly type: "killswitch" }>): void {
    this.#send(message);
  }

  ask(message: Ask): Promise<Reply> {
    const request = (this.#request += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      this.#send({ ...message, request });
    });
  }

  async until(what: () => boolean, ms: number): Promise<void> {
    for (const end = performance.now() + ms; !what();) {
      if (performance.now() > end || this.#child.exitCode !== null)
        throw new Error(`waited ${ms} ms for ${what.toString()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async close(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    this.#socket?.destroy();
    this.#server.close();
  }

  #send(message: ControlMessage): void {
    this.#socket?.write(encodeMessage(message));
  }

  #serve(line: Socket): void {
    const decoder = MessageDecoder.forRunnerMessages();
    const control_nonce = newNonce(systemRandom());
    let hello: Extract<RunnerMessage, { type: "hello" }> | undefined;
    line.on("error", () => undefined);
    line.on("data", (chunk) => {
      const read = decoder.push(chunk);
      if (!read.ok) throw new Error(`the runner said what nobody understands: ${JSON.stringify(read.error)}`);
      for (const message of read.value) {
        if (message.type === "hello") {
          hello = message;
          const answer = answerHello(message, { key: KEY, home_id: "bench", control_nonce });
          if (answer.ok) line.write(encodeMessage(answer.value));
        } else if (message.type === "proof" && hello !== undefined) {
          const { nonce, runner_id } = hello;
          if (!verifyProof(message, { key: KEY, runner_nonce: nonce, control_nonce, runner_id, home_id: "bench" }).ok)
            throw new Error("the runner has another key");
          this.#socket = line;
          this.#send({ type: "welcome" });
        } else this.#take(message);
      }
    });
  }

  #take(message: RunnerMessage): void {
    switch (message.type) {
      case "instances":
        return this.#ready();
      case "renew":
        return this.#send({
          type: "renewed",
          request: message.request,
          leases: message.leases.map((lease) => ({ ...lease, granted: true })),
        });
      case "status":
        this.statuses.set(message.status.run_id, message.status);
        return;
      case "reply":
        this.#waiting.get(message.request)?.resolve(message);
        this.#waiting.delete(message.request);
        return;
      case "segment":
        return this.#send({
          type: "segment_ack",
          run_id: message.segment.run_id,
          segment: message.segment.segment,
        });
      case "killswitch_followed":
        this.followed = message.generation;
        return;
      case "journal":
        this.onEntries(message.run_id, message.entries);
        return this.#send({ type: "journal_ack", run_id: message.run_id, seq: message.entries.at(-1)?.seq ?? 0 });
      default:
        return;
    }
  }
}
