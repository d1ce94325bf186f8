import { describe, expect, it } from "vitest";
import { SIGNER, codeOf, logOf, must } from "../test/support.ts";
import { encodeVerifier } from "./note.ts";
import { parseProof, proveEvent, tlogProofText, verifyProof, verifyTlogProof } from "./proof.ts";

const log = logOf(600);
const vkey = encodeVerifier(SIGNER);

describe("proof of one event", () => {
  it("[L-26] proves first, last and any event offline, after writing and reading", async () => {
    for (const index of [0, 1, 255, 256, 511, 599]) {
      const proof = must(await proveEvent(log, index, log.opened[index]));
      const read = must(parseProof(JSON.stringify(proof)));
      expect(must(verifyProof(read, vkey)).event).toEqual(log.events[index]);
      const leaf = log.entries[index] ?? new Uint8Array(0);
      expect(must(verifyTlogProof(tlogProofText(proof), leaf, SIGNER)).size).toBe(600);
      expect(codeOf(verifyTlogProof(tlogProofText(proof), Buffer.from("other"), SIGNER))).toBe("RUMI-LOG-019");
    }
  });

  it("[L-26] any changed part is refused", async () => {
    const proof = must(await proveEvent(log, 4, log.opened[4]));
    const other = must(await proveEvent(log, 5, log.opened[5]));
    const codes = [
      { ...proof, index: 5 },
      { ...proof, leaf: other.leaf },
      { ...proof, hashes: other.hashes },
      { ...proof, hashes: proof.hashes.slice(1) },
      { ...proof, payload: other.payload },
      { ...proof, salt: other.salt },
      { ...proof, checkpoint: proof.checkpoint.replace("600", "601") },
      { ...proof, leaf: `${proof.leaf}\n` },
    ].map((bent) => codeOf(verifyProof(bent, vkey)));
    expect(codes).toEqual([
      "RUMI-LOG-019",
      "RUMI-LOG-019",
      "RUMI-LOG-019",
      "RUMI-LOG-019",
      "RUMI-LOG-004",
      "RUMI-LOG-004",
      "RUMI-LOG-006",
      "RUMI-LOG-019",
    ]);
  });

  it("an erased event is proven as logged, without its payload", async () => {
    const proof = must(await proveEvent(log, 4, undefined));
    expect(must(verifyProof(proof, vkey)).event).toBeNull();
  });

  it("proof files are closed, and there is none of what is not logged", async () => {
    const proof = must(await proveEvent(log, 4, log.opened[4]));
    for (const bad of [
      "",
      "[]",
      "{}",
      JSON.stringify({ ...proof, more: 1 }),
      JSON.stringify({ ...proof, index: "4" }),
      JSON.stringify({ ...proof, hashes: Array.from({ length: 64 }, () => "") }),
    ]) {
      expect(codeOf(parseProof(bad)), bad.slice(0, 40)).toBe("RUMI-LOG-019");
    }
    expect(codeOf(await proveEvent(log, 600, undefined))).toBe("RUMI-LOG-023");
    expect(codeOf(verifyTlogProof("no proof", new Uint8Array(0), SIGNER))).toBe("RUMI-LOG-019");
  });
});
