/**
 * The Unix socket that runners dial: framing, the mutual proof, then a {@link RunnerConnection}.
 *
 * Invariants (socket-server.test.ts)
 * - Nothing but the handshake is read before the proof; a wrong key, a wrong order or silence closes.
 * - The socket's mode is 0600, folders are made with 0700 for it, and a file left by a dead program is replaced. Where its
 *   path would be too long it lies in the machine's temporary folder (socket-path.ts), and its mode and the proof hold it.
 */
import { mkdir, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { err, failure, millis, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import {
  answerHello,
  encodeMessage,
  MessageDecoder,
  newNonce,
  verifyProof,
  type ControlMessage,
  type RunnerMessage,
} from "@rumi/runtime";
import type { RunnerConnection } from "./connection.ts";

export type SocketServerDeps = {
  readonly path: string;
  /** The runner key of this home (0600 file). */
  readonly key: Uint8Array;
  readonly home_id: string;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "warning" | "error" | "info">;
  readonly onConnection: (connection: RunnerConnection) => void;
};

const HANDSHAKE_MS = 5_000;
const CONNECTIONS = 64;
/** Bytes waiting to be sent to one runner; a runner that does not read is cut off. */
const UNSENT_BYTES = 67_108_864;

export interface RunnerSocketServer {
  readonly path: string;
  close(): Promise<void>;
}

export async function listenForRunners(deps: SocketServerDeps): Promise<Result<RunnerSocketServer, Failure>> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy()); // a reset is an end like any other
    if (sockets.size > CONNECTIONS) socket.destroy();
    else serve(socket, deps);
  });
  try {
    await mkdir(dirname(deps.path), { recursive: true, mode: 0o700 });
    await rm(deps.path, { force: true }); // the home's lock says that nobody listens there any more
    await listening(server, deps.path);
  } catch (cause) {
    return err(
      failure(
        "RUMI-SYS-003",
        { path: deps.path, problem: cause instanceof Error ? cause.message : String(cause) },
        { cause },
      ),
    );
  }
  return ok({
    path: deps.path,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

/** The socket is its user's alone from its first moment: it is bound within this very call, under this mask. */
function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => resolve());
    } finally {
      process.umask(mask);
    }
  });
}

function serve(socket: Socket, deps: SocketServerDeps): void {
  const decoder = MessageDecoder.forRunnerMessages();
  const control_nonce = newNonce(deps.random);
  let hello: Extract<RunnerMessage, { type: "hello" }> | undefined;
  let connection: OpenConnection | undefined;
  const refuse = (problem: string): void => {
    deps.logger.warning("a runner's connection was refused", { problem, runner_id: hello?.runner_id ?? null });
    socket.destroy();
  };
  const handshake = new AbortController(); // its timer ends with the handshake or the socket
  socket.once("close", () => handshake.abort());
  void deps.clock.sleep(millis(HANDSHAKE_MS), handshake.signal).then(() => {
    if (connection === undefined && !socket.destroyed) refuse("it did not prove itself in time");
  });
  const take = (message: RunnerMessage): void => {
    if (connection !== undefined) return connection.deliver(message);
    if (hello === undefined) {
      if (message.type !== "hello") return refuse(`it began with ${message.type}`);
      hello = message;
      const challenge = answerHello(message, { key: deps.key, home_id: deps.home_id, control_nonce });
      return challenge.ok ? void socket.write(encodeMessage(challenge.value)) : refuse(challenge.error.code);
    }
    if (message.type !== "proof") return refuse(`it sent ${message.type} before its proof`);
    const proven = verifyProof(message, {
      key: deps.key,
      runner_nonce: hello.nonce,
      control_nonce,
      runner_id: hello.runner_id,
      home_id: deps.home_id,
    });
    if (!proven.ok) return refuse(proven.error.code);
    connection = openConnection(socket, hello);
    handshake.abort();
    socket.write(encodeMessage({ type: "welcome" }));
    deps.onConnection(connection);
  };
  socket.on("data", (chunk: Buffer) => {
    const messages = decoder.push(chunk);
    if (!messages.ok) return refuse(`${messages.error.code} ${String(messages.error.params["problem"] ?? "")}`);
    for (const message of messages.value) if (!socket.destroyed) take(message);
  });
}

type OpenConnection = RunnerConnection & { deliver(message: RunnerMessage): void };

function openConnection(
  socket: Socket,
  { runner_id, pid, started_at }: Extract<RunnerMessage, { type: "hello" }>,
): OpenConnection {
  let listener: ((message: RunnerMessage) => void) | undefined;
  const early: RunnerMessage[] = [];
  return {
    hello: { runner_id, pid, started_at },
    deliver: (message) => (listener === undefined ? void early.push(message) : listener(message)),
    send: (message: ControlMessage) => {
      if (socket.destroyed || !socket.writable) return false;
      if (socket.writableLength > UNSENT_BYTES) {
        socket.destroy();
        return false;
      }
      socket.write(encodeMessage(message));
      return true;
    },
    onMessage: (heard) => {
      listener = heard;
      for (const message of early.splice(0)) heard(message);
    },
    onClose: (heard) => void (socket.destroyed ? heard() : socket.on("close", heard)),
    close: () => socket.destroy(),
  };
}
