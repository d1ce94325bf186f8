/** In which box of this machine a pack's Python runs: blocks, handlers, libraries, units. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { BlockHome } from "@rumi/platform";
import { chooseBox } from "@rumi/runtime";
import { detectJails, detectPython, engineSocket } from "@rumi/sandbox";
import type { Settings } from "../home/settings.ts";
import type { Installation } from "./installation.ts";

/** The strongest box that this machine has for Python; in strict mode none that is weaker here. */
export async function blockHome({
  settings,
  installation,
}: {
  readonly settings: Settings;
  readonly installation: Installation;
}): Promise<Result<BlockHome, Failure>> {
  const python = detectPython(process.env["PATH"] ?? "");
  if (!python.ok) return python;
  const jails = await detectJails(python, settings.container_engine);
  const isolation = settings.security_mode === "strict" ? "strict" : "any";
  const box = chooseBox("python", { isolation }, jails);
  const mechanism = jails.find((jail) => box.ok && jail.mechanism === box.value.mechanism)?.mechanism;
  if (!box.ok || mechanism === undefined) {
    const problem = box.ok ? "this machine has none" : box.error.problem;
    const reasonCode = "M.SANDBOX.ISOLATION_TOO_WEAK";
    return err(
      isolation === "strict"
        ? failure("RUMI-SYS-015", { problem }, { reasonCode })
        : failure("RUMI-STR-064", { mechanism: "python", problem }, { reasonCode }),
    );
  }
  const socket = engineSocket(settings.container_engine);
  return ok({
    python: python.value,
    mechanism,
    isolation,
    runner_dir: installation.jail_scripts,
    deprecation_level: settings.deprecation_level,
    ...(socket === undefined ? {} : { engine_socket: socket }),
  });
}
