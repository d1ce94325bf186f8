/** `rumi doctor`: what works on this machine and in this home, and what to do about what does not. */
import { existsSync } from "node:fs";
import { arch, platform } from "node:os";
import type { Command } from "commander";
import { failureText } from "@rumi/kernel";
import { detectJails, detectPython, isOffered } from "@rumi/sandbox";
import { homePaths } from "../home/layout.ts";
import { diskStatus } from "../program/health.ts";
import type { Installation } from "../program/installation.ts";
import { clientOf, fail, settingsOf, type CliContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson } from "./output.ts";

export type Check = {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly fact: string;
  readonly next: string | null;
};

export function addDoctorCommand(program: Command, context: CliContext, place: Installation): void {
  program
    .command("doctor")
    .description("Check this machine and the home; exit code 1 when something has to be mended")
    .option("--json", "print the checks as JSON")
    .action(async (options: { readonly json?: boolean }) => {
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, options.json === true ? "json" : "words");
      const checks = await doctorChecks(context, place, settings.value.home);
      if (options.json === true) printJson(context.terminal, { checks });
      else
        for (const { name, state, fact, next } of checks)
          context.terminal.out(
            `${state.padEnd(8)} ${name.padEnd(12)} ${fact}${next === null ? "" : `\n${" ".repeat(22)}→ ${next}`}\n`,
          );
      if (checks.some((check) => check.state === "failed")) context.exit_code = EXIT.failed;
      return undefined;
    });
}

export async function doctorChecks(context: CliContext, place: Installation, home: string): Promise<readonly Check[]> {
  return [...machineChecks(place), ...(await pythonChecks(context)), ...(await homeChecks(context, home))];
}

function machineChecks(place: Installation): readonly Check[] {
  return [
    { name: "rumi", state: "ok", fact: `version ${place.version}`, next: null },
    { name: "node", state: "ok", fact: `${process.versions.node} on ${platform()} ${arch()}`, next: null },
    existsSync(place.console)
      ? { name: "console", state: "ok", fact: place.console, next: null }
      : {
          name: "console",
          state: "warning",
          fact: "not built",
          next: "npm run build; the API and the command line work without it",
        },
  ];
}

async function pythonChecks(context: CliContext): Promise<readonly Check[]> {
  const python = detectPython(context.environment["PATH"] ?? "");
  if (!python.ok) {
    const { text, next } = failureText(python.error, context.terminal.language);
    return [{ name: "python", state: "warning", fact: `${text} Python strategies are refused.`, next }];
  }
  const settings = settingsOf(context);
  const engine = settings.ok ? settings.value.container_engine : "auto";
  const jails = (await detectJails(python, engine)).filter(({ mechanism }) => isOffered(mechanism, engine));
  const found: Check[] = [
    { name: "python", state: "ok", fact: `${python.value.version} at ${python.value.path}`, next: null },
  ];
  for (const { mechanism, available, strict, reason, weaker } of jails) {
    const weaknesses = weaker.length === 0 ? "" : ` (weaker: ${weaker.join("; ")})`;
    found.push({
      name: mechanism,
      state: available ? "ok" : "warning",
      fact: available ? `works${strict ? ", good for strict isolation" : ""}${weaknesses}` : (reason ?? "unavailable"),
      next: null,
    });
  }
  if (!jails.some((jail) => jail.available))
    found.push({
      name: "jail",
      state: "warning",
      fact: "no jail works: Python strategies are refused",
      next: "install bubblewrap, or use a kernel with Landlock (5.13 or newer)",
    });
  return found;
}

async function homeChecks(context: CliContext, home: string): Promise<readonly Check[]> {
  const paths = homePaths(home);
  if (!existsSync(paths.settings))
    return [{ name: "home", state: "ok", fact: `${paths.root} has no Rumi home yet`, next: "rumi start makes one" }];
  const disk = diskStatus(paths.root);
  const checks: Check[] = [
    { name: "home", state: "ok", fact: paths.root, next: null },
    {
      name: "disk",
      state: disk === "UP" ? "ok" : disk === "DEGRADED" ? "warning" : "failed",
      fact: disk === "UP" ? "has room" : "nearly full",
      next: disk === "UP" ? null : "free space before the audit log cannot be written",
    },
  ];
  const client = clientOf(context);
  const health = client.ok
    ? await client.value.request({ method: "GET", path: "/health", timeout_ms: 3_000 })
    : undefined;
  if (health?.ok === true)
    checks.push({
      name: "program",
      state: health.value.body["status"] === "UP" ? "ok" : "warning",
      fact: `${client.ok ? client.value.base_url : ""} is ${String(health.value.body["status"])}`,
      next: null,
    });
  else if (health !== undefined && health.error.kind === "refused")
    checks.push({
      name: "program",
      state: "failed",
      fact: `health answers ${health.error.status}`,
      next: "look into the program's log",
    });
  else checks.push({ name: "program", state: "ok", fact: "does not run", next: "rumi start" });
  return checks;
}
