/** `rumi start`: the program in the foreground until a signal ends it in order. */
import { createScrubber, systemClock, systemRandom, type Failure, type Result } from "@rumi/kernel";
import type { Command } from "commander";
import type { Settings } from "../home/settings.ts";
import type { Installation } from "../program/installation.ts";
import type { RunningProgram } from "../program/parts.ts";
import { fail, settingsOf, type CliContext } from "./context.ts";

type Options = { readonly headless?: boolean; readonly permissive?: boolean };

/** A second signal this soon is the same Ctrl-C, forwarded twice. */
const SAME_SIGNAL_MS = 1_500;

export function addStartCommand(program: Command, context: CliContext, installation: Installation): void {
  program
    .command("start")
    .description("Start the program in the home that RUMI_HOME names, until Ctrl-C")
    .option("--headless", "serve the API without the console")
    .option("--permissive", "warn where strict mode would refuse (RUMI_SECURITY_MODE=permissive)")
    .action(async (options: Options) => startUntilSignal(context, installation, options));
}

/** Started anew as often as a command asks for a restart; a signal ends it. */
export async function startUntilSignal(
  context: CliContext,
  installation: Installation,
  options: Options,
): Promise<void> {
  const settings = settingsOf(context);
  if (!settings.ok) return fail(context, settings.error, "words");
  const asked: Settings =
    options.permissive === true ? { ...settings.value, security_mode: "permissive" } : settings.value;
  const headless = options.headless === true;
  let ended: Promise<string> | undefined;
  for (;;) {
    const started = await startHere(asked, installation, {
      headless,
      sink: (line) => process.stderr.write(`${line}\n`),
    });
    if (!started.ok) return fail(context, started.error, "words");
    announce(context, started.value, asked, installation, headless);
    ended ??= endSignal(); // until it is ready a signal ends the process as it stands
    const signal = await Promise.race([ended, started.value.restartAsked.then(() => RESTART)]);
    await started.value.stop(signal);
    if (signal !== RESTART) return undefined;
  }
}

/** What the log has as the signal of a program that goes on. */
const RESTART = "restart";

function announce(
  { terminal }: CliContext,
  { url, token, paths, ready_ms }: RunningProgram,
  { environment }: Settings,
  { version }: Installation,
  headless: boolean,
): void {
  terminal.out(
    `Rumi ${version} is ready after ${ready_ms} ms\n  home     ${paths.root} (${environment})\n  api      ${url}\n`,
  );
  if (!headless) terminal.out(`  console  ${url}/#token=${token}\n`);
  terminal.out(`  token    ${token}\n`);
}

/** Loads the program only when it is to run: most verbs never need it. */
export async function startHere(
  settings: Settings,
  installation: Installation,
  options: { readonly headless: boolean; readonly sink: (line: string) => void },
): Promise<Result<RunningProgram, Failure>> {
  const { createLogger } = await import("@rumi/operations");
  const { startProgram } = await import("../program/start.ts");
  const clock = systemClock();
  const scrubber = createScrubber();
  const logger = createLogger({
    level: settings.log_level,
    format: settings.log_format,
    clock,
    sink: options.sink,
    redact: scrubber.text,
  });
  const random = systemRandom();
  return startProgram({ settings, installation, clock, random, logger, scrubber, headless: options.headless });
}

/** The first signal that asks for the end; a later, second one ends the process at once. */
export function endSignal(): Promise<string> {
  return new Promise((resolve) => {
    let first = 0;
    const onSignal = (signal: string): void => {
      const now = performance.now();
      if (first === 0) {
        first = now;
        resolve(signal);
      } else if (now - first > SAME_SIGNAL_MS) {
        process.stderr.write("stopped at once; the next start will find an unclean end\n");
        process.exit(1);
      }
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => onSignal(signal));
  });
}
