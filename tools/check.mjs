/** `npm run check`: format, lint, types and package boundaries; the same here and in CI. */
import { spawnSync } from "node:child_process";
import { ensureDependencies, requireNode, root } from "./bootstrap.mjs";

requireNode();
ensureDependencies();
const failed = [];
for (const step of ["format:check", "lint", "types", "boundaries"]) {
  process.stdout.write(`— ${step}\n`);
  const result = spawnSync("npm", ["run", "--silent", step], { cwd: root, stdio: "inherit" });
  if (result.status !== 0) failed.push(step);
}
process.stdout.write(failed.length === 0 ? "check: all good\n" : `check failed: ${failed.join(", ")}\n`);
process.exit(failed.length === 0 ? 0 : 1);
