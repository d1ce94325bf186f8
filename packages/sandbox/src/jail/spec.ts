/** What a jail is asked to run and what it may use. */
import type { PythonFacts } from "./python.ts";

/** Those that need nothing but programs of this machine, and those that ask somebody else. */
export const LOCAL_MECHANISMS = ["bubblewrap", "self-jail", "runc"] as const;
export type LocalMechanism = (typeof LOCAL_MECHANISMS)[number];
export const JAIL_MECHANISMS = [...LOCAL_MECHANISMS, "docker"] as const;
export type JailMechanism = (typeof JAIL_MECHANISMS)[number];
export type JailLevel = "L1" | "L3";
/** L1 process with the system's limits, L3 container. */
export const JAIL_LEVELS: Readonly<Record<JailMechanism, JailLevel>> = {
  bubblewrap: "L1",
  "self-jail": "L1",
  runc: "L3",
  docker: "L3",
};

/** What an operator may restrict a machine to (RUMI_CONTAINER_ENGINE). */
export const CONTAINER_ENGINES = ["auto", "docker", "runc", "bubblewrap", "selfjail"] as const;
/** `docker:/PATH` is Docker at another socket than its usual one. */
export type ContainerEngine = (typeof CONTAINER_ENGINES)[number] | `docker:/${string}`;

export function parseContainerEngine(text: string): ContainerEngine | undefined {
  if (/^docker:\/[^\0]+$/.test(text)) return text as `docker:/${string}`;
  return CONTAINER_ENGINES.find((one) => one === text);
}

/** Where Docker listens, if somebody said so. */
export function engineSocket(engine: ContainerEngine): string | undefined {
  return engine.startsWith("docker:") ? engine.slice("docker:".length) : undefined;
}

/** Docker only when it is asked for: who may speak to it may do anything on its machine, and it gets an image of ours. */
export function isOffered(mechanism: JailMechanism, engine: ContainerEngine): boolean {
  if (mechanism === "docker") return engine.split(":")[0] === "docker";
  return engine === "auto" || engine === mechanism.replaceAll("-", "");
}

export type JailProgram =
  | {
      readonly kind: "python";
      readonly python: PythonFacts;
      /** Absolute path of the script, below one of `read_only_binds`. */ readonly script: string;
    }
  /** Any executable below /usr or a bind; not in the self-jail, because only a runner of ours can jail itself. */
  | { readonly kind: "executable"; readonly path: string };

/**
 * A Unix socket of the host that the prelude connects to, before it takes every socket call away: the script gets what is
 * connected (`JAIL_SOCKETS`: path → descriptors, or the error's number) and can open nothing itself.
 */
export type JailSocket = { readonly path: string; readonly connections: number };
/** Of one jail, all its sockets together. */
export const JAIL_CONNECTIONS_MAX = 16;

export type JailSpec = {
  readonly mechanism: JailMechanism;
  /** `strict` refuses a mechanism that is weaker on this machine; `any` takes it and `weaker` says how. */
  readonly isolation: "strict" | "any";
  readonly program: JailProgram;
  readonly args: readonly string[];
  /** Absolute folders shown read-only at their own paths; nothing else of the host but /usr is visible. */
  readonly read_only_binds: readonly string[];
  /** Shown at their own paths, and connected to; Python only, because somebody has to connect first. */
  readonly sockets?: readonly JailSocket[];
  /** Host groups beside its own, where the process is another user than the host (self-jail as root, Docker). */
  readonly groups?: readonly number[];
  /** Address space, bytes. */
  readonly memory_bytes: number;
  /** Where the container engine listens; absent: its usual place (`docker`). */
  readonly engine_socket?: string;
  /** Processor time over the whole life, after which the kernel ends it whoever watches; absent: unlimited. */
  readonly cpu_seconds?: number;
  readonly nofile: number;
  /** Largest single file, bytes. */
  readonly fsize_bytes: number;
  /** Size of /tmp (bubblewrap; the self-jail has no writable place). */
  readonly tmp_bytes: number;
  /** Threads at most; 1 forbids making any. */
  readonly threads: number;
  readonly log_bytes_per_second: number;
  readonly log_bytes_per_run: number;
  /** Time until the process reports that it is confined. */
  readonly start_deadline_ms: number;
  /** Host user for the process when the host itself is root; bubblewrap keeps the host's user unless set. */
  readonly host_uid?: number;
  /** For tests of the dual fence (M-5.2.7): leave one fence out. */
  readonly without?: "filter" | "landlock" | "namespaces" | "outer_limits";
};

export const NOBODY = 65_534;
