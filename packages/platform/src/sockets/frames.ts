/**
 * How a pack and the program speak over a socket: `{u32 head length, u32 body length}` little-endian, the head as JSON, the
 * body as bytes; both ways alike, one message at a time. Pure.
 *
 * Invariant (sockets.test.ts): what is announced larger than it may be is refused before it is kept.
 */
export const LINE_LIMITS = {
  /** A head as it comes in: an egress request's headers, or the arguments of a capability. */
  head_bytes: 3_145_728,
  body_bytes: 1_048_576,
  /** Of one socket, at once. */
  connections: 256,
  /** From the first byte of a message to its last. */
  message_ms: 10_000,
} as const;

export type Message = { readonly head: Readonly<Record<string, unknown>>; readonly body: Uint8Array };
export type Taken =
  | { readonly kind: "message"; readonly message: Message; readonly rest: Buffer }
  | { readonly kind: "more" }
  | { readonly kind: "broken"; readonly problem: string };

const LENGTHS = 8;

export function takeMessage(received: Buffer): Taken {
  if (received.length < LENGTHS) return { kind: "more" };
  const [head, body] = [received.readUInt32LE(0), received.readUInt32LE(4)];
  if (head > LINE_LIMITS.head_bytes) return broken(`a head has at most ${LINE_LIMITS.head_bytes} bytes`);
  if (body > LINE_LIMITS.body_bytes) return broken(`a body has at most ${LINE_LIMITS.body_bytes} bytes`);
  const end = LENGTHS + head + body;
  if (received.length < end) return { kind: "more" };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(received.subarray(LENGTHS, LENGTHS + head)));
  } catch {
    return broken("its head is not JSON");
  }
  if (!isObject(value)) return broken("its head is not an object");
  const message = { head: value, body: Uint8Array.from(received.subarray(LENGTHS + head, end)) };
  return { kind: "message", message, rest: received.subarray(end) };
}

export function messageBytes(head: object, body: Uint8Array = new Uint8Array(0)): Buffer {
  const text = Buffer.from(JSON.stringify(head), "utf8");
  const lengths = Buffer.alloc(LENGTHS);
  lengths.writeUInt32LE(text.length, 0);
  lengths.writeUInt32LE(body.length, 4);
  return Buffer.concat([lengths, text, body]);
}

function broken(problem: string): Taken {
  return { kind: "broken", problem };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
