/** `npm start`: prepares a fresh clone, then starts the program in its home. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./bootstrap.mjs";

prepare();
const child = spawn(process.execPath, [join(root, "bin/rumi"), "start", ...process.argv.slice(2)], {
  stdio: "inherit",
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
