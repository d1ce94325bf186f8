/**
 * The Docker Engine's HTTP interface on its socket, as far as packs' own containers need it: one request, one bounded answer.
 *
 * An answer that is no HTTP, too large or late is a problem in words, never an exception; what the engine refuses is told with
 * its status and its own message.
 */
import { request, type IncomingMessage } from "node:http";
import { err, ok, type Json, type Result } from "@rumi/kernel";
import { DOCKER_VERSIONS } from "@rumi/sandbox";

export const ENGINE_LIMITS = { request_ms: 10_000, answer_bytes: 4_194_304, ping_ms: 2_000 } as const;

export type EngineReply = { readonly status: number; readonly bytes: Buffer };
/** A problem in words: the engine is not there, or answered what it should not. */
export type EngineProblem = { readonly kind: "away" | "refused"; readonly problem: string };
export type Engine = (
  method: "GET" | "POST" | "DELETE",
  path: string,
  more?: {
    readonly body?: Json;
    /** Statuses that are no problem. */
    readonly expect?: readonly number[];
    readonly timeout_ms?: number;
    readonly signal?: AbortSignal;
  },
) => Promise<Result<EngineReply, EngineProblem>>;

/** Asks for the engine's version once for each request series; `undefined` problem where it speaks ours. */
export function dockerEngine(socket: string): Engine {
  return async (method, path, more = {}) => {
    const version = await versionOf(socket);
    if (!version.ok) return version;
    const { body, expect = [200, 201, 204], timeout_ms = ENGINE_LIMITS.request_ms, signal } = more;
    const reply = await asked({ socket, method, path: `/v${version.value}${path}`, body, timeout_ms, signal });
    if (!reply.ok) return reply;
    const { status, bytes } = reply.value;
    return expect.includes(status)
      ? ok({ status, bytes })
      : err({ kind: "refused", problem: `it was answered ${status}: ${messageOf(bytes)}` });
  };
}

type Asked = {
  readonly socket: string;
  readonly method: string;
  readonly path: string;
  readonly body: Json | undefined;
  readonly timeout_ms: number;
  readonly signal: AbortSignal | undefined;
};
type Replied = EngineReply & { readonly headers: IncomingMessage["headers"] };

function asked({ socket, method, path, body, timeout_ms, signal }: Asked): Promise<Result<Replied, EngineProblem>> {
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers =
    text === undefined ? {} : { "content-type": "application/json", "content-length": String(text.length) };
  return new Promise((resolve) => {
    const away = (problem: string): void => resolve(err({ kind: "away", problem }));
    const whole = AbortSignal.timeout(timeout_ms);
    const until = signal === undefined ? whole : AbortSignal.any([whole, signal]);
    const sent = request({ socketPath: socket, method, path, headers, agent: false, signal: until }, (reply) => {
      const chunks: Buffer[] = [];
      let length = 0;
      reply.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > ENGINE_LIMITS.answer_bytes) {
          reply.destroy();
          return resolve(
            err({ kind: "refused", problem: `it answered more than ${ENGINE_LIMITS.answer_bytes} bytes` }),
          );
        }
        chunks.push(chunk);
      });
      reply.on("error", ({ message }) => away(message));
      reply.on("end", () =>
        resolve(ok({ status: reply.statusCode ?? 0, bytes: Buffer.concat(chunks), headers: reply.headers })),
      );
    });
    sent.on("error", ({ message }) =>
      away(
        whole.aborted
          ? `no answer within ${timeout_ms} ms`
          : signal?.aborted === true
            ? "nobody waits for it any more"
            : message,
      ),
    );
    sent.end(text);
  });
}

async function versionOf(socket: string): Promise<Result<string, EngineProblem>> {
  const timeout_ms = ENGINE_LIMITS.ping_ms;
  const pong = await asked({ socket, method: "GET", path: "/_ping", body: undefined, timeout_ms, signal: undefined });
  if (!pong.ok) return pong;
  const theirs = String(pong.value.headers["api-version"] ?? "");
  const [oldest, newest] = DOCKER_VERSIONS;
  if (pong.value.status !== 200 || !/^\d+\.\d+$/.test(theirs) || numberOf(theirs) < numberOf(oldest))
    return err({
      kind: "away",
      problem: `it speaks version ${theirs || "?"} of its interface; ${oldest} or newer is needed`,
    });
  return ok(numberOf(theirs) < numberOf(newest) ? theirs : newest);
}

function numberOf(version: string): number {
  const [major = "0", minor = "0"] = version.split(".");
  return Number(major) * 1_000 + Number(minor);
}

function messageOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  try {
    const said = (JSON.parse(text) as { readonly message?: unknown }).message;
    return (typeof said === "string" ? said : text).slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}

const FRAME_HEAD = 8;
export type Streams = { readonly stdout: string; readonly stderr: string };

/** Frames: kind (1 stdout, 2 stderr), three zeros, length (big-endian), bytes; undefined for anything else. */
export function streamsOf(bytes: Buffer): Streams | undefined {
  const parts: readonly [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  while (at < bytes.length) {
    if (at + FRAME_HEAD > bytes.length || bytes.readUIntBE(at + 1, 3) !== 0) return undefined;
    const end = at + FRAME_HEAD + bytes.readUInt32BE(at + 4);
    const part = parts[(bytes[at] ?? 0) - 1];
    if (part === undefined || end > bytes.length) return undefined;
    part.push(bytes.subarray(at + FRAME_HEAD, end));
    at = end;
  }
  const [stdout, stderr] = parts.map((part) => Buffer.concat(part).toString("utf8"));
  return { stdout: stdout ?? "", stderr: stderr ?? "" };
}
