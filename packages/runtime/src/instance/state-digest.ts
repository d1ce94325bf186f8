/** One digest of everything an instance is: machine, strategy and venue. Checkpoint records carry it, replays compare it. */
import { canonicalJson, type Digest, digestOf } from "@rumi/kernel";
import type { MachineState } from "./state.ts";

export function stateDigest(machine: MachineState, strategy: Uint8Array, venue: Uint8Array): Digest {
  const parts = [Buffer.from(canonicalJson(machine), "utf8"), strategy, venue];
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(part.length));
    return [length, part];
  });
  return digestOf(Buffer.concat(framed));
}
