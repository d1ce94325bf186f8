/**
 * `rumi setup`: from a machine to a home that starts, and back to one after a bad end; a menu where a person sits, a page in a
 * browser with --web.
 *
 * The Operations Guide's `check`, `init`, `doctor`, `recover` and `run`, with the work in `../setup`.
 */
import type { Command } from "commander";
import { failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { Installation } from "../program/installation.ts";
import type { RunningProgram } from "../program/parts.ts";
import { hasFailed, type Outcome, setupVerbs, type SetupVerb } from "../setup/verbs.ts";
import { fail, settingsOf, type CliContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printFindings, printJson } from "./output.ts";
import { endSignal, startHere, startUntilSignal } from "./start.ts";

type Options = { readonly json?: boolean; readonly defaultPack?: boolean };
type SetupOptions = { readonly web?: boolean; readonly port?: string };

export function addSetupCommand(program: Command, context: CliContext, place: Installation): void {
  const verbs = setupVerbs(context, place);
  const setup = program
    .command("setup")
    .description("Set this machine and its home up; without a verb a menu")
    .option("--web", "the same in a browser, on loopback")
    .option("--port <n>", "of the page (default: 8080)")
    .action(async ({ web, port }: SetupOptions) => {
      if (web === true) return serve(context, place, verbs, port);
      return port === undefined
        ? menu(context, place, setup, verbs)
        : setup.error("--port goes with --web", { exitCode: EXIT.usage });
    });
  for (const { name, description, run } of verbs) {
    const verb = setup
      .command(name)
      .description(description.en)
      .option("--json", "print what was found or done as JSON");
    if (name === "init") verb.option("--default-pack", "also put the default pack into ecosystem/");
    verb.action(async ({ json, defaultPack }: Options) =>
      tell(context, await run({ default_pack: defaultPack === true }), json === true),
    );
  }
  setup
    .command("run")
    .description("Start the program, until Ctrl-C")
    .action(async () => startUntilSignal(context, place, {}));
}

function tell(context: CliContext, outcome: Result<Outcome, Failure>, isJson: boolean): void {
  if (!outcome.ok) return fail(context, outcome.error, isJson ? "json" : "words");
  if (isJson) printJson(context.terminal, outcome.value);
  else printFindings(context.terminal, "checks" in outcome.value ? outcome.value.checks : outcome.value.steps);
  if (hasFailed(outcome.value)) context.exit_code = EXIT.failed;
  return undefined;
}

async function menu(
  context: CliContext,
  place: Installation,
  setup: Command,
  verbs: readonly SetupVerb[],
): Promise<void> {
  const { terminal } = context;
  const { ask, language } = terminal;
  if (ask === undefined) return setup.help({ error: true });
  const run = {
    name: "run",
    description: { en: "Start the program, until Ctrl-C", ja: "プログラムを起動する(Ctrl-C まで)" },
  };
  const lines = [...verbs, run].map(
    ({ name, description }, at) => `  ${at + 1}  ${name.padEnd(9)}${description[language]}\n`,
  );
  for (;;) {
    terminal.err(lines.join(""));
    const said = (
      await ask(language === "ja" ? "  番号か名前 (空で終了): " : "  number or name (empty ends): ")
    ).trim();
    if (said === "") return undefined;
    if (said === "run" || said === String(lines.length)) return startUntilSignal(context, place, {});
    const chosen = verbs.find(({ name }, at) => said === name || said === String(at + 1));
    if (chosen === undefined)
      terminal.err(language === "ja" ? `  ${said} はありません\n` : `  ${said} is none of them\n`);
    else tell(context, await chosen.run({ default_pack: false }), false);
  }
}

async function serve(
  context: CliContext,
  place: Installation,
  verbs: readonly SetupVerb[],
  port: string | undefined,
): Promise<void> {
  const { serveSetup, WEB_PORT } = await import("../setup/web.ts");
  const wanted = port === undefined ? WEB_PORT : /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (!(wanted <= 65_535))
    return fail(
      context,
      failure("RUMI-VAL-002", { field: "port", problem: "must be a whole number up to 65535" }),
      "words",
    );
  let running: RunningProgram | undefined;
  const start = async (): Promise<Result<{ readonly url: string }, Failure>> => {
    const settings = settingsOf(context);
    if (!settings.ok) return settings;
    if (running === undefined) {
      const sink = (line: string): void => void process.stderr.write(`${line}\n`);
      const started = await startHere(settings.value, place, { headless: false, sink });
      if (!started.ok) return started;
      running = started.value;
    }
    return ok({ url: `${running.url}/#token=${running.token}` });
  };
  const site = await serveSetup({ port: wanted, language: context.terminal.language, verbs, start });
  if (!site.ok) return fail(context, site.error, "words");
  context.terminal.out(`Open ${site.value.url}   (Ctrl-C ends it, and the program if it was started here)\n`);
  const signal = await endSignal();
  await site.value.close();
  await running?.stop(signal);
  return undefined;
}
