/** Walks through large trees, on a real file system: all of it is seen or removed, and others have the thread in between. */
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { judge } from "../run/judge.ts";
import { fingerprints } from "../run/outside.ts";
import { filesBelow, lookThrough, makeReadable, removeAll } from "./tree-walk.ts";

const FILES = 1_000;
function folder(): string {
  const made = temporaryFolder();
  onTestFinished(made.remove);
  return made.path;
}
/** All in one folder, or each in one of its own. */
function tree(kind: "flat" | "wide"): string {
  const root = join(folder(), "tree");
  mkdirSync(root);
  for (let at = 0; at < FILES; at += 1) {
    const path = kind === "flat" ? root : join(root, String(at));
    if (kind === "wide") mkdirSync(path);
    writeFileSync(join(path, `file-${at}`), "");
  }
  return root;
}
/** How often somebody else had the thread while it went on. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

it.each([
  ["looks through", lookThrough],
  ["reads the names of", (root: string) => filesBelow(root, Buffer.alloc(0))],
  ["makes readable", makeReadable],
  ["takes fingerprints of", (root: string) => fingerprints(root, join(root, "none"))],
  ["removes", removeAll],
] as const)("[P-2] others have the thread while it %s a thousand files", async (_, work) => {
  for (const kind of ["flat", "wide"] as const) {
    const root = tree(kind);
    expect(await turnsOf(() => work(root)), kind).toBeGreaterThan(FILES / 100);
  }
});

it("[P-2] and while a thousand changed files are judged", async () => {
  const changed = Array.from({ length: FILES }, (_, at) => ({ text: `out/${at}`, glob_text: `out/${at}` }));
  const scope = { read: [], write: ["src/**"], exclude: [] };
  const work = async () => expect(await judge(scope, changed, { nested: [], special: [] }, [])).toHaveLength(FILES);
  expect(await turnsOf(work)).toBeGreaterThan(FILES / 100);
});

it("removes everything also while somebody else takes files away", async () => {
  const root = tree("flat");
  const late = setImmediate(() => {
    for (let at = 0; at < FILES; at += 2) rmSync(join(root, `file-${at}`), { force: true });
  });
  await removeAll(root);
  clearImmediate(late);
  expect(existsSync(root)).toBe(false);
});

it("removes everything, and nothing that a link leads to", async () => {
  const home = folder();
  const kept = join(home, "kept");
  mkdirSync(kept);
  writeFileSync(join(kept, "file"), "");
  const root = tree("wide");
  symlinkSync(kept, join(root, "link"));
  // Nobody may look into it, and nobody may take anything out of it; root, who runs these tests in a container, may.
  chmodSync(join(root, "1"), 0o000);
  chmodSync(join(root, "2"), 0o500);
  await removeAll(root);
  expect(existsSync(root)).toBe(false);
  symlinkSync(kept, root);
  await removeAll(root);
  expect([existsSync(root), readdirSync(kept)]).toEqual([false, ["file"]]);
  await removeAll(join(home, "never there"));
  writeFileSync(root, "");
  await removeAll(root);
  expect(existsSync(root)).toBe(false);
  rmSync(home, { recursive: true });
});
