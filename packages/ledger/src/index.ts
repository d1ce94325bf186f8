/**
 * The audit log: Merkle tree, signed checkpoints, proofs, views, stand-alone verifier. One front door.
 *
 * Pure but for the views (tile-files.ts, jsonl-writer.ts) and the directory reader, which are handed a path.
 */
export * from "./append.ts";
export * from "./catalogue.ts";
export * from "./catalogue/kind.ts";
export * from "./checkpoint.ts";
export * from "./event.ts";
export { hmacHex, leafHash, nodeHash } from "./hashing.ts";
export * from "./leaf.ts";
export { type Consistency, type Inclusion, rootOfInclusion, verifyConsistency, verifyInclusion } from "./merkle.ts";
export * from "./note.ts";
export * from "./tile-tree.ts";
export * from "./tiles.ts";
export * from "./source.ts";
export * from "./directory-source.ts";
export * from "./jsonl.ts";
export { type JsonlWriter, clearJsonl, openJsonlWriter } from "./jsonl-writer.ts";
export * from "./dsse.ts";
export * from "./proof.ts";
export * from "./tile-files.ts";
export * from "./verify.ts";
export { indexLine } from "./verify/index-check.ts";
export { RANGE_ENTRIES, vouchForRange } from "./verify/vouch.ts";
export * from "./contracts.ts";
