/** Objects whose bytes are not what their names say, in a real repository: git reads them without a word. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { systemGit } from "./git.ts";
import { entriesOf, filesOf, ForgedObject, readObjects, treeOf } from "./objects.ts";
import { openRepository } from "./repository.ts";

const git = systemGit(process.env["PATH"] ?? "");
let folder = "";
const plain = (...words: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", "-c", "commit.gpgSign=false", ...words], {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
const fileOf = (id: string): string => join(folder, ".git/objects", id.slice(0, 2), id.slice(2));
function commit(text: string): { readonly commit: string; readonly tree: string; readonly blob: string } {
  writeFileSync(join(folder, "inner/a.txt"), text);
  plain("add", ".");
  plain("commit", "--quiet", "-m", text);
  const of = (name: string): string => plain("rev-parse", name);
  return { commit: of("HEAD"), tree: of("HEAD^{tree}"), blob: of("HEAD:inner/a.txt") };
}

afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each(["sha1", "sha256"])(
  "[P-6] with %s: what lies under another object's name, of another kind, or nowhere is never returned",
  async (format) => {
    folder = mkdtempSync(join(tmpdir(), "rumi-objects-"));
    plain("init", "--quiet", `--object-format=${format}`);
    mkdirSync(join(folder, "inner"));
    const [right, other] = [commit("right\n"), commit("other\n")];
    const repo = await openRepository(git, folder);
    const blobs = (...ids: readonly string[]) => readObjects(git, repo, "blob", ids);
    expect((await blobs(right.blob, other.blob)).get(right.blob)?.toString()).toBe("right\n");
    expect(await treeOf(git, repo, right.commit)).toBe(right.tree);
    expect(await filesOf(git, repo, right.tree)).toMatchObject([{ mode: "100644", id: right.blob }]);
    await expect(blobs(right.tree)).rejects.toThrow(ForgedObject);
    await expect(blobs("0".repeat(right.blob.length))).rejects.toThrow(ForgedObject);

    const reads = {
      blob: () => blobs(other.blob, right.blob),
      tree: () => entriesOf(git, repo, right.tree),
      commit: () => treeOf(git, repo, right.commit),
    };
    for (const kind of ["blob", "tree", "commit"] as const) {
      chmodSync(fileOf(right[kind]), 0o644);
      copyFileSync(fileOf(other[kind]), fileOf(right[kind]));
      if (kind === "blob") expect(plain("cat-file", "blob", right.blob), "git is deceived").toBe("other");
      await expect(reads[kind](), kind).rejects.toThrow(ForgedObject);
    }
    expect(await filesOf(git, repo, other.tree)).toMatchObject([{ id: other.blob }]);
  },
);
