/** `rumi token`: the bearer token of the home on this machine. */
import type { Command } from "commander";
import { fail, homeToken, settingsOf, type CliContext } from "./context.ts";
import { printJson } from "./output.ts";

export function addTokenCommand(program: Command, context: CliContext): void {
  program
    .command("token")
    .description("Print the bearer token of the home")
    .option("--json", "print it as JSON")
    .action((options: { readonly json?: boolean }) => {
      const settings = settingsOf(context);
      const token = settings.ok ? homeToken(settings.value) : settings;
      if (!token.ok) return fail(context, token.error, options.json === true ? "json" : "words");
      if (options.json === true) printJson(context.terminal, { token: token.value });
      else context.terminal.out(`${token.value}\n`);
      return undefined;
    });
}
