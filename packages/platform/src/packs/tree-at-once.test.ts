import { chmodSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { millis } from "@rumi/kernel";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import type { PackEntry } from "./digest.ts";
import { PACK_LIMITS } from "./limits.ts";
import { AT_ONCE, readTreeAtOnce, readUsedTree } from "./tree-at-once.ts";
import { readTree } from "./tree.ts";

const made: { remove(): void }[] = [];
afterEach(() => {
  for (const one of made.splice(0)) one.remove();
});
function folder(): string {
  const one = temporaryFolder();
  made.push(one);
  const root = join(one.path, "pack");
  mkdirSync(root);
  return root;
}
const still = { monotonic: () => millis(0) };
const atOnce = (root: string, limits = PACK_LIMITS) => readTreeAtOnce(root, limits, still);
const sorted = (entries: readonly PackEntry[]) => entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));

function filled(files: number, bytes = 10): string {
  const root = folder();
  for (let n = 0; n < files; n += 1) writeFileSync(join(root, `f${n}`), Buffer.alloc(bytes, n));
  return root;
}
function nested(): string {
  const root = filled(3);
  for (const path of ["blocks/inner", "lib", "empty"]) mkdirSync(join(root, path), { recursive: true });
  writeFileSync(join(root, "blocks/inner/a.py"), "a");
  writeFileSync(join(root, "blocks/run.sh"), "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(join(root, "lib/nothing"), "");
  writeFileSync(join(root, "lib/日本.txt"), "b");
  return root;
}

describe("[R-5.1] a small tree that is read at once", () => {
  it("is what the walk that takes its time finds: digest, paths, modes, hashes, sizes", async () => {
    for (const root of [nested(), filled(0), filled(1, 0), filled(AT_ONCE.files)]) {
      const [fast, slow] = [atOnce(root), await readTree(root, PACK_LIMITS)];
      if (fast === undefined || !slow.ok) throw new Error("both read it");
      expect(fast.digest).toBe(slow.value.digest);
      expect(sorted(fast.entries)).toEqual(sorted(slow.value.entries));
      expect(await readUsedTree(root, PACK_LIMITS, still)).toEqual({ ok: true, value: fast });
    }
  });
  it("changes with a byte, a mode, a name, a file more and a file less", () => {
    const root = nested();
    const seen = new Set([atOnce(root)?.digest]);
    const edits: readonly (() => unknown)[] = [
      () => writeFileSync(join(root, "blocks/inner/a.py"), "b"),
      () => chmodSync(join(root, "blocks/inner/a.py"), 0o755),
      () => execFileSync("mv", [join(root, "blocks/inner/a.py"), join(root, "blocks/inner/b.py")]),
      () => writeFileSync(join(root, "more"), ""),
      () => execFileSync("rm", [join(root, "lib/nothing")]),
    ];
    for (const edit of edits) {
      edit();
      seen.add(atOnce(root)?.digest);
    }
    expect(seen.size).toBe(edits.length + 1);
    expect(seen).not.toContain(undefined);
  });
});

describe("what is left to the walk that takes its time", () => {
  const cases: readonly (readonly [string, (root: string) => unknown])[] = [
    ["a file too many", (root) => writeFileSync(join(root, "more"), "")],
    ["a symbolic link", (root) => symlinkSync("/etc/hostname", join(root, "f0.link"))],
    ["a link to a folder", (root) => symlinkSync("/etc", join(root, "etc"))],
    ["a pipe", (root) => execFileSync("mkfifo", [join(root, "pipe")])],
    ["an empty folder whose name no pack may have", (root) => mkdirSync(join(root, "con"))],
    ["two names apart from case only", (root) => writeFileSync(join(root, "F1"), "")],
    [
      "a folder too many",
      (root) => Array.from({ length: AT_ONCE.folders + 1 }, (_, n) => mkdirSync(join(root, `d${n}`))),
    ],
    ["a byte too many", (root) => writeFileSync(join(root, "f0"), Buffer.alloc(AT_ONCE.bytes - 9))],
  ];
  it.each(cases)("%s", async (what, make) => {
    const root = filled(what === "a file too many" ? AT_ONCE.files : 2);
    if (what === "a byte too many") {
      writeFileSync(join(root, "f0"), Buffer.alloc(AT_ONCE.bytes - 10));
      expect(atOnce(root)?.entries).toHaveLength(2);
    }
    make(root);
    expect(atOnce(root)).toBeUndefined();
    // And it says so where that is wrong.
    expect(await readUsedTree(root, PACK_LIMITS, still)).toEqual(await readTree(root, PACK_LIMITS));
  });
  it("what is not there, a limit of packs, and a disk that takes too long", async () => {
    const root = filled(2);
    expect(atOnce(join(root, "nowhere"))).toBeUndefined();
    expect(atOnce(root, { ...PACK_LIMITS, files: 1 })).toBeUndefined();
    expect(atOnce(root, { ...PACK_LIMITS, bytes: 19 })).toBeUndefined();
    expect(await readUsedTree(root, { ...PACK_LIMITS, files: 1 }, still)).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-008" },
    });
    let ms = 0;
    const slow = { monotonic: () => millis((ms += AT_ONCE.ms / 2 + 1)) };
    expect(readTreeAtOnce(root, PACK_LIMITS, slow)).toBeUndefined();
    expect(await readUsedTree(root, PACK_LIMITS, slow)).toEqual(await readTree(root, PACK_LIMITS));
  });
  it("a file with another name elsewhere is read like any other", () => {
    const root = filled(1);
    linkSync(join(root, "f0"), join(root, "f1"));
    expect(atOnce(root)?.entries).toHaveLength(2);
  });
});
