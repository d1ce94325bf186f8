/** `rumi doctor`: what works on this machine and in this home, and what to do about what does not. */
import type { Command } from "commander";
import type { Installation } from "../program/installation.ts";
import { doctorChecks } from "../setup/checks.ts";
import { fail, settingsOf, type CliContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printFindings, printJson } from "./output.ts";

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
      else printFindings(context.terminal, checks);
      if (checks.some((check) => check.state === "failed")) context.exit_code = EXIT.failed;
      return undefined;
    });
}
