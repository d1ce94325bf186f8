/**
 * One signed request to the venue simulator, and what its answer means.
 *
 * Invariant: only an answer that the venue itself wrote is its word; anything else, 5xx included, is `unknown`.
 */
import { request as httpRequest, Agent } from "node:http";
import { WIRE } from "../venue-sim/wire.ts";
import { sign, type ApiKey } from "../venue-sim/signature.ts";

export type HttpOptions = {
  readonly url: string;
  readonly key: ApiKey;
  readonly recv_window_ms: number;
  /** An answer that takes longer is none. */
  readonly timeout_ms: number;
  /** Microseconds since the epoch. */
  readonly wallNow_us: () => number;
};

export type HttpAnswer =
  | {
      readonly kind: "said";
      readonly status: number;
      readonly body: Readonly<Record<string, unknown>>;
      readonly retry_after_ms: number;
    }
  | { readonly kind: "unknown"; readonly problem: string };

const ANSWER_BYTES_MAX = 8_388_608;

export class VenueSimHttp {
  readonly #o: HttpOptions;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  /** The venue's clock minus ours. */
  lead_us = 0;

  constructor(options: HttpOptions) {
    this.#o = options;
  }

  /** Headers that prove the key for this request, now. */
  signed(method: string, target: string, body: string): Record<string, string> {
    const { key, recv_window_ms, wallNow_us } = this.#o;
    const timestamp_ms = Math.round((wallNow_us() + this.lead_us) / 1_000);
    return {
      [WIRE.key]: key.key_id,
      [WIRE.timestamp]: String(timestamp_ms),
      [WIRE.recv_window]: String(recv_window_ms),
      [WIRE.signature]: sign(key.secret, { timestamp_ms, recv_window_ms, method, target, body }),
    };
  }

  send(method: string, target: string, payload?: object): Promise<HttpAnswer> {
    const body = payload === undefined ? "" : JSON.stringify(payload);
    return new Promise((resolve) => {
      const unknown = (problem: string): void => resolve({ kind: "unknown", problem });
      const request = httpRequest(
        new URL(target, this.#o.url),
        {
          method,
          agent: this.#agent,
          headers: {
            ...this.signed(method, target, body),
            ...(body === "" ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let bytes = 0;
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes > ANSWER_BYTES_MAX) response.destroy(new Error("the answer is too large"));
            else chunks.push(chunk);
          });
          response.on("error", (problem) => unknown(problem.message));
          response.on("end", () => {
            const status = response.statusCode ?? 0;
            if (status >= 500 || status < 200) return unknown(`status ${status}`);
            const said = parse(Buffer.concat(chunks).toString("utf8"));
            if (said === undefined) return unknown("the answer is no JSON");
            const seconds = Number(response.headers["retry-after"] ?? "1");
            resolve({
              kind: "said",
              status,
              body: said,
              retry_after_ms: Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : 1_000,
            });
          });
        },
      );
      const timer = setTimeout(() => request.destroy(new Error("no answer in time")), this.#o.timeout_ms);
      request.on("error", (problem) => unknown(problem.message));
      request.on("close", () => clearTimeout(timer));
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A stream's message; `undefined` when it is none, and the stream is not worth keeping. */
export const readMessage = (data: Buffer): Readonly<Record<string, unknown>> | undefined =>
  parse(data.toString("utf8"));

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
