/**
 * What works on this machine and in a home: each check a fact, and what to do where it does not. Looks only, changes nothing.
 *
 * `machineChecks` are what `setup check` shows before there is a home; `doctorChecks` add the home and its program.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { request } from "node:http";
import { arch, platform } from "node:os";
import { failureText } from "@rumi/kernel";
import { detectJails, detectPython, DOCKER_SOCKET, isOffered } from "@rumi/sandbox";
import { clientOf, settingsOf, type CliContext } from "../cli/context.ts";
import { homePaths } from "../home/layout.ts";
import { diskStatus } from "../program/health.ts";
import type { Installation } from "../program/installation.ts";
import { secretChecks } from "./secret-checks.ts";

export type Check = {
  readonly name: string;
  readonly state: "ok" | "warning" | "failed";
  readonly fact: string;
  readonly next: string | null;
};

/** How long another program may take to tell its version. */
const ASK_MS = 5_000;

export async function doctorChecks(context: CliContext, place: Installation, home: string): Promise<readonly Check[]> {
  return [
    ...(await machineChecks(context, place)),
    ...(await homeChecks(context, home)),
    ...(await secretChecks(context)),
  ];
}

export async function machineChecks(context: CliContext, place: Installation): Promise<readonly Check[]> {
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
    ...(await pythonChecks(context)),
    gitCheck(context),
    await dockerCheck(),
    rustCheck(context),
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

function gitCheck(context: CliContext): Check {
  const version = versionOf(context, "git");
  return version === undefined
    ? { name: "git", state: "warning", fact: "not there: runs in worktrees are refused", next: "install git" }
    : { name: "git", state: "ok", fact: version, next: null };
}

/** Strategies in Rust run without it; they are built with it. */
function rustCheck(context: CliContext): Check {
  const fact = versionOf(context, "rustc") ?? "not there: strategies in Rust run, and cannot be built here";
  return { name: "rustc", state: "ok", fact, next: null };
}

/** Its first line for `--version`, from the caller's own search path. */
function versionOf({ environment }: CliContext, program: string): string | undefined {
  try {
    const said = execFileSync(program, ["--version"], {
      env: { PATH: environment["PATH"] ?? "", HOME: environment["HOME"] ?? "" },
      encoding: "utf8",
      timeout: ASK_MS,
      stdio: ["ignore", "pipe", "ignore"],
    });
    return said.split("\n")[0];
  } catch {
    return undefined; // not there, or not able to run: for whoever needs it that is one
  }
}

/** An engine is one way to box among several: that none answers is no fault. */
async function dockerCheck(): Promise<Check> {
  const says = await new Promise<string>((resolve) => {
    const asked = request({ socketPath: DOCKER_SOCKET, path: "/_ping", timeout: ASK_MS }, (answer) => {
      answer.resume();
      resolve(
        `an engine answers at ${DOCKER_SOCKET} (interface ${String(answer.headers["api-version"] ?? "unknown")})`,
      );
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(`no engine answers at ${DOCKER_SOCKET}: processes are boxed without one`));
    asked.end();
  });
  return { name: "docker", state: "ok", fact: says, next: null };
}

async function homeChecks(context: CliContext, home: string): Promise<readonly Check[]> {
  const paths = homePaths(home);
  if (!existsSync(paths.settings))
    return [
      { name: "home", state: "ok", fact: `${paths.root} has no Rumi home yet`, next: "rumi setup init makes one" },
    ];
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
