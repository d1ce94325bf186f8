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

export type Call = {
  readonly get: <T>(shape: Shape<T>, path: string) => Promise<T>;
  /** What is served as it lies there: its text, and no envelope around it. */
  readonly document: (path: string) => Promise<string>;
  /** With `key`, the id travels in the header: the operation takes none in its body. */
  readonly post: (path: string, body: Body, key?: string) => Promise<Body>;
};

export const of = encodeURIComponent;

export function createCall(token: string, language: string): Call {
  const call = async <T>(
    shape: Shape<T>,
    method: "GET" | "POST",
    path: string,
    sent?: { readonly body: Body; readonly key?: string },
  ): Promise<T> => {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${token}`,
        "accept-language": language,
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...(sent?.key === undefined ? {} : { "idempotency-key": sent.key }),
      },
      ...(sent === undefined ? {} : { body: JSON.stringify(sent.body) }),
    });
    const answer = record(await json(response, path), path);
    if (!response.ok || answer["success"] !== true) throw new RefusedError(answers.refusal(answer, path));
    return shape(answer["data"], path);
  };
  const document = async (path: string): Promise<string> => {
    const response = await fetch(path, {
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: { authorization: `Bearer ${token}`, "accept-language": language },
    });
    if (!response.ok) throw new RefusedError(answers.refusal(record(await json(response, path), path), path));
    return response.text();
  };
  return {
    document,
    get: (shape, path) => call(shape, "GET", path),
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
