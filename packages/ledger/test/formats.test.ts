import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  emptyHead,
  encodeVerifier,
  leafHash,
  openLeaf,
  planAppend,
  prepareLeaf,
  signCheckpoint,
  signerFromSeed,
  tileWidth,
  tlogProofText,
  verifyCheckpoint,
  verifyProof,
} from "../src/index.ts";
import { type TlogVectors, logLeafVectors, tlogVectors } from "./vectors.ts";
import { must } from "./support.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../../docs/formats");
const golden = <T>(name: string): T => JSON.parse(readFileSync(join(folder, name), "utf8")) as T;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));

describe("frozen formats", () => {
  it("log-leaf.v1.json: each event and salt give these very bytes, and they open again", () => {
    const { vectors } = golden<ReturnType<typeof logLeafVectors>>("log-leaf.v1.json");
    expect(vectors.length).toBeGreaterThanOrEqual(4);
    for (const vector of vectors) {
      const made = must(prepareLeaf(vector.event, bytes(vector.salt_hex)));
      expect(made.payload, vector.name).toBe(vector.payload);
      expect(Buffer.from(made.leaf).toString(), vector.name).toBe(vector.leaf);
      expect(hex(leafHash(Buffer.from(vector.leaf))), vector.name).toBe(vector.leaf_hash_hex);
      expect(must(openLeaf(Buffer.from(vector.leaf), bytes(vector.salt_hex), vector.payload)).event).toEqual(
        vector.event,
      );
    }
  });

  it("tlog.v1.json: roots, tiles, key, checkpoint and proof are these very bytes", async () => {
    const { roots, key, checkpoint, proof } = golden<TlogVectors>("tlog.v1.json");
    for (const { size, root_hex, tiles } of roots) {
      const plan = planAppend(
        emptyHead(),
        Array.from({ length: size }, (_, i) => ({ leaf: Buffer.from(`entry ${i}`) })),
      );
      expect(hex(plan.root), `size ${size}`).toBe(root_hex);
      expect(
        plan.tiles.map(({ level, index }) => `${level}/${index}/${tileWidth(level, index, size)}`).toSorted(),
      ).toEqual(tiles);
    }
    const signer = signerFromSeed(key.name, bytes(key.seed_hex));
    expect(encodeVerifier(signer)).toBe(key.vkey);
    expect(signCheckpoint({ origin: key.name, size: checkpoint.size, root: bytes(checkpoint.root_hex) }, signer)).toBe(
      checkpoint.note,
    );
    expect(verifyCheckpoint(checkpoint.note, key.vkey).ok).toBe(true);
    expect(must(verifyProof(proof.json, key.vkey)).index).toBe(proof.json.index);
    expect(tlogProofText(proof.json)).toBe(proof.text);
  });

  it("the vectors come from the code as it is; a frozen format never changes", async () => {
    expect(JSON.parse(JSON.stringify(logLeafVectors()))).toEqual(golden("log-leaf.v1.json"));
    expect(JSON.parse(JSON.stringify(await tlogVectors()))).toEqual(golden("tlog.v1.json"));
  });
});
