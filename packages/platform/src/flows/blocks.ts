/**
 * Runs Python blocks of approved packs in jails, from a pool of processes that are warm.
 *
 * How to think: a process belongs to one pack at one digest and sees nothing of the host but Python and that pack's approved
 * tree, read-only; it has no network. It serves one call at a time, each in a module of its own, and is replaced after a
 * fault, after so many calls, and when its pack is another. Before each call the pack is verified as before every other use.
 *
 * Invariants (engine.test.ts, packages/rumi/test/flows.e2e.test.ts)
 * - A file outside the pack, or one that the pack does not have, is never opened.
 * - Python of a pack is compiled from bytes that have the hash that was approved, whoever writes to its folder meanwhile
 *   (packages/rumi/test/tamper.test.ts).
 * - A late block is dead; no more processes than the limit live at once, and none after `close`.
 */
import { join } from "node:path";
import { err, failure, failureText, ok, type Failure, type Json, type Result } from "@rumi/kernel";
import { spawnJail, type JailedProcess, type JailMechanism, type PythonFacts } from "@rumi/sandbox";
import type { PackEntry } from "../packs/digest.ts";
import type { VerifiedPack } from "../packs/library.ts";
import type { PackEnvironment, PipEnvironments } from "../pip/environments.ts";
import type { DeprecationLevel } from "../deprecation.ts";
import type { LineOwner, PackLines } from "../sockets/pack-lines.ts";
import { FLOW_LIMITS } from "./limits.ts";
import type { BlockOutcome } from "./run.ts";
import { isInside } from "./steps/parse.ts";

export type BlockHome = {
  readonly python: PythonFacts;
  readonly mechanism: JailMechanism;
  readonly isolation: "strict" | "any";
  /** Folder that holds `block_runner.py`, shown read-only. */
  readonly runner_dir: string;
  /** What the use of something deprecated does in a pack's Python; absent: `warn`. */
  readonly deprecation_level?: DeprecationLevel;
  /** Where the container engine listens; absent: its usual place. */
  readonly engine_socket?: string;
};
export type BlockDeps = {
  /** Found out once, when the first block is called; a failure says what this machine lacks. */
  readonly home: () => Promise<Result<BlockHome, Failure>>;
  readonly verify: (pack_id: string) => Promise<Result<VerifiedPack, Failure>>;
  /** What was installed for packs; absent: no code has any. */
  readonly environments?: Pick<PipEnvironments, "of" | "verify">;
  /** The sockets of a pack, served; absent: no code has any. */
  readonly sockets?: (by: LineOwner) => Promise<PackLines>;
};
export type BlockCall = {
  readonly owner_pack: string;
  /** As whom it acts. */
  readonly principal_id: string;
  readonly file: string;
  /** `run` where nothing is said. */
  readonly function?: string;
  readonly input: Json;
  readonly context: Json;
  readonly timeout_ms: number;
  readonly signal: AbortSignal;
};

/** Code that was verified just now; one process serves one of these. */
export type JailCode = {
  /** Another digest under the same key takes its place. */
  readonly key: string;
  readonly digest: string;
  readonly directory: string;
  /** Its files as they were verified: Python is compiled from these bytes only. Absent: from any. */
  readonly entries?: readonly PackEntry[];
  /** Whose sockets it is given; absent: none. */
  readonly by?: LineOwner;
  /** Libraries that it may import, each verified before a process gets to see it. */
  readonly libraries?: readonly PackEnvironment[];
};
/** A capability handler's call: its function gets (context, args) (capabilities/call.ts). */
export type HandlerCall = {
  readonly code: JailCode;
  /** Below the code's directory. */
  readonly file: string;
  readonly function: string;
  readonly context: Json;
  readonly args: Json;
  readonly timeout_ms: number;
  readonly signal: AbortSignal;
};

/** A process in its box: a container or a jail. */
export type StandingBox = {
  readonly pack_id: string;
  readonly principal_id: string;
  readonly status: "running" | "idle";
  readonly mechanism: JailMechanism;
  readonly calls: number;
};

