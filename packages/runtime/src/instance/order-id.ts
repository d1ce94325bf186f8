/**
 * Client order ids (M-15.4): one written rule, ≤32 alphanumerics, readable back into epoch and intent key.
 *
 * 12 hexadecimal digits of SHA-256(environment, bot, strategy, instance, run) · "e" epoch · "k" key, both in base 36.
 * Distinct intents of a run never collide because a key is used once; distinct runs differ in the first part.
 */
import { type ClientOrderId, invariant, sha256Hex } from "@rumi/kernel";
import type { Identity } from "./entry.ts";

export function orderIdRule(environment: string, identity: Identity): (epoch: number, key: number) => ClientOrderId {
  const owner = sha256Hex(JSON.stringify([environment, identity.bot_id, identity.strategy_id, identity.instance_id, identity.run_id])).slice(0, 12);
  return (epoch, key) => {
    const id = `${owner}e${epoch.toString(36)}k${key.toString(36)}`;
    invariant(id.length <= 32, "a client order id has at most 32 characters");
    return id as ClientOrderId;
  };
}
