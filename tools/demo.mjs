/** `npm run demo`: prepares a fresh clone or an unpacked package, then runs the demo in demo_data/. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { prepare, root } from "./bootstrap.mjs";

prepare();
const child = spawn(process.execPath, [join(root, "bin/rumi"), "demo", ...process.argv.slice(2)], {
  stdio: "inherit",
});
// The terminal's Ctrl-C reaches the child by itself; it stops its bots in order and decides the exit code.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}
child.on("exit", (code, signal) => process.exit(code ?? (signal === null ? 1 : 128)));
