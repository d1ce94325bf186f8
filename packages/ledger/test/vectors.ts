/** The golden vectors of docs/formats, made once and then frozen. */
import { micros, seededRandom } from "@rumi/kernel";
import {
  type EventProof,
  type LedgerEvent,
  emptyHead,
  encodeVerifier,
  leafHash,
  planAppend,
  prepareLeaf,
  proveEvent,
  signCheckpoint,
  signerFromSeed,
  tileWidth,
  tlogProofText,
} from "../src/index.ts";
import { MemoryLog, ORIGIN, eventOf, must, sampleEvent } from "./support.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const SEED = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

export type LeafVector = {
  readonly name: string;
  readonly event: LedgerEvent;
  readonly salt_hex: string;
  readonly payload: string;
  readonly leaf: string;
  readonly leaf_hash_hex: string;
};

export function logLeafVectors(): { readonly format: string; readonly vectors: readonly LeafVector[] } {
  const events: readonly (readonly [string, LedgerEvent])[] = [
    ["a lifecycle transition", sampleEvent(0)],
    ["an applied command", sampleEvent(1)],
    [
      "a refusal, every common detail present",
      {
        ...eventOf(2, "controlplane.command.denied", {
          operation: "bots.start",
          error_code: "RUMI-BOT-001",
          reason_code: "G.SAFE",
          status_code: 409,
        }),
        outcome: "REJECTED",
        details: {
          operation: "bots.start",
          error_code: "RUMI-BOT-001",
          reason_code: "G.SAFE",
          status_code: 409,
          reason: "open the day",
          approval_id: "a-1",
          expires_at: "2026-10-01T00:00:00.000000Z",
          trace_id: "t",
          run_id: "r",
          request_id: "q",
          fingerprint: "f",
        },
      },
    ],
    [
      "text beyond ASCII, quotes and control characters",
      { ...sampleEvent(3), actor: 'user:るみ "x"', resource_id: "a\\b\u2028\u0007é😀" },
    ],
    ["time before the epoch and with microseconds", { ...sampleEvent(4), occurred_at: micros(-1) }],
  ];
  const vectors = events.map(([name, event], i) => {
    const salt = seededRandom(`vector ${i}`).bytes(32);
    const { leaf, payload } = must(prepareLeaf(event, salt));
    return {
      name,
      event,
      salt_hex: hex(salt),
      payload,
      leaf: Buffer.from(leaf).toString(),
      leaf_hash_hex: hex(leafHash(leaf)),
    };
  });
  return { format: "log-leaf v1", vectors };
}

export type TlogVectors = {
  readonly format: string;
  /** Trees of the leaves `entry 0`, `entry 1`, …; tiles as level/index/width. */
  readonly roots: readonly { readonly size: number; readonly root_hex: string; readonly tiles: readonly string[] }[];
  readonly key: { readonly name: string; readonly seed_hex: string; readonly vkey: string };
  readonly checkpoint: { readonly size: number; readonly root_hex: string; readonly note: string };
  readonly proof: { readonly json: EventProof; readonly text: string };
};

export async function tlogVectors(): Promise<TlogVectors> {
  const roots = [0, 1, 2, 3, 7, 8, 255, 256, 257, 1_000, 65_536].map((size) => {
    const plan = planAppend(
      emptyHead(),
      Array.from({ length: size }, (_, i) => ({ leaf: Buffer.from(`entry ${i}`) })),
    );
    const tiles = plan.tiles.map(({ level, index }) => `${level}/${index}/${tileWidth(level, index, size)}`).toSorted();
    return { size, root_hex: hex(plan.root), tiles };
  });
  const signer = signerFromSeed(ORIGIN, new Uint8Array(Buffer.from(SEED, "hex")));
  const log = new MemoryLog();
  log.append(Array.from({ length: 300 }, (_, n) => sampleEvent(n)));
  log.note = signCheckpoint({ origin: ORIGIN, size: 300, root: log.root }, signer);
  const json = must(await proveEvent(log, 257, log.opened[257]));
  return {
    format: "tlog v1",
    roots,
    key: { name: ORIGIN, seed_hex: SEED, vkey: encodeVerifier(signer) },
    checkpoint: { size: 300, root_hex: hex(log.root), note: log.note },
    proof: { json, text: tlogProofText(json) },
  };
}
