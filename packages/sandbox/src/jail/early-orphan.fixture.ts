/** A host that is killed while it starts jails; argv: mechanism, kind, folder, marker, milliseconds after the start. */
import { detectPython, type JailMechanism, type JailSpec } from "../index.ts";
import { planJail } from "./plan.ts";
import { startChild } from "./process.ts";

const JAILS = 8;
const [, , mechanism, kind, folder = "", marker = "", after_ms = "0"] = process.argv;
const python = detectPython("");
if (!python.ok) throw new Error("the suite needs Python");
const plan = planJail(
  {
    mechanism: mechanism as JailMechanism,
    isolation: "any",
    program:
      kind === "python"
        ? { kind: "python", python: python.value, script: `${folder}/waits.py` }
        : { kind: "executable", path: "/usr/bin/python3" },
    args: kind === "python" ? [marker] : ["-c", "while True: pass", marker],
    read_only_binds: [folder],
    memory_bytes: 268_435_456,
    nofile: 32,
    fsize_bytes: 0,
    tmp_bytes: 0,
    threads: 1,
    log_bytes_per_second: 0,
    log_bytes_per_run: 0,
    start_deadline_ms: 10_000,
  } satisfies JailSpec,
  { architecture: process.arch, pid: process.pid, is_root: process.getuid?.() === 0 },
);
if (!plan.ok) throw new Error(JSON.stringify(plan.error));
for (let jail = 0; jail < JAILS; jail += 1) startChild(plan.value, "pipe", "pipe", "pipe");
const at = performance.now() + Number(after_ms);
while (performance.now() < at);
process.kill(process.pid, "SIGKILL");
