/**
 * The line to the control plane: dialled again and again, proven on both sides, then messages in order.
 *
 * `onReady` is called once per proven connection. A message that does not fit, or a proof that fails, closes the line.
 */
import { createConnection, type Socket } from "node:net";
import { type Failure, type Random, failureText } from "@rumi/kernel";
import { answerChallenge, encodeMessage, MessageDecoder, newNonce } from "../protocol-io.ts";
import { type ControlMessage, RUNNER_PROTOCOL_VERSION, type RunnerMessage } from "../protocol.ts";

export const DIAL_TIMES = { backoff_ms: 100, backoff_max_ms: 5_000, handshake_ms: 5_000 } as const;

export type ConnectionOptions = {
  readonly socket_path: string;
  readonly runner_id: string;
  readonly key: Uint8Array;
  readonly random: Random;
  readonly started_at: number;
  readonly onReady: () => void;
  readonly onMessage: (message: ControlMessage) => void;
  readonly onLost: () => void;
  readonly log: (line: string) => void;
};

/** A runner's line to its control plane, whatever carries it. */
export interface ControlLine {
  /** Both sides are proven, and messages go through. */
  readonly ready: boolean;
  /** Bytes that the other side has not taken yet. */
  readonly backlog: number;
  /** False when there is no proven line; the caller repeats what matters. */
  send(message: RunnerMessage): boolean;
  /** Ends after what was written is out. */
  close(): Promise<void>;
}
export type LineEvents = Pick<ConnectionOptions, "onReady" | "onMessage" | "onLost">;

export class ControlConnection implements ControlLine {
  readonly #o: ConnectionOptions;
  #socket: Socket | undefined;
  #ready = false;
  #closed = false;
  #attempt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ConnectionOptions) {
    this.#o = options;
    this.#dial();
  }

  get ready(): boolean {
    return this.#ready;
  }
  get backlog(): number {
    return this.#socket?.writableLength ?? 0;
  }

  send(message: RunnerMessage): boolean {
    if (!this.#ready || this.#socket === undefined) return false;
    this.#socket.write(encodeMessage(message));
    return true;
  }

  close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once("close", () => resolve());
      socket.end();
      setTimeout(() => socket.destroy(), 500).unref();
    });
  }

  #dial(): void {
    const socket = createConnection(this.#o.socket_path);
    const decoder = MessageDecoder.forControlMessages();
    const nonce = newNonce(this.#o.random);
    this.#socket = socket;
    let proven = false;
    const impatience = setTimeout(() => socket.destroy(), DIAL_TIMES.handshake_ms);
    socket.once("connect", () => {
      const { runner_id, started_at } = this.#o;
      socket.write(
        encodeMessage({
          type: "hello",
          protocol: RUNNER_PROTOCOL_VERSION,
          runner_id,
          pid: process.pid,
          nonce,
          started_at,
        }),
      );
    });
    const refuse = (problem: Failure): void => {
      this.#o.log(`${problem.code} ${failureText(problem, "en").text}`);
      socket.destroy();
    };
    socket.on("data", (chunk) => {
      const read = decoder.push(chunk);
      if (!read.ok) return refuse(read.error);
      for (const message of read.value) {
        if (this.#ready) {
          this.#o.onMessage(message);
        } else if (!proven && message.type === "challenge") {
          const answer = answerChallenge(message, {
            key: this.#o.key,
            runner_id: this.#o.runner_id,
            runner_nonce: nonce,
          });
          if (!answer.ok) return refuse(answer.error);
          proven = true;
          socket.write(encodeMessage(answer.value));
        } else if (proven && message.type === "welcome") {
          clearTimeout(impatience);
          this.#attempt = 0;
          this.#ready = true;
          this.#o.onReady();
        } else {
          this.#o.log(`a ${message.type} before the handshake was over`);
          return void socket.destroy();
        }
      }
    });
    // `close` follows and dials again.
    socket.on("error", () => undefined);
    socket.once("close", () => {
      clearTimeout(impatience);
      const was = this.#ready;
      this.#ready = false;
      if (was) this.#o.onLost();
      if (this.#closed) return;
      const wait = Math.min(DIAL_TIMES.backoff_max_ms, DIAL_TIMES.backoff_ms * 2 ** Math.min(this.#attempt, 10));
      this.#attempt += 1;
      this.#timer = setTimeout(() => this.#dial(), wait / 2 + (wait / 2) * this.#o.random.unit());
    });
  }
}