export interface Blocks {
  call(call: BlockCall): Promise<BlockOutcome>;
  callHandler(call: HandlerCall): Promise<BlockOutcome>;
  close(): Promise<void>;
}
export interface Boxes {
  /** Those that stand now, of packs' own code. */
  standing(): readonly StandingBox[];
  /** Has one stand ready for a pack as its own principal. */
  start(pack_id: string): Promise<Result<void, Failure>>;
  /** Ends those of a pack, whatever runs in them; how many there were. */
  end(pack_id: string): Promise<number>;
}

const FOLDERS = ["blocks", "backend/blocks", "backend/components", "backend", ""] as const;
const PART_BYTES = 1_000_000;
const START_DEADLINE_MS = 10_000;
/** To each of its sockets: as many threads of a block may wait for an answer side by side. */
const LINE_CONNECTIONS = 4;
const NO_LINES: PackLines = { egress: null, capability: null, groups: [] };

type Warm = {
  readonly process: JailedProcess;
  readonly digest: string;
  readonly key: string;
  readonly by: LineOwner | undefined;
  readonly mechanism: JailMechanism;
  calls: number;
};

export function createBlocks(deps: BlockDeps): Blocks & Boxes {
  const idle: Warm[] = [];
  const all = new Set<Warm>();
  const waiting: (() => void)[] = [];
  let places = FLOW_LIMITS.block_processes as number;
  let closed = false;
  let home: Promise<Result<BlockHome, Failure>> | undefined;
  const verified = sharing(deps.verify);

  const end = (warm: Warm): void => {
    all.delete(warm);
    warm.process.kill();
  };
  const start = async (code: JailCode): Promise<Result<Warm, Failure>> => {
    const found = await (home ??= deps.home());
    if (!found.ok) {
      home = undefined; // what was missing may be there the next time
      return found;
    }
    for (const library of code.libraries ?? []) {
      const whole = await deps.environments?.verify(library);
      if (whole?.ok === false) return whole;
    }
    const lines = code.by === undefined ? undefined : await deps.sockets?.(code.by);
    const process = await spawnJail(specOf(found.value, code, lines));
    if (!process.ok) return process;
    const { digest, key, by } = code;
    const named = await name(process.value, code);
    if (!named.ok) return named;
    const warm: Warm = { process: process.value, digest, key, by, mechanism: found.value.mechanism, calls: 0 };
    all.add(warm);
    if (closed) end(warm);
    return ok(warm);
  };
  const take = async (code: JailCode): Promise<Result<Warm, Failure>> => {
    for (const old of idle.filter(({ key, digest }) => key === code.key && digest !== code.digest)) {
      idle.splice(idle.indexOf(old), 1);
      end(old);
    }
    const at = idle.findLastIndex(
      ({ key, digest, process }) => key === code.key && digest === code.digest && process.lastFault() === null,
    );
    const [warm] = at === -1 ? [] : idle.splice(at, 1);
    return warm === undefined ? start(code) : ok(warm);
  };
  const giveBack = (warm: Warm): void => {
    warm.calls += 1;
    if (closed || warm.process.lastFault() !== null || warm.calls >= FLOW_LIMITS.process_calls) return end(warm);
    idle.push(warm);
    const oldest = idle.length > FLOW_LIMITS.idle_processes ? idle.shift() : undefined;
    if (oldest !== undefined) end(oldest);
  };
  const enter = async (): Promise<void> => {
    if (places > 0) places -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) places += 1;
    else next();
  };

  const codeOf = async (pack: VerifiedPack, principal_id: string): Promise<JailCode> => {
    const { pack_id, directory, entries } = pack;
    const libraries = (await deps.environments?.of(pack)) ?? [];
    const digest = [pack.digest, ...libraries.map((one) => one.digest)].join(" ");
    // Its sockets are its principal's: a process serves no other one.
    return { key: `${pack_id} ${principal_id}`, digest, directory, entries, by: { pack_id, principal_id }, libraries };
  };
  const serve = async (call: BlockCall): Promise<BlockOutcome> => {
    const pack = await verified(call.owner_pack);
    if (!pack.ok) return failed(pack.error);
    const file = fileOf(pack.value, call.file, [".py"]);
    if (file === undefined) return problem(`the pack ${call.owner_pack} has no file ${call.file}`);
    const code = await codeOf(pack.value, call.principal_id);
    const named = call.function === undefined ? {} : { function: call.function };
    return carry(code, { file, ...named, input: call.input, context: call.context }, call);
  };
  const carry = async (code: JailCode, asked: object, { timeout_ms, signal }: Limits): Promise<BlockOutcome> => {
    if (signal.aborted) return problem("nobody waits for it any more");
    const request = Buffer.from(JSON.stringify(asked));
    if (request.length > FLOW_LIMITS.block_bytes)
      return problem(`its input is larger than ${FLOW_LIMITS.block_bytes} bytes`);
    const warm = await take(code);
    if (!warm.ok) return failed(warm.error);
    const stop = (): void => warm.value.process.kill();
    signal.addEventListener("abort", stop);
    try {
      if (signal.aborted) stop();
      return await exchange(warm.value.process, request, timeout_ms);
    } finally {
      signal.removeEventListener("abort", stop);
      giveBack(warm.value);
    }
  };
  const placed = async (act: () => Promise<BlockOutcome>): Promise<BlockOutcome> => {
    await enter();
    try {
      return closed ? problem("the program stops") : await act();
    } finally {
      leave();
    }
  };
  return {
    call: (call) => placed(() => serve(call)),
    callHandler: (call) =>
      placed(() =>
        carry(
          call.code,
          { file: call.file, function: call.function, input: call.args, context: call.context, context_first: true },
          call,
        ),
      ),
    standing: () => [...all].flatMap((warm) => standingOf(warm, idle)),
    start: async (pack_id) => {
      const pack = await verified(pack_id);
      if (!pack.ok) return pack;
      const warm = await take(await codeOf(pack.value, pack_id));
      if (!warm.ok) return warm;
      giveBack(warm.value);
      return ok(undefined);
    },
    end: async (pack_id) => {
      const those = [...all].filter(({ by }) => by?.pack_id === pack_id);
      for (const warm of those) {
        if (idle.includes(warm)) idle.splice(idle.indexOf(warm), 1);
        end(warm);
      }
      await Promise.all(those.map(({ process }) => process.exited));
      return those.length;
    },
    close: async () => {
      closed = true;
      const ended = [...all].map(({ process }) => process.exited);
      for (const warm of all) end(warm);
      idle.length = 0;
      await Promise.all(ended);
    },
  };
}

