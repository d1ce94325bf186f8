/** What is wrong, why, and what to do: `rumi triage BOT`, and below a trace. */
import type { Command } from "commander";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { printJson, type Terminal } from "./output.ts";

export type Finding = {
  readonly subject: { readonly kind: string; readonly id: string };
  readonly class: string;
  readonly error_code: string | null;
  readonly reason_code: string | null;
  readonly probable_cause: string;
  readonly next_step: string;
  readonly runbook: string | null;
  readonly since: string | null;
};
type Triage = {
  readonly state: string;
  readonly findings: readonly Finding[];
  readonly bot_runbook: string | null;
};

export function addTriageCommand(program: Command, context: CliContext): void {
  program
    .command("triage")
    .description("What is wrong with a bot: class, probable cause, next step, runbook")
    .argument("<bot_id>")
    .option("--json", "print the findings as JSON")
    .action(async (bot_id: string, options: { readonly json?: boolean }) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, style);
      const bot = await client.value.data<{ readonly state: string; readonly triage: Triage }>({
        method: "GET",
        path: `/api/bots/${encodeURIComponent(bot_id)}`,
      });
      if (!bot.ok) return failFromApi(context, bot.error, style);
      const { state, triage } = bot.value;
      if (style === "json") printJson(context.terminal, { bot_id, state, triage });
      else {
        context.terminal.out(`${bot_id} is ${state}: ${triage.state}\n`);
        printFindings(context.terminal, triage.findings);
        if (triage.findings.length > 0 && triage.bot_runbook !== null)
          context.terminal.out(`\nThe runbook of ${bot_id}: ${triage.bot_runbook}\n`);
      }
      return undefined;
    });
}

export function printFindings(terminal: Terminal, findings: readonly Finding[]): void {
  for (const { subject, class: kind, error_code, reason_code, ...rest } of findings) {
    const codes = [reason_code, error_code].filter((code) => code !== null).join(" ");
    terminal.out(
      `\n${kind}  ${subject.kind} ${subject.id}  ${codes}${rest.since === null ? "" : `  since ${rest.since}`}\n`,
    );
    terminal.out(`  ${rest.probable_cause}\n  → ${rest.next_step}\n`);
    if (rest.runbook !== null) terminal.out(`  ${rest.runbook}\n`);
  }
}
