import { describe, expect, it } from "vitest";
import { toldOf } from "./told.ts";

const A = `sha256:${"a".repeat(64)}`;
const B = `sha256:${"b".repeat(64)}`;

describe("[R-5.2] what a dry run of a pack says", () => {
  it("an approval: from which version and bytes to which, and how much it is", () => {
    const told = toldOf({
      digest: B,
      approved_digest: A,
      version: "2.0.0",
      approved_version: "1.0.0",
      files: 3,
      bytes: 900,
    });
    expect(told.changes).toEqual([
      { word: "version", before: "1.0.0", after: "2.0.0" },
      { word: "bytes_of", before: A, after: B },
    ]);
    expect(told.sentences).toEqual([{ word: "told_size", values: { files: 3, bytes: 900 }, isGrave: false }]);
    expect(told.lost).toBe(null);
  });

  it("putting in place: the live bots that it would leave without a pack are grave, none of them is said", () => {
    const preview = { pack_id: "p", version: "1.0.0", digest: A, installed_version: null, installed_digest: null };
    expect(toldOf({ ...preview, live_bots: ["a", "b"] })).toMatchObject({
      changes: [
        { before: null, after: "1.0.0" },
        { before: null, after: A },
      ],
      sentences: [{ word: "told_live_bots", values: { count: 2, names: "a, b" }, isGrave: true }],
    });
    expect(toldOf({ ...preview, live_bots: [] }).sentences).toMatchObject([
      { word: "told_no_live_bots", isGrave: false },
    ]);
  });

  it("an uninstall: what goes with it, line by line", () => {
    const revokes = [
      { resource_type: "grant", resource_id: "p:secrets.get", permission: "secrets.get" },
      { resource_type: "network", resource_id: "p", permission: null },
    ];
    const told = toldOf({ digest: A, bots: ["x"], revokes });
    expect(told.changes).toEqual([{ word: "approved_digest", before: A, after: null }]);
    expect(told.lost).toEqual(["secrets.get · p:secrets.get", "network · p"]);
    expect(told.sentences).toMatchObject([{ word: "told_bots", values: { names: "x" }, isGrave: true }]);
  });

  it("what is of another form than it should be, or is not known, is no word", () => {
    expect(toldOf({ version: 3, files: "many", live_bots: [1], bots: "x", revokes: {}, colour: "red" })).toEqual({
      changes: [],
      sentences: [],
      lost: null,
    });
  });
});