function standingOf({ by, mechanism, calls, ...warm }: Warm, idle: readonly Warm[]): readonly StandingBox[] {
  if (by === undefined || warm.process.lastFault() !== null) return [];
  const status = idle.some(({ process }) => process === warm.process) ? "idle" : "running";
  return [{ pack_id: by.pack_id, principal_id: by.principal_id, status, mechanism, calls }];
}

/** Tells a new process which bytes of each Python file it may compile. */
async function name(process: JailedProcess, { entries }: JailCode): Promise<Result<void, Failure>> {
  const files =
    entries === undefined ? null : Object.fromEntries(entries.filter(isCode).map(({ path, sha256 }) => [path, sha256]));
  const told = await exchange(process, Buffer.from(JSON.stringify({ files })), START_DEADLINE_MS);
  if (told.kind === "output") return ok(undefined);
  process.kill();
  return err(failure("RUMI-STR-062", { problem: told.problem }, { reasonCode: "M.SANDBOX.SPAWN" }));
}
const isCode = ({ path }: PackEntry): boolean => /\.(?:py|so)$/.test(path);

type Limits = { readonly timeout_ms: number; readonly signal: AbortSignal };

/** Callers that come while one look is under way share the next one, which begins after they came. */
function sharing<T>(look: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const under = new Map<string, Promise<T>>();
  const next = new Map<string, Promise<T>>();
  const begin = (key: string): Promise<T> => {
    next.delete(key);
    const looking = look(key).finally(() => under.delete(key));
    under.set(key, looking);
    return looking;
  };
  return (key) => {
    const current = under.get(key);
    if (current === undefined) return begin(key);
    const later =
      next.get(key) ??
      current.then(
        () => begin(key),
        () => begin(key),
      );
    next.set(key, later);
    return later;
  };
}

