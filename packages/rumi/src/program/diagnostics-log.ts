/** What a log should say of the program that writes it: little, or with RUMI_DIAGNOSTICS_VERBOSE all that may matter. */
import { availableParallelism, freemem, totalmem } from "node:os";
import type { Logger } from "@rumi/operations";
import { SETTINGS, type Settings } from "../home/settings.ts";
import type { Installation } from "./installation.ts";

/** Whose value nobody is told. */
const UNTOLD: readonly string[] = [SETTINGS.secrets_key.name];

export function logDiagnostics(logger: Logger, settings: Settings, { version }: Pick<Installation, "version">): void {
  const facts = { version, node: process.version, platform: `${process.platform}-${process.arch}`, pid: process.pid };
  if (!settings.diagnostics_verbose) return logger.info("this program", facts);
  logger.info("this program", {
    ...facts,
    uid: process.getuid?.() ?? null,
    gid: process.getgid?.() ?? null,
    processors: availableParallelism(),
    memory_bytes: totalmem(),
    memory_free_bytes: freemem(),
    settings: JSON.stringify(
      Object.fromEntries(Object.keys(SETTINGS).map((key) => told(key as keyof Settings, settings))),
    ),
  });
}

function told(key: keyof Settings, settings: Settings): readonly [string, unknown] {
  const { name } = SETTINGS[key];
  return [name, UNTOLD.includes(name) ? (settings[key] === null ? "none" : "given") : settings[key]];
}
