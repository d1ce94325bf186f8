/**
 * A jail as an OCI container (level L3): the configuration that `runc` is given, and the folder it needs. Starts nothing.
 *
 * The root file system holds nothing but mount points: /usr and the named folders are shown read-only, /tmp is sized, there
 * is no network but an empty one. The container's user is the host's own behind a user namespace of one id, without any
 * capability, so that it works for an ordinary user as it does for root. The limits are set by `prlimit` as the first thing
 * inside: runc itself would not fit them. As root a cgroup bounds memory, processes and processor share besides.
 *
 * Invariant: it passes the attack suite of every other jail (attack.test.ts, `runc`).
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { spawn } from "node:child_process";
import { IOCTLS, CLONE_THREAD, type Processor } from "./filter.ts";
import { AF_UNIX, CONNECT_CALLS, PRELUDE_CALLS, STRATEGY_CALLS } from "./system-calls.ts";
import type { JailSpec } from "./spec.ts";

const PLACES = ["/usr/sbin/runc", "/usr/bin/runc", "/usr/local/sbin/runc", "/usr/local/bin/runc"] as const;
export const SETPRIV = "/usr/bin/setpriv";
/** For runc's own processes, the prelude and what its files take beside the strategy's memory. */
const CGROUP_ROOM_BYTES = 67_108_864;
const CGROUP_ROOM_TASKS = 16;
/** What runc, then `setpriv`, does behind the filter; harmless without capabilities, and the prelude takes it away again. */
const RUNC_CALLS = ["fstatfs", "statfs", "capget", "capset"];
const CPU_PERIOD_US = 100_000;

export const MASKED_PATHS: readonly string[] = [
  "/proc/kcore",
  "/proc/keys",
  "/proc/timer_list",
  "/proc/sched_debug",
  "/proc/1/environ",
  "/sys/firmware",
];
export const READONLY_PATHS: readonly string[] = [
  "/proc/sys",
  "/proc/sysrq-trigger",
  "/proc/irq",
  "/proc/bus",
  "/proc/fs",
];

export function findRunc(): string | undefined {
  return existsSync(SETPRIV) ? PLACES.find((path) => existsSync(path)) : undefined;
}

/** runc does not end with who started it, so a death signal is set first; a host that is gone already is noticed. */
export function guarded(host_pid: number, runc: string): readonly string[] {
  return [
    SETPRIV,
    "--pdeathsig",
    "KILL",
    "/usr/bin/sh",
    "-c",
    '[ "$PPID" = "$0" ] && exec "$@"',
    String(host_pid),
    runc,
  ];
}

/** The same for what runs inside and cannot do it itself. */
export const DIES_WITH_RUNC: readonly string[] = [SETPRIV, "--pdeathsig", "KILL"];

export type OciHost = {
  readonly processor: Processor;
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** What runs in it, limits first. */
  readonly command: readonly string[];
  /** Folders besides /usr. */
  readonly visible: readonly string[];
};

/** config.json of the runtime specification 1.0. */
export function ociConfig(spec: JailSpec, host: OciHost): object {
  const none = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: host.command,
      env: Object.entries(host.environment).map(([name, value]) => `${name}=${value}`),
      cwd: "/tmp",
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "strategy",
    mounts: mountsOf(spec, host.visible),
    linux: {
      namespaces: ["user", "pid", "network", "ipc", "uts", "mount"].map((type) => ({ type })),
      uidMappings: [{ containerID: 0, hostID: host.uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: host.gid, size: 1 }],
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
      ...(spec.without === "filter" ? {} : { seccomp: seccompOf(spec, host.processor) }),
      ...(host.uid === 0 ? { resources: resourcesOf(spec) } : {}),
    },
  };
}

function mountsOf(spec: JailSpec, visible: readonly string[]): readonly object[] {
  const shown = ["/usr", ...visible].map((path) => ({
    destination: path,
    type: "bind",
    source: path,
    options: ["rbind", "ro", "nosuid", "nodev"],
  }));
  const tmp = spec.tmp_bytes === 0 ? ["ro"] : [`size=${spec.tmp_bytes}`];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "noexec", "mode=755", "size=65536", "ro"],
    },
    { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec", "mode=700", ...tmp] },
    ...shown,
  ];
}