/** One request, whole, and its whole answer; all of it within the time. */
async function exchange(process: JailedProcess, request: Uint8Array, timeout_ms: number): Promise<BlockOutcome> {
  const until = performance.now() + timeout_ms;
  const left = (): number => Math.max(1, until - performance.now());
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let at = 0; at < request.length; at += PART_BYTES) {
    const part = request.subarray(at, at + PART_BYTES);
    const more = at + PART_BYTES < request.length;
    const answer = await process.request(Buffer.concat([Buffer.of(more ? 1 : 0), part]), left());
    if (!answer.ok) return faulted(answer.error, timeout_ms);
    if (!more) parts.push(Buffer.from(answer.value));
  }
  while (parts.at(-1)?.[0] === 1) {
    length += parts.at(-1)?.length ?? 0;
    if (length > FLOW_LIMITS.block_bytes) {
      process.kill();
      return { ...problem(`its output is larger than ${FLOW_LIMITS.block_bytes} bytes`), why: "too_large" };
    }
    const answer = await process.request(new Uint8Array(0), left());
    if (!answer.ok) return faulted(answer.error, timeout_ms);
    parts.push(Buffer.from(answer.value));
  }
  return outcomeOf(Buffer.concat(parts.map((part) => part.subarray(1))).toString("utf8"), process);
}

/** The process is the pack's own, so its answer is read like anything else from outside. */
function outcomeOf(text: string, process: JailedProcess): BlockOutcome {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = null;
  }
  if (typeof answer === "object" && answer !== null && "ok" in answer) {
    if (answer.ok === true && "output" in answer) return { kind: "output", output: answer.output as Json };
    if (answer.ok === false && "error" in answer && typeof answer.error === "string") return problem(answer.error);
  }
  process.kill();
  return problem("its process answered something that is no answer");
}

function faulted(
  { kind, detail }: { readonly kind: string; readonly detail: string },
  timeout_ms: number,
): BlockOutcome {
  return kind === "deadline"
    ? { ...problem(`it gave no answer within ${timeout_ms / 1_000} s`), why: "timeout" }
    : problem(`its process ended: ${detail}`);
}

/** Where the file lies below the pack's root; undefined where it has none. */
export function fileOf(
  { entries }: Pick<VerifiedPack, "entries">,
  file: string,
  endings: readonly string[],
): string | undefined {
  return isInside(file, endings)
    ? placesOf(file).find((path) => entries.some((entry) => entry.path === path))
    : undefined;
}

/** Where a file is looked for below a pack's root, in this order. */
export const placesOf = (file: string): readonly string[] =>
  FOLDERS.map((folder) => (folder === "" ? file : `${folder}/${file}`));

function specOf(
  home: BlockHome,
  { directory, libraries = [] }: JailCode,
  lines: PackLines = NO_LINES,
): Parameters<typeof spawnJail>[0] {
  const paths = [lines.egress, lines.capability];
  const shown = libraries.map((library) => library.directory);
  return {
    mechanism: home.mechanism,
    isolation: home.isolation,
    ...(home.engine_socket === undefined ? {} : { engine_socket: home.engine_socket }),
    program: { kind: "python", python: home.python, script: join(home.runner_dir, "block_runner.py") },
    args: [directory, ...paths.map((path) => path ?? ""), home.deprecation_level ?? "warn", ...shown],
    sockets: paths.filter((path) => path !== null).map((path) => ({ path, connections: LINE_CONNECTIONS })),
    groups: lines.groups,
    read_only_binds: [directory, home.runner_dir, ...shown],
    memory_bytes: 268_435_456,
    nofile: 32,
    fsize_bytes: 16_777_216,
    tmp_bytes: 67_108_864,
    threads: 8,
    log_bytes_per_second: 65_536,
    log_bytes_per_run: 1_048_576,
    start_deadline_ms: START_DEADLINE_MS,
  };
}

type Failed = Extract<BlockOutcome, { kind: "failed" }>;

const problem = (text: string): Failed => ({ kind: "failed", problem: text, error_code: null });

function failed(of: Failure): Failed {
  const { text, next } = failureText(of, "en");
  return { kind: "failed", problem: `${text} ${next}`, error_code: of.code };
}
