/**
 * How a command is started: in bubblewrap where the host has it, else bare.
 *
 * In the box the host is read-only, Rumi's home and /tmp are not there, and only what `writable` names can be written; its
 * processes end with it. It confines writing: files that the user can read and the network stay reachable, since coding tools
 * need both. A socket needs no right to write, so the folders of packs' sockets are among what is hidden.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";

export type BoxMechanism = "bubblewrap" | "none";

export type BoxedCommand = {
  readonly mechanism: BoxMechanism;
  readonly command: readonly string[];
  readonly cwd: string;
  /** Folders that are empty in the box but for what `mounts` brings back; those that are not there are left out. */
  readonly hidden: readonly string[];
  /** Sockets that are nothing in the box: whoever speaks to a container engine can write everywhere. Those that are not there are left out. */
  readonly blocked: readonly string[];
  /** In the order in which they are laid over each other; each must exist. `from`: what stands there in the box instead. */
  readonly mounts: readonly { readonly path: string; readonly from?: string; readonly access: "read" | "write" }[];
};

/** Executable and arguments. Bots come first on the machine: a run has the least claim on the processor. */
export function commandLine({ mechanism, command, cwd, hidden, blocked, mounts }: BoxedCommand): readonly string[] {
  if (mechanism === "none") return ["nice", "-n", "10", ...command];
  return [
    "nice",
    "-n",
    "10",
    "bwrap",
    "--die-with-parent",
    "--unshare-pid",
    "--unshare-ipc",
    // A root that could mount would make everything writable again.
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--proc",
    "/proc",
    "--tmpfs",
    "/tmp",
    ...hidden.flatMap((path) => (existsSync(path) ? ["--tmpfs", path] : [])),
    ...mounts.flatMap(({ path, from = path, access }) => [access === "write" ? "--bind" : "--ro-bind", from, path]),
    ...blocked.flatMap((path) => (existsSync(path) ? ["--ro-bind", "/dev/null", path] : [])),
    "--chdir",
    cwd,
    "--",
    ...command,
  ];
}

/** Whether bubblewrap is there and works for us. */
export function findBox(path: string): Promise<BoxMechanism> {
  return new Promise((resolve) => {
    const words = [
      "--die-with-parent",
      "--unshare-pid",
      "--ro-bind",
      "/",
      "/",
      "--dev",
      "/dev",
      "--proc",
      "/proc",
      "true",
    ];
    execFile("bwrap", words, { env: { PATH: path }, timeout: 10_000 }, (problem) =>
      resolve(problem === null ? "bubblewrap" : "none"),
    );
  });
}

/**
 * The longest folders that hold everything a pattern can match, for binds, which know no patterns: `src/**` is `src`,
 * `src/*.ts` is `src`, `**` is the root (``), `a/b.txt` is the file `a/b.txt`.
 */
export function bindRoots(
  patterns: readonly string[],
): readonly { readonly path: string; readonly kind: "folder" | "exact" }[] {
  const roots = patterns.map((pattern) => {
    const names = (pattern.endsWith("/") ? `${pattern}**` : pattern).split("/");
    const wild = names.findIndex((name) => /[*?[\\]/.test(name));
    return wild < 0
      ? ({ path: pattern, kind: "exact" } as const)
      : ({ path: names.slice(0, wild).join("/"), kind: "folder" } as const);
  });
  const folders = roots.filter(({ kind }) => kind === "folder");
  return roots.filter(
    (one, index) =>
      roots.findIndex((other) => other.path === one.path) === index &&
      !folders.some(({ path }) => path !== one.path && (path === "" || one.path.startsWith(`${path}/`))),
  );
}
