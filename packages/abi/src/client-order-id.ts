/**
 * From an intent's idempotency key to the client order id at the venue, by one written rule (M-8.2.1, M-15.4).
 *
 * docs/formats/client-order-id.md is the rule: `R`, the environment's letter, five letters of the bot's name and
 * 25 base-32 digits (125 bits) of SHA-256 over the seven fields, length-prefixed. The same intent gives the same
 * id on every machine and after every restart, so that sending twice is seen at the venue.
 * Invariants: golden vectors; distinct inputs never collide in a million (client-order-id.test.ts).
 */
import { type ClientOrderId, invariant, sha256 } from "@rumi/kernel";

export type OrderOrigin = {
  /** `dev`, `stage`, `prod` or another name of the deployment. */
  readonly environment: string;
  readonly bot_id: string;
  readonly strategy_id: string;
  readonly instance_id: string;
  /** Fencing epoch of the lease under which the run began. */
  readonly epoch: number;
  readonly run_id: string;
  /** Of the order intent, from 1. */
  readonly idempotency_key: number;
};

/** Crockford's alphabet: no I, L, O, U, so that a person can read an id out. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS = 25;
const NAME = 5;

export function clientOrderId(of: OrderOrigin): ClientOrderId {
  invariant(Number.isSafeInteger(of.idempotency_key) && of.idempotency_key > 0, "an idempotency key counts from 1");
  invariant(Number.isSafeInteger(of.epoch) && of.epoch >= 0, "an epoch is a whole number");
  const parts = [
    "rumi-client-order-id-v1",
    of.environment,
    of.bot_id,
    of.strategy_id,
    of.instance_id,
    String(of.epoch),
    of.run_id,
    String(of.idempotency_key),
  ];
  const hash = sha256(parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(""));
  const letter = (/[A-Za-z0-9]/.exec(of.environment)?.[0] ?? "x").toUpperCase();
  const name = of.bot_id
    .replace(/[^A-Za-z0-9]/g, "")
    .toUpperCase()
    .slice(0, NAME)
    .padEnd(NAME, "0");
  return `R${letter}${name}${base32(hash)}` as ClientOrderId;
}

/** The first 125 bits, most significant first. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (let i = 0; text.length < DIGITS; i += 1) {
    bits = (bits << 8) | (bytes[i] ?? 0);
    held += 8;
    while (held >= 5 && text.length < DIGITS) {
      held -= 5;
      text += ALPHABET[(bits >>> held) & 31];
      bits &= (1 << held) - 1;
    }
  }
  return text;
}
