/** Says in words what is weaker about a confined process than its mechanism at its best. */
import type { PreludeReport } from "./prelude.ts";
import type { JailMechanism } from "./spec.ts";

export function weaknesses(mechanism: JailMechanism, report: PreludeReport): readonly string[] {
  const found: string[] = [];
  if (!report.filter) found.push("no system call filter: sockets, fork and exec are not refused by the kernel");
  if (report.landlock === 0) {
    found.push(
      mechanism === "self-jail"
        ? "no Landlock (Linux 5.13): every file that the unprivileged user may read on this machine can be read"
        : "no Landlock (Linux 5.13): the mount namespace is the only fence around files",
    );
  }
  if (mechanism === "self-jail" && report.uid === 0) found.push("runs as root");
  return found;
}
