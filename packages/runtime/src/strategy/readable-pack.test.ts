import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { readableCopy } from "./readable-pack.ts";

const folder = temporaryFolder();
afterEach(() => folder.remove());

it("[M-5.1.1] the copy can be read by everybody and executed where the pack's file can, and what its links point at keeps its rights", () => {
  const rights = (path: string): number => statSync(path).mode & 0o777;
  const [pack, outside] = [join(folder.path, "pack"), join(folder.path, "outside")];
  for (const path of [join(pack, "inner"), outside]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const files = [join(pack, "strategy.py"), join(pack, "inner", "more.py"), join(outside, "secret")];
  for (const file of files) writeFileSync(file, "", { mode: 0o600 });
  chmodSync(join(pack, "inner", "more.py"), 0o700);
  symlinkSync(join(outside, "secret"), join(pack, "file"));
  symlinkSync(outside, join(pack, "inner", "folder"));
  chmodSync(outside, 0o700);
  const copy = readableCopy(pack);
  try {
    expect(["", "strategy.py", "inner", "inner/more.py"].map((name) => rights(join(copy, name)).toString(8))).toEqual([
      "755",
      "444",
      "755",
      "555",
    ]);
    expect([outside, ...files].map((path) => rights(path).toString(8))).toEqual(["700", "600", "700", "600"]);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});
