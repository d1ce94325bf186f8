/**
 * Carrying out commands of a run: the command itself in its worktree, and checks in clean checkouts. Both the same way: in the
 * box where there is one, with an environment that names everything it holds.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { millis, type Clock, type Scrubber } from "@rumi/kernel";
import type { GitRun } from "../git/git.ts";
import { preparePrivate, privateMounts, privateParts } from "../git/private-objects.ts";
import { cleanCheckout, type Repository, type Worktree } from "../git/repository.ts";
import { removeAll } from "../git/tree-walk.ts";
import { RUN_LIMITS } from "../limits.ts";
import { bindRoots, commandLine, type BoxedCommand, type BoxMechanism } from "../process/box.ts";
import { startChild, startOf, type Child, type ChildEnd } from "../process/child.ts";
import { executedNothing } from "../process/executed-nothing.ts";
import { createRunLog, type LogEnd } from "../process/run-log.ts";
import type { CheckDefinition, EnforcementFact, Run, RunCheck } from "./model.ts";
import { checkLogRef, type RunPlaces } from "./places.ts";

export type Workshop = {
  readonly clock: Clock;
  readonly scrubber: Scrubber;
  readonly git: GitRun;
  /** Folder of all runs. */
  readonly root: string;
  /** What no run may see: the home of this program. */
  readonly hidden: readonly string[];
  /** Sockets through which a run could do what it may not. */
  readonly blocked: readonly string[];
  /** Beside PATH, HOME and the run's own names. */
  readonly environment: Readonly<Record<string, string>>;
  readonly path: string;
};

/** How far this host holds a run, which is settled before it begins. */
export function enforcementOf(mechanism: BoxMechanism, run: Pick<Run, "enforce">): EnforcementFact {
  if (mechanism === "none") return { scope: "after_only", outside: "after_only", mechanism };
  return { scope: run.enforce === "deny" ? "kernel" : "after_only", outside: "kernel", mechanism };
}

export type Command = {
  readonly child: Child;
  readonly started: string | null;
  readonly finish: (end: ChildEnd) => LogEnd;
};

/** The prompt is its standard input and the file that RUMI_PROMPT_FILE names. */
export function startCommand(
  of: {
    readonly run: Run;
    readonly prompt: string;
    readonly places: RunPlaces;
    readonly repo: Repository;
    readonly worktree: Worktree;
    readonly mechanism: BoxMechanism;
    readonly stop: AbortSignal;
  },
  shop: Workshop,
): Command {
  const { run, places, worktree, mechanism } = of;
  const log = createRunLog(places.log, {
    clock: shop.clock,
    scrubber: shop.scrubber,
    limit_bytes: RUN_LIMITS.log_bytes,
  });
  log.meta(of.prompt);
  mkdirSync(places.home, { recursive: true, mode: 0o700 });
  if (mechanism === "bubblewrap") preparePrivate(of.repo, worktree, privateParts(places.folder));
  const child = startChild({
    line: commandLine({
      mechanism,
      command: run.command,
      cwd: worktree.path,
      hidden: shop.hidden,
      blocked: shop.blocked,
      mounts: [
        ...treeMounts(run, worktree.path),
        { path: places.home, access: "write" },
        { path: places.prompt, access: "read" },
        ...privateMounts(of.repo, worktree, privateParts(places.folder)),
      ],
    }),
    cwd: worktree.path,
    environment: environmentOf(shop, places, { RUMI_RUN_ID: String(run.run_id), RUMI_PROMPT_FILE: places.prompt }),
    input: of.prompt,
    timeout: millis(run.timeout_seconds * 1_000),
    stop: of.stop,
    clock: shop.clock,
    onOutput: (stream, chunk) => log.output(stream, chunk),
  });
  return {
    child,
    started: child.pid === null ? null : startOf(child.pid),
    finish: (end) => {
      log.meta(wordsOf(end, run.timeout_seconds));
      return log.close();
    },
  };
}

function wordsOf({ cause, exit_code, problem }: ChildEnd, timeout_seconds: number): string {
  if (cause === "not_started") return `the command could not be started: ${problem ?? "no reason was given"}`;
  const why =
    cause === "itself" ? "ended" : cause === "stopped" ? "was stopped" : `was ended after ${timeout_seconds} seconds`;
  return `the command ${why} with exit code ${exit_code ?? "unknown"}`;
}

