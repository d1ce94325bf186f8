/**
 * Runner protocol on the wire, for both sides: framing with limits, strict validation, and the mutual proof.
 *
 * A frame is a u32 LE length and one JSON object. Whatever does not fit the protocol exactly (unknown type, unknown or
 * missing field, wrong type) is RUMI-STR-030, and the connection is to be closed: nothing is guessed.
 *
 * Handshake: runner `hello{nonce}` → control `challenge{nonce, mac}` → runner `proof{mac}` → control `welcome`.
 * mac = HMAC-SHA-256(runner key, "rumi-runner-1" · role · runner's nonce · control's nonce · runner id · home id), NUL between parts.
 *
 * Invariants
 * - The first message of each side is part of the handshake; before `welcome` nothing else is accepted (runner.test.ts).
 * - A nonce is 32 bytes of fresh randomness; a mac of one role never passes for the other's (protocol-io.test.ts).
 */
import {
  equalSecrets,
  err,
  type Failure,
  failure,
  hmacSha256,
  LIMITS,
  ok,
  type Random,
  type Result,
} from "@rumi/kernel";
import { type ControlMessage, RUNNER_PROTOCOL_VERSION, type RunnerMessage } from "./protocol.ts";
import { checkShape, CONTROL_SHAPES, RUNNER_SHAPES } from "./protocol-shapes.ts";

const refuse = (problem: string): Result<never, Failure> =>
  err(failure("RUMI-STR-030", { problem }, { reasonCode: "M.PROTOCOL" }));

export function encodeMessage(message: RunnerMessage | ControlMessage): Buffer {
  const body = Buffer.from(JSON.stringify(message), "utf8");
  if (body.length > LIMITS.runner_message_bytes)
    throw new RangeError(`a message of ${body.length} bytes; journal batches are bounded so that this cannot be`);
  const frame = Buffer.allocUnsafe(4 + body.length);
  frame.writeUInt32LE(body.length, 0);
  body.copy(frame, 4);
  return frame;
}

/** Cuts a byte stream into messages of one side. After a refusal it stays refused. */
export class MessageDecoder<M extends RunnerMessage | ControlMessage> {
  readonly #shapes: typeof RUNNER_SHAPES;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #refused: Failure | undefined;

  private constructor(shapes: typeof RUNNER_SHAPES) {
    this.#shapes = shapes;
  }

  static forRunnerMessages(): MessageDecoder<RunnerMessage> {
    return new MessageDecoder<RunnerMessage>(RUNNER_SHAPES);
  }
  static forControlMessages(): MessageDecoder<ControlMessage> {
    return new MessageDecoder<ControlMessage>(CONTROL_SHAPES);
  }

