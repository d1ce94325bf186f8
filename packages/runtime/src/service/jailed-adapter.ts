/**
 * A service as a jailed process of this machine: no network, no files but its pack, JSON in, JSON out.
 *
 * One question at a time; a process that is late, breaks its framing or ends is killed, and the next question starts a
 * new one. The process runs packages/sandbox/python/service_runner.py, which calls `answer(request)` of the pack's file.
 */
import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { type Digest, err, invariant, ok, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { type JailedProcess, type JailSpec, spawnJail } from "@rumi/sandbox";
import { hexOf, type PythonHome } from "../strategy/process.ts";
import type { ServiceAdapter } from "./port.ts";
import type { ServiceSpec } from "./spec.ts";

export const SERVICE_JAIL = {
  cpu_seconds: 86_400,
  memory_bytes: 1_073_741_824,
  threads: 1,
  nofile: 32,
  fsize_bytes: 1_048_576,
  tmp_bytes: 16_777_216,
  log_bytes_per_second: 4_096,
  log_bytes_per_run: 65_536,
  start_deadline_ms: 30_000,
} as const;

/** Where a service's file lies; what it imports from there is held to the digest, and to nothing without. */
export type ServicePack = { readonly pack_dir: string; readonly pack_digest?: Digest };

export class JailedService implements ServiceAdapter {
  readonly #jail: JailSpec;
  #process: JailedProcess | undefined;
  /** Questions go one after the other. */
  #line: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(spec: ServiceSpec, of: ServicePack, home: PythonHome, isolation: "any" | "strict") {
    const pack = realpathSync(of.pack_dir);
    const script = realpathSync(join(pack, spec.entrypoint));
    invariant(script.startsWith(pack + sep), "a service's file lies inside its pack");
    this.#jail = {
      ...SERVICE_JAIL,
      mechanism: home.mechanism,
      isolation,
      program: { kind: "python", python: home.python, script: join(home.runner_dir, "service_runner.py") },
      args: [script, pack, hexOf(of.pack_digest)],
      read_only_binds: [...new Set([pack, home.runner_dir])],
    };
  }

  ask(request: JsonObject, timeout_ms: number): Promise<Result<Json, string>> {
    const asked = this.#line.then(() => this.#ask(request, timeout_ms));
    this.#line = asked;
    return asked;
  }

  close(): void {
    this.#closed = true;
    this.#process?.kill();
  }

  async #ask(request: JsonObject, timeout_ms: number): Promise<Result<Json, string>> {
    if (this.#closed) return err("M.SERVICE.UNAVAILABLE");
    if (this.#process === undefined || this.#process.lastFault() !== null) {
      const started = await spawnJail(this.#jail);
      if (!started.ok) return err("M.SERVICE.UNAVAILABLE");
      this.#process = started.value;
    }
    const answer = await this.#process.request(Buffer.from(JSON.stringify(request)), timeout_ms);
    if (!answer.ok) return err(answer.error.kind === "deadline" ? "M.SERVICE.TIMEOUT" : "M.SERVICE.FAILED");
    try {
      return ok(JSON.parse(Buffer.from(answer.value).toString("utf8")) as Json);
    } catch {
      return err("M.SERVICE.BAD_ANSWER");
    }
  }
}
