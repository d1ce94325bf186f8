/** A real git repository for runs to work on: one commit named "base" on main. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** git in that repository, as somebody; answers with what it prints. */
export type Git = (...words: readonly string[]) => string;

export function makeRepository(path: string, files: Readonly<Record<string, string>>): Git {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  }
  const git: Git = (...words) =>
    execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], {
      cwd: path,
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git("commit", "--quiet", "-m", "base");
  return git;
}
