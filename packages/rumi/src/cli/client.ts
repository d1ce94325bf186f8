/**
 * The command line as a client of the public API: the same door that everybody else uses.
 *
 * Address and token come from RUMI_API_URL and RUMI_TOKEN, else from the home on this machine.
 */
import {
  ERROR_CATALOGUE,
  err,
  failure,
  ok,
  systemClock,
  systemRandom,
  uuidv7,
  type ErrorCode,
  type Failure,
  type Result,
} from "@rumi/kernel";

export type ApiAnswer = {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The answer as it came, for documents that are served byte for byte. */
  readonly text: string;
};

/** Either the server's own refusal, told as it came, or the reason why there was no answer. */
export type ApiError =
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly body: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: "unreachable"; readonly failure: Failure };

export type ApiRequest = {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, in the place of a body. */
  readonly file?: { readonly bytes: Uint8Array<ArrayBuffer>; readonly media_type: string };
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeout_ms?: number;
};

export interface ApiClient {
  readonly base_url: string;
  readonly token: string;
  request(request: ApiRequest): Promise<Result<ApiAnswer, ApiError>>;
  /** `data` of a success envelope, or the whole body where a route has its own shape. */
  data<T>(request: ApiRequest): Promise<Result<T, ApiError>>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export function apiClient(options: {
  readonly base_url: string;
  readonly token: string;
  readonly language: string;
  /** Told of every answer that is only a rehearsal's. */
  readonly rehearsed?: () => void;
}): ApiClient {
  const { base_url, token, language, rehearsed } = options;
  const request = async (asked: ApiRequest): Promise<Result<ApiAnswer, ApiError>> => {
    const { file } = asked;
    const hasBody = asked.body !== undefined;
    let response: Response;
    let text: string;
    try {
      response = await fetch(new URL(asked.path, base_url), {
        method: asked.method,
        headers: {
          authorization: `Bearer ${token}`,
          "accept-language": language,
          ...(hasBody ? { "content-type": "application/json" } : {}),
          ...(file === undefined ? {} : { "content-type": file.media_type }),
          ...asked.headers,
        },
        ...(hasBody ? { body: JSON.stringify(asked.body) } : {}),
        ...(file === undefined ? {} : { body: file.bytes }),
        signal: AbortSignal.timeout(asked.timeout_ms ?? DEFAULT_TIMEOUT_MS),
      });
      text = await response.text();
    } catch (cause) {
      return err({
        kind: "unreachable",
        failure: failure("RUMI-NET-001", { url: base_url }, { cause }),
      });
    }
    const body = parseObject(text);
    if (body["training"] === true) rehearsed?.();
    if (response.ok) return ok({ status: response.status, body, text });
    return err({ kind: "refused", status: response.status, body });
  };
  return {
    base_url,
    token,
    request,
    data: async <T>(asked: ApiRequest) => {
      const answer = await request(asked);
      if (!answer.ok) return answer;
      return ok(
        (answer.value.body["success"] === true && "data" in answer.value.body
          ? answer.value.body["data"]
          : answer.value.body) as T,
      );
    },
  };
}

const clock = systemClock();
const random = systemRandom();

/** A fresh `command_id` for one wish of the person at the keyboard; ordered by time, which the store's indexes like. */
export function newCommandId(): string {
  return uuidv7(clock.now(), random);
}

/** The refusal as a failure of the catalogue, when it is one. */
export function knownCode(body: Readonly<Record<string, unknown>>): ErrorCode | undefined {
  const code = body["error_code"];
  return typeof code === "string" && code in ERROR_CATALOGUE ? (code as ErrorCode) : undefined;
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : { value };
  } catch {
    return { text };
  }
}