export function resourcesOf(spec: JailSpec): {
  readonly memory: { readonly limit: number };
  readonly pids: { readonly limit: number };
  readonly cpu: { readonly period: number; readonly quota: number };
} {
  return {
    memory: { limit: spec.memory_bytes + spec.tmp_bytes + CGROUP_ROOM_BYTES },
    pids: { limit: spec.threads + CGROUP_ROOM_TASKS },
    cpu: { period: CPU_PERIOD_US, quota: CPU_PERIOD_US * spec.threads },
  };
}

/** The filter of stage `prelude` in the specification's words; the prelude puts on the narrower one itself. */
export function seccompOf({ threads, sockets = [] }: JailSpec, processor: Processor): object {
  const action = "SCMP_ACT_ALLOW";
  const names = [...Object.keys(STRATEGY_CALLS), ...Object.keys(PRELUDE_CALLS), ...RUNC_CALLS];
  const connecting = [
    { names: Object.keys(CONNECT_CALLS), action },
    { names: ["socket"], action, args: [{ index: 0, value: AF_UNIX, op: "SCMP_CMP_EQ" }] },
  ];
  const thread = { index: 0, value: CLONE_THREAD, valueTwo: CLONE_THREAD, op: "SCMP_CMP_MASKED_EQ" };
  return {
    defaultAction: "SCMP_ACT_ERRNO",
    defaultErrnoRet: 1,
    architectures: [processor === "x86_64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64"],
    syscalls: [
      { names, action },
      { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
      ...(threads > 1 ? [{ names: ["clone"], action, args: [thread] }] : []),
      ...(sockets.length === 0 ? [] : connecting),
      ...IOCTLS.map((value) => ({ names: ["ioctl"], action, args: [{ index: 1, value, op: "SCMP_CMP_EQ" }] })),
    ],
  };
}

export type OciBundle = {
  /** What follows `runc` on its command line. */
  readonly args: readonly string[];
  /** Takes container, cgroup and folder away; for when the process that ran it ended, in whatever way. */
  readonly remove: () => void;
};

const PREFIX = "rumi-runc-";
const OWNER = "owner";
let swept = false;

/** A folder of its own for one container: configuration, root file system of mount points, runc's state. */
export function writeBundle(runc: string, config: object): OciBundle {
  if (!swept) sweep(runc);
  swept = true;
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  const [bundle, state] = [join(folder, "bundle"), join(folder, "state")];
  const rootfs = join(bundle, "rootfs");
  for (const name of ["usr", "tmp", "proc", "dev"]) mkdirSync(join(rootfs, name), { recursive: true });
  for (const name of ["lib", "lib64", "bin", "sbin"]) symlinkSync(`usr/${name}`, join(rootfs, name));
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(join(bundle, "config.json"), JSON.stringify(config));
  writeFileSync(join(folder, OWNER), ownerOf(process.pid));
  return {
    args: ["--root", state, "run", "--bundle", bundle, basename(folder)],
    remove: () => remove(runc, folder),
  };
}

/** By a process of its own, which goes on when the thread that asked for it ends. */
function remove(runc: string, folder: string): void {
  const script = '"$0" --root "$1/state" delete --force "$2"; rm -rf "$1"';
  const of = ["-c", script, runc, folder, basename(folder)];
  spawn("/usr/bin/sh", of, { env: {}, stdio: "ignore", detached: true })
    .on("error", () => undefined)
    .unref();
}

/** A host that was killed could take nothing away: the next one does. */
function sweep(runc: string): void {
  for (const name of readdirSync(tmpdir()).filter((one) => one.startsWith(PREFIX))) {
    const folder = join(tmpdir(), name);
    try {
      const owner = readFileSync(join(folder, OWNER), "latin1");
      if (owner !== ownerOf(Number(owner.split(" ")[0]))) remove(runc, folder);
    } catch {
      // somebody else's, or not written yet
    }
  }
}

/** A process by number and the moment it began. */
function ownerOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return `${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""}`;
  } catch {
    return "";
  }
}
