/** Tests of the whole program run the built one; a checkout without dist/ gets it built once. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export default function setup(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  if (!existsSync(`${root}dist/rumi.js`))
    execFileSync(process.execPath, [`${root}tools/build.mjs`], { stdio: "inherit" });
}
