/**
 * What the Docker Engine is asked to create for a jail (level L3): the job of one bridge. Starts nothing.
 *
 * The container has no network, no capability, no new privileges, no writable place but a sized /tmp, our own system call
 * filter, bounds on memory, processes and processors, and a user that is nobody or the host's own. Its image holds nothing but
 * mount points and is ours (`skeleton.ts`): /usr and the named folders are the host's, shown read-only at their own paths,
 * so the engine must run on this machine.
 *
 * Invariant: every field of the request is checked, none is left to the engine's defaults that matter (docker.test.ts).
 */
import { randomBytes } from "node:crypto";
import type { OciHost } from "../jail/oci.ts";
import { MASKED_PATHS, READONLY_PATHS, resourcesOf, seccompOf } from "../jail/oci.ts";
import type { JailSpec } from "../jail/spec.ts";
import { NOBODY } from "../jail/spec.ts";
import { type BridgeJob, BRIDGE_TIMES, ENGINE_REFUSED } from "./bridge.ts";
import { skeletonArchive } from "./skeleton.ts";

/** Where the engine listens unless somebody says otherwise. */
export const DOCKER_SOCKET = "/var/run/docker.sock";
/** Control groups of their own came with 1.41 (Engine 20.10); newer words than 1.47's are not used. */
export const DOCKER_VERSIONS = ["1.41", "1.47"] as const;
export const DOCKER_IMAGE = { repository: "rumi-jail", tag: "1" } as const;
export const DOCKER_OWNER = "rumi.jail.owner";

export function dockerJob(spec: JailSpec, host: Omit<OciHost, "uid" | "gid"> & { readonly user: string }): BridgeJob {
  return {
    socket: spec.engine_socket ?? DOCKER_SOCKET,
    name: `rumi-jail-${randomBytes(8).toString("hex")}`,
    image: { ...DOCKER_IMAGE, archive_base64: skeletonArchive().toString("base64") },
    create: containerOf(spec, host),
    owner_label: DOCKER_OWNER,
    versions: DOCKER_VERSIONS,
    times: BRIDGE_TIMES,
    refused: ENGINE_REFUSED,
  };
}

/** Nobody, or the host's own user where that is no root: its folders need not be readable for everybody then. */
export function containerUser(uid: number, gid: number): string {
  return uid === 0 ? `${NOBODY}:${NOBODY}` : `${uid}:${gid}`;
}

function containerOf(
  spec: JailSpec,
  host: Omit<OciHost, "uid" | "gid"> & { readonly user: string },
): BridgeJob["create"] {
  const { memory, pids, cpu } = resourcesOf(spec);
  const seccomp = spec.without === "filter" ? "unconfined" : JSON.stringify(seccompOf(spec, host.processor));
  return {
    Image: `${DOCKER_IMAGE.repository}:${DOCKER_IMAGE.tag}`,
    Entrypoint: [],
    Cmd: host.command,
    Env: Object.entries(host.environment).map(([name, value]) => `${name}=${value}`),
    WorkingDir: "/tmp",
    User: host.user,
    Hostname: "strategy",
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    NetworkDisabled: true,
    Healthcheck: { Test: ["NONE"] },
    HostConfig: {
      AutoRemove: true,
      // What it says is counted and bounded by us; the engine keeps nothing of it.
      LogConfig: { Type: "none", Config: {} },
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      NetworkMode: "none",
      IpcMode: "none",
      PidMode: "",
      CgroupnsMode: "private",
      Privileged: false,
      ReadonlyRootfs: true,
      CapAdd: [],
      CapDrop: ["ALL"],
      GroupAdd: (spec.groups ?? []).map(String),
      SecurityOpt: ["no-new-privileges:true", `seccomp=${seccomp}`],
      Devices: [],
      Memory: memory.limit,
      MemorySwap: memory.limit,
      NanoCpus: (cpu.quota / cpu.period) * 1_000_000_000,
      PidsLimit: pids.limit,
      Tmpfs: spec.tmp_bytes === 0 ? {} : { "/tmp": `rw,noexec,nosuid,nodev,mode=1777,size=${spec.tmp_bytes}` },
      Mounts: ["/usr", ...host.visible].map((path) => ({
        Type: "bind",
        Source: path,
        Target: path,
        ReadOnly: true,
        BindOptions: { Propagation: "rprivate" },
      })),
      MaskedPaths: MASKED_PATHS,
      ReadonlyPaths: READONLY_PATHS,
    },
  };
}
