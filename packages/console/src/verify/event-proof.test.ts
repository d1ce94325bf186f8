import { describe, expect, it } from "vitest";
import leafVectors from "../../../../docs/formats/log-leaf.v1.json";
import tlog from "../../../../docs/formats/tlog.v1.json";
import { verifyEventProof, type EventProof, type ShownEvent } from "./event-proof.ts";
import { fromBase64, hex, leafHash, toBase64 } from "./merkle.ts";
import { openCheckpoint, parseVerifierKey } from "./note.ts";

const golden: EventProof = tlog.proof.json;
const key = await parseVerifierKey(tlog.key.vkey);
const shown: ShownEvent = {
  ...(JSON.parse(golden.payload ?? "") as Omit<ShownEvent, "log_index">),
  log_index: golden.index,
};
const encoded = (text: string): string => toBase64(new TextEncoder().encode(text));
const leafText = new TextDecoder().decode(fromBase64(golden.leaf));

const flipped = (text: string): string => {
  const bytes = fromBase64(text);
  bytes[5] = (bytes[5] ?? 0) ^ 1;
  return toBase64(bytes);
};

describe("the golden vectors, read by a second implementation", () => {
  it("each leaf of log-leaf.v1.json has its hash", async () => {
    for (const { leaf, leaf_hash_hex } of leafVectors.vectors)
      expect(hex(await leafHash(new TextEncoder().encode(leaf)))).toBe(leaf_hash_hex);
  });
  it("the checkpoint of tlog.v1.json opens with its key and says size and root", async () => {
    const { size, root, origin } = await openCheckpoint(tlog.checkpoint.note, key);
    expect([origin, size, hex(root)]).toEqual([tlog.key.name, tlog.checkpoint.size, tlog.checkpoint.root_hex]);
  });
  it("the proof of tlog.v1.json proves its event", async () => {
    expect(await verifyEventProof(golden, key, shown)).toMatchObject({
      kind: "proven",
      payload: "opened",
      head: { size: 300 },
    });
  });
  it("an erased payload still proves that the entry is in the log", async () => {
    const erased = { ...golden, salt: null, payload: null };
    const left = { erased: true, trace_id: "0af7651916cd43dd8448eb211c80319c" };
    expect(await verifyEventProof(erased, key, { ...shown, details: left })).toMatchObject({
      kind: "proven",
      payload: "erased",
    });
  });
});

describe("whatever is changed fails at the step that names it", () => {
  const cases: readonly (readonly [string, Partial<EventProof>, Partial<ShownEvent>, string])[] = [
    ["the size in the head", { checkpoint: golden.checkpoint.replace("\n300\n", "\n301\n") }, {}, "signature"],
    [
      "the head's signature",
      {
        checkpoint: golden.checkpoint.replace(/(.)=\n$/, (_, last: string) => `${last === "A" ? "E" : "A"}=\n`),
      },
      {},
      "signature",
    ],
    ["the schema_version", { schema_version: 2 }, {}, "signature"],
    ["a hash", { hashes: golden.hashes.with(0, flipped(golden.hashes[0] ?? "")) }, {}, "inclusion"],
    ["a hash too few", { hashes: golden.hashes.slice(1) }, {}, "inclusion"],
    ["a hash too many", { hashes: [...golden.hashes, golden.hashes[0] ?? ""] }, {}, "inclusion"],
    ["the index", { index: 256 }, { log_index: 256 }, "inclusion"],
    ["another entry than shown", {}, { log_index: 3 }, "inclusion"],
    ["the leaf", { leaf: encoded(leafText.replace("user:root", "user:toor")) }, {}, "inclusion"],
    ["the payload", { payload: (golden.payload ?? "").replace("user:root", "user:toor") }, {}, "commitment"],
    ["the salt", { salt: flipped(golden.salt ?? "") }, {}, "commitment"],
    ["the actor on the page", {}, { actor: "user:mallory" }, "story"],
    ["the outcome on the page", {}, { outcome: "FAILURE" }, "story"],
    ["the event on the page", {}, { event_id: "0192f0c8-0000-7000-8000-00000000ffff" }, "story"],
    ["the reason on the page", {}, { details: { ...shown.details, reason: "another" } }, "story"],
    ["a detail more on the page", {}, { details: { ...shown.details, more: 1 } }, "story"],
    ["a detail less on the page", {}, { details: {} }, "story"],
    ["a reason that nobody can prove any more", { salt: null, payload: null }, {}, "story"],
    ["no base64", { leaf: "***" }, {}, "inclusion"],
  ];
  it.each(cases)("%s", async (_name, change, page, step) => {
    expect(await verifyEventProof({ ...golden, ...change }, key, { ...shown, ...page })).toMatchObject({
      kind: "failed",
      step,
    });
  });
  it("details are the same in whatever order their members come", async () => {
    const details = Object.fromEntries(Object.entries(shown.details).toReversed());
    expect(await verifyEventProof(golden, key, { ...shown, details })).toMatchObject({ kind: "proven" });
  });
  it("after erasure the leaf alone still tells what the page may show", async () => {
    const erased = { ...golden, salt: null, payload: null };
    const other = { ...shown, actor: "user:mallory" };
    expect(await verifyEventProof(erased, key, other)).toMatchObject({
      kind: "failed",
      step: "story",
    });
  });
  it("another log's key", async () => {
    const other = { ...key, id: Uint8Array.of(0, 0, 0, 0) };
    expect(await verifyEventProof(golden, other, shown)).toMatchObject({
      kind: "failed",
      step: "signature",
    });
  });
});
