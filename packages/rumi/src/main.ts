/** The command line: `rumi NOUN VERB`. Hand-made verbs first, then one for every operation and query. */
import { Command, CommanderError } from "commander";
import { cliCommands } from "@rumi/operations";
import { addAuditCommands } from "./cli/audit.ts";
import { addBotCommands } from "./cli/bots.ts";
import { addBacktestCommand } from "./cli/backtest.ts";
import { homeToken, fail, settingsOf, type CliContext } from "./cli/context.ts";
import { addDemoCommand } from "./cli/demo.ts";
import { addDerivedCommands } from "./cli/derived.ts";
import { addDoctorCommand } from "./cli/doctor.ts";
import { EXIT } from "./cli/exit-codes.ts";
import { printJson, processTerminal } from "./cli/output.ts";
import { addRecordingCommands } from "./cli/recordings.ts";
import { addStartCommand } from "./cli/start.ts";
import { describedOperations } from "./program/describe.ts";
import { installation } from "./program/installation.ts";

const place = installation(new URL(import.meta.url));
const context: CliContext = { terminal: processTerminal(process.env), environment: process.env, exit_code: EXIT.ok };

const program = new Command("rumi")
  .description("An operating system for bots that must not go wrong.\nExit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the program does not answer.")
  .version(place.version)
  .showHelpAfterError("(--help shows what there is)")
  .exitOverride();

addStartCommand(program, context, place);
addDemoCommand(program, context, place);
addTokenCommand();
addBotCommands(program, context);
addRecordingCommands(program, context);
addAuditCommands(program, context);
addBacktestCommand(program, context, place);
addDoctorCommand(program, context, place);
addDerivedCommands(program, cliCommands(describedOperations()), context);

try {
  await program.parseAsync(process.argv);
} catch (problem) {
  if (!(problem instanceof CommanderError)) throw problem;
  // Help and version end with 0; everything else that commander refuses is wrong usage.
  context.exit_code = problem.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
process.exitCode = context.exit_code;

function addTokenCommand(): void {
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
