/**
 * Decides how a jail is started: which program, which arguments, which fences. Nothing is started here.
 *
 * Outside in: prlimit (memory, files) → bubblewrap (namespaces, read-only /usr, empty environment, filter of stage
 * `prelude`) → prelude (threads, Landlock, filter of stage `strategy`) → script. The self-jail has no middle.
 */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, sep } from "node:path";
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { bridgeArguments } from "../docker/bridge.ts";
import { containerUser, dockerJob } from "../docker/container.ts";
import { assembleFilter, type Processor, processorOf } from "./filter.ts";
import { DIES_WITH_RUNC, findRunc, guarded, ociConfig, SETPRIV } from "./oci.ts";
import { PRELUDE, type PreludeConfig } from "./prelude.ts";
import { unreadable } from "./python.ts";
import { JAIL_CONNECTIONS_MAX, type JailSpec, NOBODY } from "./spec.ts";

export type JailPlan = {
  readonly file: string;
  readonly args: readonly string[];
  /** Filter for bubblewrap's file descriptor 3; null: none. */
  readonly filter: Uint8Array | null;
  /** A container's configuration, when `args` end in runc; `startChild` writes it. */
  readonly container?: object;
  /** Host user to switch to; null: stay. */
  readonly uid: number | null;
  /** Whether the process reports its confinement as first frame; one that does not stands behind the gate. */
  readonly reports: boolean;
};

export type HostFacts = {
  readonly architecture: string;
  readonly pid: number;
  readonly is_root: boolean;
  readonly source?: string;
};

const PRLIMIT = "/usr/bin/prlimit";
export const BUBBLEWRAP = "/usr/bin/bwrap";
/**
 * An executable cannot be asked to wait, so a shell waits before it becomes one: it says that it is there, which is after
 * bubblewrap bound it to its parent, and goes on when the host, which looked whether that parent lives, says so. A host
 * that died meanwhile says nothing, and nothing of the strategy has run.
 */
const GATE = ["/usr/bin/sh", "-c", String.raw`printf '\001\000\000\000g'; read -r go && exec "$@"`, "gate"];
export const GATE_READY = "g";
export const GATE_OPEN = "go\n";
const STACK_BYTES = 8_388_608;
const RESERVED = ["/proc", "/dev", "/sys", "/usr", "/tmp", "/"];

export function planJail(spec: JailSpec, host: HostFacts): Result<JailPlan, Failure> {
  const refused = checkSpec(spec, host);
  if (refused !== undefined) return err(refused);
  const processor = processorOf(host.architecture);
  if (processor === undefined) return err(unavailable(spec, `there is no system call table for ${host.architecture}`));
  if (!existsSync(PRLIMIT)) return err(failure("RUMI-STR-063", {}, { reasonCode: "M.SANDBOX.PRLIMIT_MISSING" }));
  const filter = (stage: "prelude" | "strategy"): Uint8Array =>
    spec.without === "filter"
      ? new Uint8Array()
      : assembleFilter({
          processor,
          stage,
          threads: spec.threads,
          sockets: (spec.sockets ?? []).length === 0 ? "none" : "unix",
        });
  const namespaces = spec.mechanism !== "self-jail" && spec.without !== "namespaces";
  const inner = innerCommand(spec, host, namespaces, filter("strategy"));
  const limits = spec.without === "outer_limits" ? ["--core=0"] : outerLimits(spec);
  const uid = host.is_root ? (namespaces ? (spec.host_uid ?? null) : (spec.host_uid ?? NOBODY)) : null;
  if (!namespaces)
    return ok(asUser(spec, { file: PRLIMIT, args: [...limits, ...inner], filter: null, uid, reports: true }));
  if (spec.mechanism === "runc")
    return planContainer(spec, host, { processor, command: [PRLIMIT, ...limits, ...inner] });
  if (spec.mechanism === "docker") return ok(planDocker(spec, { processor, command: [PRLIMIT, ...limits, ...inner] }));
  if (!existsSync(BUBBLEWRAP)) return err(unavailable(spec, `${BUBBLEWRAP} is not installed`));
  const outer = filter("prelude");
  const seccomp = outer.length === 0 ? [] : ["--seccomp", "3"];
  return ok(
    asUser(spec, {
      file: PRLIMIT,
      args: [...limits, BUBBLEWRAP, ...bubblewrapOptions(spec), ...seccomp, ...inner],
      filter: outer.length === 0 ? null : outer,
      uid,
      reports: spec.program.kind === "python",
    }),
  );
}

/** Another user of the host has no group but its own, unless `setpriv` makes it one that has. */
function asUser({ groups = [] }: JailSpec, plan: JailPlan): JailPlan {
  if (plan.uid === null || groups.length === 0) return plan;
  const user = [`--reuid=${plan.uid}`, `--regid=${plan.uid}`, `--groups=${groups.join(",")}`];
  return { ...plan, file: SETPRIV, args: [...user, "--", plan.file, ...plan.args], uid: null };
}

