/** Where the runners' socket lies, in a path that every system takes. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { CONTROL_LIMITS } from "../limits.ts";

/**
 * Where the runners dial: `preferred`, or a short name under `fallback_dir` that this home always gets
 * again. Unix sockets take about 100 bytes; a longer path fails in ways that nobody understands.
 */
export function runnerSocketPath(preferred: string, fallback_dir: string): Result<string, Failure> {
  if (fits(preferred)) return ok(preferred);
  const short = join(fallback_dir, `rumi-${createHash("sha256").update(preferred).digest("hex").slice(0, 16)}.sock`);
  return fits(short)
    ? ok(short)
    : err(failure("RUMI-BOT-028", { path: short, limit: CONTROL_LIMITS.socket_path_bytes }));
}

function fits(path: string): boolean {
  return Buffer.byteLength(path) <= CONTROL_LIMITS.socket_path_bytes;
}
