/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { readArchive } from "./archive.ts";
import { packDigest, packEntry, pathProblem, type FileMode, type PackFile } from "./digest.ts";
import { PACK_LIMITS } from "./limits.ts";
import { readTree } from "./tree.ts";

type Vector = {
  readonly name: string;
  readonly files: readonly { readonly path: string; readonly mode: FileMode; readonly text: string }[];
  readonly digest: string;
};
const VECTORS = JSON.parse(
  readFileSync(new URL("../../../../docs/formats/pack-digest.v1.json", import.meta.url), "utf8"),
) as { readonly vectors: readonly Vector[]; readonly refused_paths: readonly string[] };

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});
const folder = (): string => {
  const made = temporaryFolder();
  cleanups.push(made.remove);
  return made.path;
};

const filesOf = (vector: Vector): PackFile[] =>
  vector.files.map((f) => ({ path: f.path, mode: f.mode, data: new TextEncoder().encode(f.text) }));

function writeFolder(root: string, files: readonly PackFile[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    writeFileSync(join(root, file.path), file.data);
    chmodSync(join(root, file.path), file.mode === "100755" ? 0o755 : 0o644);
  }
}

export function zipOf(top: string, files: readonly PackFile[], level: 0 | 6 = 6): Uint8Array {
  const tree: Zippable = {};
  for (const file of files)
    tree[`${top}/${file.path}`] = [
      file.data,
      { os: 3, level, attrs: (file.mode === "100755" ? 0o100755 : 0o100644) * 65_536 },
    ];
  return zipSync(tree);
}

describe("pack digest v1", () => {
  for (const vector of VECTORS.vectors) {
    it(`golden: ${vector.name}: list, folder, zip and any order agree`, async () => {
      const files = filesOf(vector);
      const entries = files.map(packEntry);
      for (const order of [entries, entries.toReversed()]) {
        const digest = packDigest(order, PACK_LIMITS);
        expect(digest).toEqual({ ok: true, value: vector.digest });
      }
      const root = folder();
      writeFolder(root, files);
      const tree = await readTree(root, PACK_LIMITS);
      expect(tree.ok && tree.value.digest).toBe(vector.digest);
      for (const level of [0, 6] as const) {
        const archive = readArchive(zipOf("p", files.toReversed(), level), "p.zip", PACK_LIMITS);
        if (files.length === 0) continue;
        if (!archive.ok) throw new Error(archive.error.code);
        expect(packDigest(archive.value.files.map(packEntry), PACK_LIMITS)).toEqual({ ok: true, value: vector.digest });
      }
    });
  }
  for (const path of VECTORS.refused_paths) {
    it(`golden: the name ${JSON.stringify(path)} is refused`, () =>
      expect(pathProblem(path, PACK_LIMITS)).toBeTypeOf("string"));
  }
  it("one byte, one mode, one name change the digest", () => {
    const base = [packEntry({ path: "a", mode: "100644", data: Uint8Array.of(1) })];
    const digest = (entries: typeof base): unknown => packDigest(entries, PACK_LIMITS);
    expect(digest([packEntry({ path: "a", mode: "100644", data: Uint8Array.of(2) })])).not.toEqual(digest(base));
    expect(digest([packEntry({ path: "a", mode: "100755", data: Uint8Array.of(1) })])).not.toEqual(digest(base));
    expect(digest([packEntry({ path: "b", mode: "100644", data: Uint8Array.of(1) })])).not.toEqual(digest(base));
  });
  it("names that differ only in case are refused", () => {
    const entries = ["a", "A"].map((path) => packEntry({ path, mode: "100644", data: new Uint8Array() }));
    expect(packDigest(entries, PACK_LIMITS)).toMatchObject({ ok: false, error: { code: "RUMI-PACK-009" } });
  });
});

describe("[R-11.1] a folder is read without following anything", () => {
  it("a symbolic link is refused", async () => {
    const root = folder();
    symlinkSync("/etc/passwd", join(root, "link"));
    expect(await readTree(root, PACK_LIMITS)).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-009", params: { problem: "it is a symbolic link" } },
    });
  });
  it("the limits of files and bytes are reached", async () => {
    const root = folder();
    writeFolder(
      root,
      ["a", "b", "c"].map((path) => ({ path, mode: "100644", data: new Uint8Array(10) })),
    );
    expect(await readTree(root, { ...PACK_LIMITS, files: 2 })).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-008" },
    });
    expect(await readTree(root, { ...PACK_LIMITS, bytes: 29 })).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-008" },
    });
    expect((await readTree(root, { ...PACK_LIMITS, files: 3, bytes: 30 })).ok).toBe(true);
  });
  it("a missing folder has its own code", async () => {
    expect(await readTree(join(folder(), "nowhere"), PACK_LIMITS)).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-019" },
    });
  });
});

describe("[R-11.1] an archive is refused before anything touches the disk", () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const check = (name: string, archive: Uint8Array, code: string, limits = PACK_LIMITS): void => {
    it(name, () => expect(readArchive(archive, "x.zip", limits)).toMatchObject({ ok: false, error: { code } }));
  };
  check("zip slip", zipSync({ "p/../../evil": text("x") }), "RUMI-PACK-009");
  check("absolute name", zipSync({ "/etc/passwd": text("x") }), "RUMI-PACK-009");
  check("backslash name", zipSync({ "p\\..\\evil": text("x") }), "RUMI-PACK-009");
  check(
    "symbolic link",
    zipSync({ "p/link": [text("/etc/passwd"), { os: 3, attrs: 0o120777 * 65_536 }] }),
    "RUMI-PACK-009",
  );
  check("device", zipSync({ "p/dev": [text(""), { os: 3, attrs: 0o020666 * 65_536 }] }), "RUMI-PACK-009");
  check("two top directories", zipSync({ "p/a": text("x"), "q/a": text("x") }), "RUMI-PACK-011");
  check("no top directory", zipSync({ a: text("x") }), "RUMI-PACK-011");
  check("not a zip", text("hello, this is no archive at all"), "RUMI-PACK-010");
  check("too many files", zipSync({ "p/a": text("x"), "p/b": text("x"), "p/c": text("x") }), "RUMI-PACK-008", {
    ...PACK_LIMITS,
    files: 1,
  });
  check("too many bytes", zipSync({ "p/a": new Uint8Array(1_000) }), "RUMI-PACK-008", { ...PACK_LIMITS, bytes: 999 });
  it("a bomb that lies about its size stops at the size it claims", () => {
    const bytes = Buffer.from(zipSync({ "p/a": new Uint8Array(1_000_000) }));
    const central = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02]));
    bytes.writeUInt32LE(10, central + 24);
    expect(readArchive(bytes, "x.zip", PACK_LIMITS)).toMatchObject({ ok: false, error: { code: "RUMI-PACK-010" } });
  });
  it("a flipped byte is found by its checksum; a cut archive is refused", () => {
    const bytes = zipSync({ "p/a": [text("hello"), { level: 0 }] });
    const at = Buffer.from(bytes).indexOf("hello");
    const flipped = Uint8Array.from(bytes);
    flipped[at] = 0x48;
    expect(readArchive(flipped, "x.zip", PACK_LIMITS)).toMatchObject({ ok: false, error: { code: "RUMI-PACK-010" } });
    for (const end of [0, 10, bytes.length - 1]) {
      expect(readArchive(bytes.subarray(0, end), "x.zip", PACK_LIMITS)).toMatchObject({
        ok: false,
        error: { code: "RUMI-PACK-010" },
      });
    }
  });
});