function planContainer(
  spec: JailSpec,
  host: HostFacts,
  { processor, command }: { readonly processor: Processor; readonly command: readonly string[] },
): Result<JailPlan, Failure> {
  const runc = findRunc();
  if (runc === undefined) return err(unavailable(spec, "runc or setpriv is not installed"));
  const reports = spec.program.kind === "python";
  const [file = "", ...args] = guarded(host.pid, runc);
  const container = ociConfig(spec, {
    processor,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    environment: JAIL_ENVIRONMENT,
    command: reports ? command : [...DIES_WITH_RUNC, ...command],
    visible: visible(spec),
  });
  return ok({ file, args, filter: null, uid: null, reports, container });
}

/** A bridge to the engine; the container is its to create and to remove. */
function planDocker(
  spec: JailSpec,
  of: { readonly processor: Processor; readonly command: readonly string[] },
): JailPlan {
  const job = dockerJob(spec, {
    ...of,
    user: containerUser(process.getuid?.() ?? 0, process.getgid?.() ?? 0),
    environment: JAIL_ENVIRONMENT,
    visible: visible(spec),
  });
  const reports = spec.program.kind === "python";
  return { file: process.execPath, args: bridgeArguments(job), filter: null, uid: null, reports };
}

export function unavailable(spec: Pick<JailSpec, "mechanism">, problem: string): Failure {
  return failure(
    "RUMI-STR-060",
    { mechanism: spec.mechanism, problem },
    { reasonCode: "M.SANDBOX.MECHANISM_UNAVAILABLE" },
  );
}

function checkSpec(spec: JailSpec, host: HostFacts): Failure | undefined {
  const numbers = [
    ["memory_bytes", spec.memory_bytes, 67_108_864, 2 ** 40],
    ["nofile", spec.nofile, 8, 4_096],
    ["fsize_bytes", spec.fsize_bytes, 0, 2 ** 40],
    ["tmp_bytes", spec.tmp_bytes, 0, 2 ** 40],
    ["threads", spec.threads, 1, 1_024],
    ["cpu_seconds", spec.cpu_seconds ?? 1, 1, 2 ** 31],
    ["log_bytes_per_second", spec.log_bytes_per_second, 0, 2 ** 30],
    ["log_bytes_per_run", spec.log_bytes_per_run, 0, 2 ** 30],
    ["start_deadline_ms", spec.start_deadline_ms, 1, 60_000],
  ] as const;
  for (const [name, value, least, most] of numbers) {
    if (!Number.isSafeInteger(value) || value < least || value > most)
      return failure("RUMI-STR-055", { name, value, least, most }, { reasonCode: "M.SANDBOX.OPTION" });
  }
  if (spec.mechanism === "self-jail" && spec.program.kind !== "python") return unavailable(spec, "it runs Python only");
  const refused = socketProblem(spec);
  if (refused !== undefined) return refused;
  for (const path of spec.read_only_binds) {
    const problem = bindProblem(path, spec, host);
    if (problem !== undefined) return failure("RUMI-STR-065", { path, problem }, { reasonCode: "M.SANDBOX.BIND" });
  }
  return undefined;
}

function socketProblem({ sockets = [], groups = [], program }: JailSpec): Failure | undefined {
  const wrong = (path: string, problem: string): Failure =>
    failure("RUMI-STR-065", { path, problem }, { reasonCode: "M.SANDBOX.BIND" });
  const connections = sockets.reduce((sum, one) => sum + one.connections, 0);
  if (connections > JAIL_CONNECTIONS_MAX)
    return failure(
      "RUMI-STR-055",
      { name: "connections", value: connections, least: 0, most: JAIL_CONNECTIONS_MAX },
      { reasonCode: "M.SANDBOX.OPTION" },
    );
  const group = groups.find((one) => !Number.isSafeInteger(one) || one < 0 || one > 0xffff_fffe);
  if (group !== undefined)
    return failure(
      "RUMI-STR-055",
      { name: "groups", value: group, least: 0, most: 0xffff_fffe },
      { reasonCode: "M.SANDBOX.OPTION" },
    );
  if (groups.length > 0 && !existsSync(SETPRIV)) return wrong(SETPRIV, "it is not installed, and groups need it");
  for (const { path } of sockets) {
    if (program.kind !== "python") return wrong(path, "only Python is connected to sockets");
    if (!isAbsolute(path) || realpathSync(dirname(path)) !== dirname(path))
      return wrong(path, "a symbolic link leads to it");
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return wrong(path, "it is not a socket");
  }
  return undefined;
}

/** All that a jailed process finds in its environment: hashing is the same in every life, so that replays are. */
export const JAIL_ENVIRONMENT: Readonly<Record<string, string>> = { PYTHONHASHSEED: "0" };

