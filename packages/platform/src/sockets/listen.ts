/**
 * One Unix socket with a group and a mode, that serves one kind of message.
 *
 * How to think: a socket appears whole. It is bound in a folder that nobody else may enter, gets its group and mode there,
 * and is then moved to its place; so there is no moment in which others could use it. Whoever can open it is its principal.
 *
 * Invariants (sockets.test.ts): a socket of another program that lives is left alone; one that nobody serves is replaced; a
 * message that is not as agreed ends its connection; who goes away takes what was being done for them along.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { err, failure, ok, type Clock, type Failure, type Result } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import { deadline, type Deadline } from "../egress/deadline.ts";
import { LINE_LIMITS, messageBytes, takeMessage, type Message } from "./frames.ts";

/** `signal`: nobody waits for the answer any more. */
export type Serve = (message: Message, signal: AbortSignal) => Promise<Served>;
export type Served = { readonly head: object; readonly body?: Uint8Array };

export type SocketPlace = {
  readonly path: string;
  /** The group that may use it; null: the program's own. */
  readonly gid: number | null;
  readonly mode: number;
  /** The settings that say where, who and how: told where it cannot be served. */
  readonly variable: string;
};
export interface ServedSocket {
  close(): Promise<void>;
}
type Deps = { readonly clock: Clock; readonly logger: Logger };

/** What the system takes, the zero at its end not counted. */
export const SOCKET_PATH_BYTES = 107;
/** The name of a socket in the folder in which it is made; shorter than any that it gets. */
const FRESH = "s";

export async function serveSocket(
  place: SocketPlace,
  serve: Serve,
  deps: Deps,
): Promise<Result<ServedSocket, Failure>> {
  const { path, variable } = place;
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-NET-011", { path, problem, variable }));
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES) return refused(`its path has more than ${SOCKET_PATH_BYTES} bytes`);
  const connections = new Set<Socket>();
  const server = createServer((socket) => {
    if (connections.size >= LINE_LIMITS.connections) return void socket.destroy();
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    converse(socket, serve, deps);
  });
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    const there = await occupant(path);
    if (there !== undefined) return refused(there);
    await bind(server, place);
  } catch (cause) {
    server.close();
    return refused(cause instanceof Error ? cause.message : String(cause));
  }
  const inode = lstatSync(path).ino;
  return ok({
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of connections) socket.destroy();
      await closed;
      // Somebody may have put another one in its place.
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) rmSync(path, { force: true });
    },
  });
}

/** Why its place is not free; a socket that nobody serves is taken away. */
async function occupant(path: string): Promise<string | undefined> {
  const facts = lstatSync(path, { throwIfNoEntry: false });
  if (facts === undefined) return undefined;
  if (!facts.isSocket()) return "something that is no socket is in its place";
  const isServed = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", ({ code }: NodeJS.ErrnoException) => resolve(code !== "ECONNREFUSED"));
  });
  if (isServed) return "another program serves it";
  rmSync(path, { force: true });
  return undefined;
}

async function bind(server: Server, { path, gid, mode }: SocketPlace): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), ".n"));
  const fresh = join(folder, FRESH);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(fresh, () => {
        server.off("error", reject);
        resolve();
      });
    });
    if (gid !== null) chownSync(fresh, -1, gid);
    chmodSync(fresh, mode);
    renameSync(fresh, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One message, its answer, then the next. */
function converse(socket: Socket, serve: Serve, { clock, logger }: Deps): void {
  let received: Buffer = Buffer.alloc(0);
  let isServing = false;
  let hurry: Deadline | undefined;
  const gone = new AbortController();
  const calm = (): void => {
    hurry?.over();
    hurry = undefined;
  };
  const next = (): void => {
    if (isServing || socket.destroyed) return;
    const taken = takeMessage(received);
    if (taken.kind === "broken") {
      calm();
      logger.warning("a pack's message is not as agreed; its connection is ended", { problem: taken.problem });
      isServing = true; // nothing more is taken of it
      socket.end(messageBytes({ success: false, error: taken.problem, error_type: "invalid_request" }));
    } else if (taken.kind === "message") {
      calm();
      received = taken.rest;
      isServing = true;
      void answer(taken.message);
    } else if (received.length > 0 && hurry === undefined) {
      // Whoever begins a message ends it, or does not speak at all.
      hurry = deadline(clock, LINE_LIMITS.message_ms);
      hurry.signal.addEventListener("abort", () => socket.destroy());
    }
  };
  const answer = async (asked: Message): Promise<void> => {
    try {
      const { head, body } = await serve(asked, gone.signal);
      if (!socket.destroyed) socket.write(messageBytes(head, body));
    } catch (problem) {
      logger.error("a pack's message could not be served", { problem: String(problem) });
      socket.destroy();
    }
    isServing = false;
    next();
  };
  socket.on("data", (part: Buffer) => {
    // Read on while it waits, so that its end is noticed; but who does not wait is not served.
    if (isServing) return void socket.destroy();
    received = received.length === 0 ? part : Buffer.concat([received, part]);
    next();
  });
  socket.on("error", () => undefined); // `close` follows
  socket.on("close", () => {
    calm();
    gone.abort();
  });
}
