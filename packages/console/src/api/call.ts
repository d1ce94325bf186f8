/**
 * One call of the public API. Three things can go wrong and each is its own error: the server refuses (RefusedError),
 * its answer does not fit (ShapeError), it does not answer (whatever fetch throws, after at most TIMEOUT_MS).
 */
import * as answers from "../answers/answers.ts";
import { record, ShapeError, type Shape } from "../answers/shape.ts";

const TIMEOUT_MS = 10_000;

export class RefusedError extends Error {
  readonly refusal: answers.Refusal;
  constructor(refusal: answers.Refusal) {
    super(refusal.error);
    this.refusal = refusal;
  }
}

/** A person's wish; its id is the idempotency key, so that a repeated click never acts twice. */
export type Wish = { readonly id: string; readonly reason: string };
export type Body = Readonly<Record<string, unknown>>;

export type Sent = {
  readonly body: Body;
  readonly key?: string;
  /** How long its answer may take. */
  readonly timeout_ms?: number;
  /** What is answered stands beside `success`, not in `data`. */
  readonly is_flat?: boolean;
};

export type Call = {
  /** Who asks, and in which language: what every request carries. */
  readonly headers: Readonly<Record<string, string>>;
  /** Another method, more time, or an answer without an envelope. */
  readonly send: (method: "POST" | "DELETE", path: string, sent: Sent) => Promise<Body>;
  readonly get: <T>(shape: Shape<T>, path: string, timeout_ms?: number) => Promise<T>;
  /** What comes piece by piece, until `signal` ends it. */
  readonly stream: (path: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>;
  /** What is served as it lies there: its text, and no envelope around it. */
  readonly document: (path: string) => Promise<string>;
  /** With `key`, the id travels in the header: the operation takes none in its body. */
  readonly post: (path: string, body: Body, key?: string) => Promise<Body>;
};

export const of = encodeURIComponent;

/** What a wish would do: the same request, of which nothing is done. */
export async function tried(post: Call["post"], path: string, body: Body): Promise<answers.DryRun> {
  return answers.dryRun(await post(path, { ...body, dry_run: true }), path);
}

export function createCall(token: string, language: string): Call {
  const headers = { authorization: `Bearer ${token}`, "accept-language": language };
  const call = async <T>(
    shape: Shape<T>,
    method: "GET" | "POST" | "DELETE",
    path: string,
    sent?: Sent,
    timeout_ms = sent?.timeout_ms ?? TIMEOUT_MS,
  ): Promise<T> => {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(timeout_ms),
      headers: {
        ...headers,
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...(sent?.key === undefined ? {} : { "idempotency-key": sent.key }),
      },
      ...(sent === undefined ? {} : { body: JSON.stringify(sent.body) }),
    });
    const answer = record(await json(response, path), path);
    if (!response.ok || answer["success"] !== true) throw new RefusedError(answers.refusal(answer, path));
    return shape(sent?.is_flat === true ? answer : answer["data"], path);
  };
  const stream: Call["stream"] = async (path, signal) => {
    const response = await fetch(path, {
      cache: "no-store",
      signal,
      headers: { ...headers, accept: "text/event-stream" },
    });
    if (!response.ok) throw new RefusedError(answers.refusal(record(await json(response, path), path), path));
    if (response.body === null) throw new ShapeError(path, "a body");
    return response.body;
  };
  const document = async (path: string): Promise<string> => {
    const response = await fetch(path, {
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers,
    });
    if (!response.ok) throw new RefusedError(answers.refusal(record(await json(response, path), path), path));
    return response.text();
  };
  return {
    headers,
    document,
    stream,
    send: (method, path, sent) => call(record, method, path, sent),
    get: (shape, path, timeout_ms) => call(shape, "GET", path, undefined, timeout_ms),
    post: (path, body, key) => call(record, "POST", path, key === undefined ? { body } : { body, key }),
  };
}

async function json(response: Response, path: string): Promise<unknown> {
  try {
    return await response.json();
  } catch (cause) {
    throw new ShapeError(path, `JSON with status ${response.status} (${String(cause)})`);
  }
}
