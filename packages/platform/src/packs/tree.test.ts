/** What a folder may hold that is no file, and how far a walk goes that is over its limits. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { PACK_LIMITS } from "./limits.ts";
import { readTree } from "./tree.ts";

const made = { path: "", remove: (): void => undefined };
beforeEach(() => {
  Object.assign(made, temporaryFolder());
  mkdirSync(join(made.path, "inner"));
  writeFileSync(join(made.path, "inner/a.py"), "x");
});
afterEach(() => made.remove());

const at = (name: string): string => join(made.path, name);
const problemOf = async (root = made.path, limits = PACK_LIMITS): Promise<unknown> => {
  const tree = await readTree(root, limits);
  return tree.ok ? "read" : [tree.error.code, tree.error.params["problem"]];
};

describe("[R-11.1] a folder is read only where all of it is files and folders", () => {
  const LINK = ["RUMI-PACK-009", "it is a symbolic link"];
  const NEITHER = ["RUMI-PACK-009", "it is neither a file nor a folder"];
  it.each([
    ["a link to a file", () => symlinkSync("a.py", at("inner/link")), LINK],
    ["a link to a folder", () => symlinkSync("/etc", at("inner/link")), LINK],
    ["a link to nowhere", () => symlinkSync("nowhere", at("inner/link")), LINK],
    ["a pipe", () => execFileSync("mkfifo", [at("inner/pipe")]), NEITHER],
  ] as const)("%s is refused", async (_, make, expected) => {
    expect(await problemOf()).toBe("read");
    make();
    expect(await problemOf()).toEqual(expected);
  });

  it("a socket is refused", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at("inner/s"), resolve));
    expect(await problemOf()).toEqual(NEITHER);
    await new Promise((resolve) => server.close(resolve));
  });

  // Terminals of this machine: devices that nobody has to make.
  it.runIf(existsSync("/dev/pts/ptmx"))("devices are refused", async () => {
    expect(await problemOf("/dev/pts")).toEqual(NEITHER);
  });
});

describe("[R-11.1] a limit ends the walk", () => {
  it("of files before the next folder is looked into", async () => {
    symlinkSync("/etc", at("inner/link"));
    for (const name of ["a", "b", "c"]) writeFileSync(at(name), "");
    expect(await problemOf(made.path, { ...PACK_LIMITS, files: 4 })).toEqual([
      "RUMI-PACK-009",
      "it is a symbolic link",
    ]);
    expect(await problemOf(made.path, { ...PACK_LIMITS, files: 2 })).toEqual(["RUMI-PACK-008", undefined]);
  });

  it("of bytes within a file: one of a terabyte is not read to its end", async () => {
    writeFileSync(at("large"), "");
    truncateSync(at("large"), 1_099_511_627_776);
    expect(await problemOf(made.path, { ...PACK_LIMITS, bytes: 1_000 })).toEqual(["RUMI-PACK-008", undefined]);
  });
});