function bindProblem(path: string, spec: JailSpec, host: HostFacts): string | undefined {
  if (!isAbsolute(path)) return "it is not absolute";
  if (RESERVED.includes(path) || ["/proc/", "/dev/", "/sys/"].some((root) => path.startsWith(root)))
    return "it is part of the system";
  if (!existsSync(path)) return "it does not exist";
  if (!lstatSync(path).isDirectory() || realpathSync(path) !== path)
    return "it is not a folder, or a symbolic link leads to it";
  const changesUser = host.is_root && (["self-jail", "docker"].includes(spec.mechanism) || spec.host_uid !== undefined);
  const hidden = changesUser ? unreadable(path) : undefined;
  return hidden === undefined ? undefined : `the unprivileged user cannot read ${hidden}`;
}

function outerLimits(spec: JailSpec): string[] {
  const cpu = spec.cpu_seconds === undefined ? [] : [`--cpu=${spec.cpu_seconds}`];
  return [
    `--as=${spec.memory_bytes}`,
    `--nofile=${spec.nofile}`,
    "--core=0",
    `--fsize=${spec.fsize_bytes}`,
    `--stack=${STACK_BYTES}`,
    ...cpu,
  ];
}

function bubblewrapOptions(spec: JailSpec): string[] {
  const binds = visible(spec).flatMap((path) => ["--ro-bind", path, path]);
  const tmp = spec.tmp_bytes === 0 ? ["--dir", "/tmp"] : ["--size", String(spec.tmp_bytes), "--tmpfs", "/tmp"];
  return [
    "--unshare-all",
    "--unshare-user",
    "--as-pid-1",
    "--die-with-parent",
    "--new-session",
    "--clearenv",
    ...Object.entries(JAIL_ENVIRONMENT).flatMap(([name, value]) => ["--setenv", name, value]),
    "--ro-bind",
    "/usr",
    "/usr",
    "--symlink",
    "usr/lib",
    "/lib",
    "--symlink",
    "usr/lib64",
    "/lib64",
    "--symlink",
    "usr/bin",
    "/bin",
    "--dev",
    "/dev",
    ...tmp,
    ...binds,
    "--remount-ro",
    "/dev",
    "--remount-ro",
    "/",
    "--chdir",
    "/tmp",
    "--cap-drop",
    "ALL",
    "--uid",
    String(NOBODY),
    "--gid",
    String(NOBODY),
    "--hostname",
    "strategy",
  ];
}

/** What the process sees besides /usr: folders, and sockets that the prelude connects to. */
function visible(spec: JailSpec): string[] {
  const { program } = spec;
  const prefix =
    program.kind === "python" && program.python.prefix !== "/usr" && !program.python.prefix.startsWith(`/usr${sep}`)
      ? [program.python.prefix]
      : [];
  return [...prefix, ...spec.read_only_binds, ...(spec.sockets ?? []).map(({ path }) => path)];
}

function innerCommand(spec: JailSpec, host: HostFacts, namespaces: boolean, filter: Uint8Array): string[] {
  const { program } = spec;
  // Where namespaces give it a user of its own, that user's other processes do not count; elsewhere they would.
  const isAlone = namespaces && spec.mechanism !== "docker";
  const ownUser = (limit: string): readonly string[] => (isAlone ? [limit] : []);
  if (program.kind === "executable")
    return [...GATE, PRLIMIT, ...ownUser(`--nproc=${spec.threads}`), ...outerLimits(spec), program.path, ...spec.args];
  const limits: [string, number][] = [
    ["RLIMIT_NPROC", spec.threads],
    ["RLIMIT_CORE", 0],
    ["RLIMIT_AS", spec.memory_bytes],
    ["RLIMIT_NOFILE", spec.nofile],
    ["RLIMIT_FSIZE", spec.fsize_bytes],
    ...(spec.cpu_seconds === undefined ? [] : [["RLIMIT_CPU", spec.cpu_seconds] as [string, number]]),
  ];
  const config: PreludeConfig = {
    limits: isAlone ? limits : limits.filter(([name]) => name !== "RLIMIT_NPROC" || spec.threads === 1),
    parent: namespaces ? null : host.pid,
    landlock: spec.mechanism === "self-jail" && spec.isolation === "strict" ? "required" : "if_present",
    pretend_no_landlock: spec.without === "landlock",
    readable: ["/usr", ...visible({ ...spec, sockets: [] })],
    writable: namespaces ? ["/tmp"] : [],
    filter: Buffer.from(filter).toString("base64"),
    sockets: spec.sockets ?? [],
    script: program.script,
    source: host.source ?? null,
  };
  // Not -I: it would ignore PYTHONHASHSEED, and a replay would iterate sets in another order. The environment holds
  // nothing else, -s leaves the user's folders out, and the prelude drops the current folder from the path.
  return [program.python.path, "-s", "-S", "-B", "-c", PRELUDE, JSON.stringify(config), ...spec.args];
}
