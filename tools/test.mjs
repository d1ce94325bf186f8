/**
 * `npm test`: prepares a fresh clone and runs every test. Closes with one line: N passed, N failed, N skipped.
 *
 * Arguments go to vitest (`npm test -- packages/ledger`). With CI=true a skipped test is a failure.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { prepare, root } from "./bootstrap.mjs";

prepare();
const folder = mkdtempSync(join(tmpdir(), "rumi-vitest-"));
const report = join(folder, "report.json");
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const result = spawnSync(
  process.execPath,
  [vitest, "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
if (!existsSync(report)) process.exit(result.status || 1);
const { numPassedTests, numFailedTests, numPendingTests, success } = JSON.parse(readFileSync(report, "utf8"));
rmSync(folder, { recursive: true, force: true });
const isForbiddenSkip = process.env.CI === "true" && numPendingTests > 0;
if (isForbiddenSkip) process.stdout.write("With CI=true nothing may be skipped.\n");
process.stdout.write(`\n${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped\n`);
process.exit(success && result.status === 0 && numPassedTests > 0 && !isForbiddenSkip ? 0 : 1);