/** With `deny` only what the scope's patterns can match is writable, folders that hold it at least; they are made where they are not there. */
function treeMounts({ enforce, scope_snapshot }: Run, tree: string): BoxedCommand["mounts"] {
  if (enforce === "record") return [{ path: tree, access: "write" }];
  const roots = bindRoots(scope_snapshot.write).map(({ path, kind }) => {
    const isThere = kind === "folder" || existsSync(join(tree, path));
    const bound = isThere ? path : dirname(path) === "." ? "" : dirname(path);
    mkdirSync(join(tree, isThere && kind === "exact" ? dirname(bound) : bound), { recursive: true });
    return bound;
  });
  return [
    { path: tree, access: "read" },
    ...[...new Set(roots)].map((path) => ({ path: join(tree, path), access: "write" }) as const),
  ];
}

function environmentOf(
  shop: Workshop,
  places: RunPlaces,
  own: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    PATH: shop.path,
    HOME: places.home,
    LANG: "C.UTF-8",
    // Git's own housekeeping writes where a run may not.
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "gc.auto",
    GIT_CONFIG_VALUE_0: "0",
    ...shop.environment,
    ...own,
  };
}

/** One check on a checkout of its own, made afresh. */
export async function runCheck(
  of: {
    readonly run: Run;
    readonly ordinal: number;
    readonly check: CheckDefinition;
    readonly places: RunPlaces;
    readonly mechanism: BoxMechanism;
    readonly stop: AbortSignal;
    readonly snapshot_sha: string;
    readonly repo: Repository;
  },
  shop: Workshop,
): Promise<RunCheck | "interrupted"> {
  const { run, ordinal, check, places, mechanism } = of;
  await cleanCheckout(shop.git, places.evidence, places.checkout, of.snapshot_sha);
  mkdirSync(places.home, { recursive: true, mode: 0o700 });
  const cwd = join(places.checkout, check.working_dir);
  const log_ref = checkLogRef(run.run_id, ordinal);
  const log = createRunLog(join(shop.root, log_ref), {
    clock: shop.clock,
    scrubber: shop.scrubber,
    limit_bytes: RUN_LIMITS.check_log_bytes,
  });
  log.meta(check.command);
  const began = shop.clock.monotonic();
  const child = startChild({
    line: commandLine({
      mechanism,
      command: ["/bin/sh", "-c", `cd "$RUMI_WORKING_DIR" && eval "$RUMI_CHECK"`],
      cwd: places.checkout,
      hidden: shop.hidden,
      blocked: shop.blocked,
      mounts: [
        { path: join(of.repo.common_dir, "objects"), access: "read" },
        { path: places.evidence, access: "read" },
        { path: places.checkout, access: "write" },
        { path: places.home, access: "write" },
      ],
    }),
    cwd: places.checkout,
    environment: environmentOf(shop, places, {
      RUMI_RUN_ID: String(run.run_id),
      RUMI_WORKING_DIR: cwd,
      RUMI_CHECK: check.command,
    }),
    input: "",
    timeout: millis(check.timeout_sec * 1_000),
    stop: of.stop,
    clock: shop.clock,
    onOutput: (stream, chunk) => log.output(stream, chunk),
  });
  const end = await child.ended;
  log.meta(wordsOf(end, check.timeout_sec));
  const tail = log.tail();
  const { sha256 } = log.close();
  await removeAll(places.checkout);
  if (end.cause === "stopped") return "interrupted";
  return {
    run_id: run.run_id,
    ordinal,
    check_key: check.check_key,
    exit_code: end.exit_code,
    timed_out: end.cause === "timed_out",
    executed_nothing: executedNothing({ command: check.command, exit_code: end.exit_code, tail }),
    duration_ms: Math.round(shop.clock.monotonic() - began),
    log_ref,
    log_sha256: sha256,
    finished_at: shop.clock.now(),
  };
}

export function keepPrompt(places: RunPlaces, prompt: string): void {
  mkdirSync(places.folder, { recursive: true, mode: 0o700 });
  writeFileSync(places.prompt, prompt, { mode: 0o600 });
}

export const keptPrompt = (places: RunPlaces): string => readFileSync(places.prompt, "utf8");