  push(chunk: Buffer): Result<readonly M[], Failure> {
    if (this.#refused !== undefined) return err(this.#refused);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const messages: M[] = [];
    for (;;) {
      if (this.#bytes < 4) return ok(messages);
      const head = this.#chunks[0];
      if (head !== undefined && head.length < 4) this.#chunks = [Buffer.concat(this.#chunks)];
      const length = this.#chunks[0]?.readUInt32LE(0) ?? 0;
      if (length > LIMITS.runner_message_bytes) return this.#refuse(`a message of ${length} bytes`);
      if (this.#bytes < 4 + length) return ok(messages);
      const all =
        this.#chunks.length === 1 && this.#chunks[0] !== undefined ? this.#chunks[0] : Buffer.concat(this.#chunks);
      const parsed = parseMessage(all.toString("utf8", 4, 4 + length), this.#shapes);
      if (!parsed.ok) {
        this.#refused = parsed.error;
        return parsed;
      }
      messages.push(parsed.value as M);
      const rest = all.subarray(4 + length);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
    }
  }

  #refuse(problem: string): Result<never, Failure> {
    const refused = failure("RUMI-STR-030", { problem }, { reasonCode: "M.PROTOCOL" });
    this.#refused = refused;
    return err(refused);
  }
}

function parseMessage(text: string, shapes: typeof RUNNER_SHAPES): Result<RunnerMessage | ControlMessage, Failure> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse("the body is not JSON");
  }
  const type = typeof value === "object" && value !== null && "type" in value ? value.type : undefined;
  const shape =
    typeof type === "string" && Object.hasOwn(shapes, type)
      ? (shapes as Readonly<Record<string, unknown>>)[type]
      : undefined;
  if (shape === undefined) return refuse(`there is no message ${JSON.stringify(type)?.slice(0, 64) ?? "without type"}`);
  const problem = checkShape(shape as Parameters<typeof checkShape>[0], value, String(type));
  return problem === "" ? ok(value as RunnerMessage | ControlMessage) : refuse(problem);
}

export const newNonce = (random: Random): string => Buffer.from(random.bytes(32)).toString("hex");

export type HandshakeParts = {
  readonly key: Uint8Array;
  readonly runner_nonce: string;
  readonly control_nonce: string;
  readonly runner_id: string;
  readonly home_id: string;
};

export function handshakeMac(role: "runner" | "control", parts: HandshakeParts): string {
  const text = [
    `rumi-runner-${RUNNER_PROTOCOL_VERSION}`,
    role,
    parts.runner_nonce,
    parts.control_nonce,
    parts.runner_id,
    parts.home_id,
  ].join("\0");
  return Buffer.from(hmacSha256(parts.key, text)).toString("hex");
}

/** Control's answer to `hello`; keep `control_nonce` for {@link verifyProof}. */
export function answerHello(
  hello: Extract<RunnerMessage, { type: "hello" }>,
  with_: { readonly key: Uint8Array; readonly home_id: string; readonly control_nonce: string },
): Result<Extract<ControlMessage, { type: "challenge" }>, Failure> {
  if (hello.protocol !== RUNNER_PROTOCOL_VERSION)
    return refuse(`protocol ${hello.protocol}; this side speaks ${RUNNER_PROTOCOL_VERSION}`);
  const mac = handshakeMac("control", {
    key: with_.key,
    runner_nonce: hello.nonce,
    control_nonce: with_.control_nonce,
    runner_id: hello.runner_id,
    home_id: with_.home_id,
  });
  return ok({
    type: "challenge",
    protocol: RUNNER_PROTOCOL_VERSION,
    home_id: with_.home_id,
    nonce: with_.control_nonce,
    mac,
  });
}

/** The runner's answer to `challenge`, once the control plane has proven itself. */
export function answerChallenge(
  challenge: Extract<ControlMessage, { type: "challenge" }>,
  with_: { readonly key: Uint8Array; readonly runner_id: string; readonly runner_nonce: string },
): Result<Extract<RunnerMessage, { type: "proof" }>, Failure> {
  if (challenge.protocol !== RUNNER_PROTOCOL_VERSION)
    return refuse(`protocol ${challenge.protocol}; this side speaks ${RUNNER_PROTOCOL_VERSION}`);
  const parts: HandshakeParts = {
    key: with_.key,
    runner_nonce: with_.runner_nonce,
    control_nonce: challenge.nonce,
    runner_id: with_.runner_id,
    home_id: challenge.home_id,
  };
  if (!equalSecrets(challenge.mac, handshakeMac("control", parts)))
    return err(failure("RUMI-STR-031", {}, { reasonCode: "M.PROTOCOL.PROOF" }));
  return ok({ type: "proof", mac: handshakeMac("runner", parts) });
}

export function verifyProof(
  proof: Extract<RunnerMessage, { type: "proof" }>,
  parts: HandshakeParts,
): Result<null, Failure> {
  return equalSecrets(proof.mac, handshakeMac("runner", parts))
    ? ok(null)
    : err(failure("RUMI-STR-031", {}, { reasonCode: "M.PROTOCOL.PROOF" }));
}
