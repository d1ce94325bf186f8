/**
 * One request to addresses that were judged, and its whole answer; it looks up no name and follows nothing.
 *
 * Invariants (egress.test.ts): the connection goes to one of the addresses that were given, the certificate is held against
 * the name; what is too large or too late is cut off, not read to its end.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { err, failure, ok, type Clock, type Result } from "@rumi/kernel";
import type { EgressProblem } from "./answer.ts";
import { deadline } from "./deadline.ts";
import { EGRESS_LIMITS } from "./limits.ts";
import { portOf, type EgressCall } from "./request.ts";

/** Opens a connection to an address, or rejects. */
export type Dial = (address: string, port: number, signal: AbortSignal) => Promise<Socket>;

export type Exchange = {
  readonly addresses: readonly string[];
  readonly dial: Dial;
  readonly clock: Pick<Clock, "sleep">;
  /** Of the whole call. */
  readonly signal: AbortSignal;
  readonly max_response_bytes: number;
  /** Trusted beside what the system trusts. */
  readonly tls_ca?: string;
};
export type Exchanged = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly location: string | undefined;
  readonly body: Uint8Array;
};

/** The signal ends the dialling, not what was connected. */
export const systemDial: Dial = (address, port, signal) =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: address, port });
    const end = (): void => void socket.destroy(new Error("no connection in time"));
    const settle = (): void => {
      signal.removeEventListener("abort", end);
      socket.off("error", refuse);
    };
    const refuse = (cause: Error): void => {
      settle();
      reject(cause);
    };
    signal.addEventListener("abort", end);
    socket.once("error", refuse);
    socket.once("connect", () => {
      settle();
      resolve(socket);
    });
    if (signal.aborted) end();
  });

export async function exchange(call: EgressCall, of: Exchange): Promise<Result<Exchanged, EgressProblem>> {
  const plain = await connected(call, of);
  if (!plain.ok) return plain;
  const whole = call.url.protocol === "https:" ? await secured(plain.value, call, of) : plain;
  if (!whole.ok) return whole;
  try {
    return await answered(whole.value, call, of);
  } finally {
    whole.value.destroy();
  }
}

/** The first of its addresses that answers. */
async function connected(call: EgressCall, of: Exchange): Promise<Result<Socket, EgressProblem>> {
  const all = deadline(of.clock, EGRESS_LIMITS.connect_ms);
  let problem = "it has no address";
  try {
    for (const address of of.addresses) {
      const one = deadline(of.clock, EGRESS_LIMITS.connect_one_ms);
      // The last one has all the time that is left.
      const signals = address === of.addresses.at(-1) ? [] : [one.signal];
      try {
        return ok(await of.dial(address, portOf(call.url), AbortSignal.any([of.signal, all.signal, ...signals])));
      } catch (cause) {
        problem = one.signal.aborted ? "no connection in time" : problemOf(cause);
      } finally {
        one.over();
      }
      if (of.signal.aborted || all.signal.aborted) return err(timedOut(call));
    }
  } finally {
    all.over();
  }
  return err(broken(call, "connection_failed", problem));
}

function secured(socket: Socket, call: EgressCall, of: Exchange): Promise<Result<Socket, EgressProblem>> {
  return new Promise((resolve) => {
    const secure = tlsConnect({
      socket,
      servername: call.url.hostname,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      ...(of.tls_ca === undefined ? {} : { ca: of.tls_ca }),
    });
    const end = (): void => void secure.destroy(new Error("its time is up"));
    of.signal.addEventListener("abort", end);
    secure.once("error", (cause) => {
      of.signal.removeEventListener("abort", end);
      resolve(err(of.signal.aborted ? timedOut(call) : broken(call, "tls_failed", problemOf(cause))));
    });
    secure.once("secureConnect", () => {
      of.signal.removeEventListener("abort", end);
      resolve(ok(secure));
    });
    if (of.signal.aborted) end();
  });
}

function answered(socket: Socket, call: EgressCall, of: Exchange): Promise<Result<Exchanged, EgressProblem>> {
  const { url, method, body } = call;
  return new Promise((resolve) => {
    const tell = (result: Result<Exchanged, EgressProblem>): void => {
      of.signal.removeEventListener("abort", end);
      resolve(result);
      socket.destroy();
    };
    const end = (): void => tell(err(timedOut(call)));
    const broke = (cause: Error): void => tell(err(broken(call, "connection_failed", problemOf(cause))));
    of.signal.addEventListener("abort", end);
    if (of.signal.aborted) return end();
    const sent = httpRequest({
      method,
      path: `${url.pathname}${url.search}`,
      headers: {
        "user-agent": "rumi-egress",
        "accept-encoding": "identity",
        ...call.headers,
        host: url.host,
        connection: "close",
        ...(body.length > 0 || !["GET", "HEAD"].includes(method) ? { "content-length": String(body.length) } : {}),
      },
      maxHeaderSize: EGRESS_LIMITS.response_header_bytes,
      createConnection: () => socket,
    });
    sent.on("error", broke);
    sent.on("response", (response) => {
      response.on("error", broke);
      collect(response, of.max_response_bytes, (bytes) =>
        tell(bytes === undefined ? err(tooLarge(call, of)) : ok(exchangedOf(response, bytes))),
      );
    });
    sent.end(body);
  });
}

/** Its body, or undefined as soon as it is larger. */
function collect(response: IncomingMessage, most: number, done: (bytes: Uint8Array | undefined) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  response.on("data", (part: Buffer) => {
    length += part.length;
    if (length > most) return done(undefined);
    parts.push(part);
  });
  response.on("end", () => done(Buffer.concat(parts)));
}

function exchangedOf({ statusCode = 0, headersDistinct }: IncomingMessage, body: Uint8Array): Exchanged {
  const headers = Object.fromEntries(
    Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(", ")]),
  );
  return { status: statusCode, headers, location: headers["location"], body };
}

function problemOf(cause: unknown): string {
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  return (typeof code === "string" ? code : String(message ?? cause)).slice(0, 200);
}

export function timedOut({ url, timeout_ms }: EgressCall): EgressProblem {
  return { failure: failure("RUMI-NET-002", { what: url.host, seconds: timeout_ms / 1_000 }), error_type: "timeout" };
}

function broken({ url }: EgressCall, error_type: "connection_failed" | "tls_failed", problem: string): EgressProblem {
  return { failure: failure("RUMI-NET-008", { target: url.host, problem }), error_type };
}

function tooLarge({ url }: EgressCall, { max_response_bytes }: Exchange): EgressProblem {
  return {
    failure: failure("RUMI-NET-009", { target: url.host, most: max_response_bytes }),
    error_type: "response_too_large",
  };
}
