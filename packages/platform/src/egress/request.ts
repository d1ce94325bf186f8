/**
 * A request as a pack wrote it, read strictly, and what follows from an answer that sends it elsewhere. Pure.
 *
 * Invariants (request.test.ts): nothing a pack writes ends a header early or adds one; who the request goes to, how long it
 * is and how its connection is kept are never the pack's to say; what is secret for one origin is not sent to another.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { EGRESS_LIMITS, EGRESS_METHODS, type EgressMethod } from "./limits.ts";

export type EgressCall = {
  readonly method: EgressMethod;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeout_ms: number;
};

const HEAD = Type.Object(
  {
    op: Type.Literal("http_request"),
    method: Type.String(),
    url: Type.String(),
    headers: Type.Optional(Type.Record(Type.String(), Type.String())),
    timeout_seconds: Type.Optional(Type.Number()),
    // Who asks is known by the socket; a claim is noted and counts for nothing.
    principal_id: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);
type Head = Static<typeof HEAD>;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
/** The connection's own, and whom it goes to. */
const OURS: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export function parseCall(head: unknown, body: Uint8Array): Result<EgressCall, Failure> {
  const [first] = Value.Errors(HEAD, head);
  if (first !== undefined) return invalid(`${first.path === "" ? "it" : first.path.slice(1)}: ${first.message}`);
  const { method, url, headers = {}, timeout_seconds = EGRESS_LIMITS.default_timeout_seconds } = head as Head;
  const known = EGRESS_METHODS.find((one) => one === method);
  if (known === undefined) return invalid(`the method is one of ${EGRESS_METHODS.join(", ")}`);
  if (!(timeout_seconds > 0 && timeout_seconds <= EGRESS_LIMITS.timeout_seconds))
    return invalid(`timeout_seconds is above 0 and at most ${EGRESS_LIMITS.timeout_seconds}`);
  if (body.length > EGRESS_LIMITS.request_bytes)
    return invalid(`its body has more than ${EGRESS_LIMITS.request_bytes} bytes`);
  if (body.length > 0 && (known === "GET" || known === "HEAD")) return invalid(`a ${known} has no body`);
  const target = targetOf(url);
  if (!target.ok) return target;
  const fields = fieldsOf(headers);
  if (!fields.ok) return fields;
  return ok({ method: known, url: target.value, headers: fields.value, body, timeout_ms: timeout_seconds * 1_000 });
}

/** Where a request goes: written plainly, without a name or password, http or https or at least some protocol. */
export function targetOf(written: string, base?: URL): Result<URL, Failure> {
  if (written.length > EGRESS_LIMITS.url_characters)
    return invalid(`its url has more than ${EGRESS_LIMITS.url_characters} characters`);
  // oxlint-disable-next-line no-control-regex -- they are what is looked for: a parser drops some of them silently
  if (/[\x00-\x20\x7f\\]/.test(written)) return invalid("its url holds a blank, a control character or a backslash");
  let url: URL;
  try {
    url = new URL(written, base);
  } catch {
    return invalid("its url is none, such as https://api.example.com/v1");
  }
  if (url.hostname === "") return invalid("its url names no host");
  if (url.username !== "" || url.password !== "") return invalid("its url holds a name or a password; use a header");
  url.hash = "";
  return ok(url);
}

/** The port that a request goes to. */
export function portOf({ port, protocol }: URL): number {
  if (port !== "") return Number(port);
  return protocol === "http:" ? 80 : 443;
}

function fieldsOf(headers: Readonly<Record<string, string>>): Result<Readonly<Record<string, string>>, Failure> {
  const entries = Object.entries(headers);
  if (entries.length > EGRESS_LIMITS.headers) return invalid(`it has more than ${EGRESS_LIMITS.headers} headers`);
  const fields = new Map<string, string>();
  for (const [written, value] of entries) {
    const name = written.toLowerCase();
    const shown = JSON.stringify(written.slice(0, 64));
    if (written.length > EGRESS_LIMITS.header_name_characters)
      return invalid(
        `the name of the header ${shown} has more than ${EGRESS_LIMITS.header_name_characters} characters`,
      );
    if (!NAME.test(written)) return invalid(`${shown} is no name of a header`);
    if (OURS.has(name)) return invalid(`the header ${shown} is not a pack's to set`);
    if (fields.has(name)) return invalid(`the header ${shown} is there twice`);
    if (value.length > EGRESS_LIMITS.header_value_characters)
      return invalid(`the header ${shown} has more than ${EGRESS_LIMITS.header_value_characters} characters`);
    if (!VALUE.test(value)) return invalid(`the header ${shown} holds a character that would end or hide it`);
    fields.set(name, value);
  }
  return ok(Object.fromEntries(fields));
}

const MOVED: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Told to the origin they were written for only. */
const FOR_ORIGIN: readonly string[] = ["authorization", "cookie"];

/** The request that an answer asks for instead; undefined: the answer is the answer. */
export function redirected(
  call: EgressCall,
  status: number,
  location: string | undefined,
): Result<EgressCall, Failure> | undefined {
  if (!MOVED.has(status) || location === undefined) return undefined;
  const target = targetOf(location, call.url);
  if (!target.ok) return target;
  const becomesGet =
    status === 303 ? call.method !== "HEAD" : (status === 301 || status === 302) && call.method === "POST";
  const isElsewhere = target.value.origin !== call.url.origin;
  const isKept = (name: string): boolean =>
    !(isElsewhere && FOR_ORIGIN.includes(name)) && !(becomesGet && name.startsWith("content-"));
  return ok({
    ...call,
    url: target.value,
    method: becomesGet ? "GET" : call.method,
    body: becomesGet ? new Uint8Array(0) : call.body,
    headers: Object.fromEntries(Object.entries(call.headers).filter(([name]) => isKept(name))),
  });
}

function invalid(problem: string): Result<never, Failure> {
  return err(failure("RUMI-NET-007", { problem }));
}
