/** `npm run bench [-- --json] [-- --only NAME,…]`: prepares a fresh clone and measures. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./bootstrap.mjs";

prepare();
const result = spawnSync(process.execPath, ["--import", "tsx", join(root, "bench/run.ts"), ...process.argv.slice(2)], {
  cwd: root,
  stdio: "inherit",
});
process.exit(result.status ?? 1);
