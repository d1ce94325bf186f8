/** Short verbs for what operators do most: they read the bot's state and send the command for the transition. */
import type { Command } from "commander";
import { confirmed } from "./confirm.ts";
import { showBot, sendTransition, type BotView } from "./transition.ts";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson } from "./output.ts";
import { failure } from "@rumi/kernel";

const VERBS = {
  start: { to: () => "RUNNING_PAPER", summary: "Start a bot in paper mode (or --mode shadow, or live on a simulator)" },
  pause: { to: () => "PAUSED", summary: "Pause a running bot; it keeps its state" },
  stop: { to: () => "STOPPING", summary: "Stop a bot; it is IDLE once its stop is proven" },
  release: { to: () => "IDLE", summary: "Release a bot from quarantine; dangerous, so it is confirmed" },
  quarantine: { to: () => "QUARANTINED", summary: "Isolate a bot; it never returns by itself" },
} as const;

const STATES: Readonly<Record<string, string>> = {
  paper: "RUNNING_PAPER",
  shadow: "RUNNING_SHADOW",
  live: "RUNNING_LIVE",
};

type Options = { readonly reason: string; readonly mode?: string; readonly confirm?: string; readonly json?: boolean };

export function addBotCommands(program: Command, context: CliContext): void {
  const bots = program.command("bots").description("Commands about bots.");
  for (const [verb, { to, summary }] of Object.entries(VERBS)) {
    const made = bots
      .command(verb)
      .description(summary)
      .argument("<bot_id>")
      .requiredOption("--reason <text>", "why; it is written into the audit log")
      .option("--confirm <phrase>", "the phrase that a dangerous operation asks for, instead of typing it")
      .option("--json", "print the answer as JSON");
    if (verb === "start")
      made.option(
        "--mode <paper|shadow|live>",
        "paper trades on the simulated exchange, shadow only records intents, live needs a venue simulator",
        "paper",
      );
    made.action(async (bot_id: string, options: Options) => {
      const asked = options.mode === undefined ? to() : STATES[options.mode];
      if (asked === undefined) {
        context.terminal.err("--mode is paper, shadow or live\n");
        context.exit_code = EXIT.usage;
        return;
      }
      await transition(context, bot_id, asked, options);
    });
  }
}

async function transition(context: CliContext, bot_id: string, to: string, options: Options): Promise<void> {
  const style: OutputStyle = options.json === true ? "json" : "words";
  const client = clientOf(context);
  if (!client.ok) return fail(context, client.error, style);
  const bot: BotView | undefined = await showBot(client.value, bot_id);
  if (bot === undefined) {
    const asked = await client.value.data({ method: "GET", path: `/api/bots/${encodeURIComponent(bot_id)}` });
    return asked.ok
      ? fail(context, failure("RUMI-NET-001", { url: client.value.base_url }), style)
      : failFromApi(context, asked.error, style);
  }
  const { reason, confirm: phrase } = options;
  const asked = await sendTransition(client.value, bot, to, reason);
  const sent = await confirmed(context, client.value, asked, { reason, ...(phrase === undefined ? {} : { phrase }) });
  if (!sent.ok) return failFromApi(context, sent.error, style);
  if (style === "json") printJson(context.terminal, sent.value.body["data"]);
  else context.terminal.out(`${bot_id}: ${bot.state} → ${to}\n`);
}
