/** `rumi inspect BOT[/INSTANCE]`: a bounded look into a living instance, once or followed; never a secret (M-14.2). */
import type { Command } from "commander";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { printJson, printObject, printTable } from "./output.ts";

const FOLLOW_MS = 1_000;

type Row = Readonly<Record<string, unknown>>;
type Looked = Row & {
  readonly live: { readonly sampled_events: readonly (Row & { readonly cursor: number })[] } | null;
  readonly recent_intents: readonly Row[];
  readonly discarded: readonly Row[];
  readonly faults: readonly Row[];
};

export function addInspectCommand(program: Command, context: CliContext): void {
  program
    .command("inspect")
    .description("Look into a living instance: sampled events, intents, state keys, health, limits; never a secret")
    .argument("<instance>", "a bot's id, or BOT/INSTANCE")
    .option("--follow", "look again every second until interrupted; one line of JSON each with --json")
    .option("--json", "print the answer as JSON")
    .action(async (instance: string, options: { readonly follow?: boolean; readonly json?: boolean }) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, style);
      const [bot = "", of] = instance.split("/");
      const query = of === undefined ? "" : `?${new URLSearchParams({ instance_id: of }).toString()}`;
      for (;;) {
        const path = `/api/instances/${encodeURIComponent(bot)}/inspect${query}`;
        const looked = await client.value.data<Looked>({ method: "GET", path });
        if (!looked.ok) return failFromApi(context, looked.error, style);
        if (style === "words") tell(context, looked.value);
        else if (options.follow === true) context.terminal.out(`${JSON.stringify(looked.value)}\n`);
        else printJson(context.terminal, looked.value);
        if (options.follow !== true) return undefined;
        await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS));
      }
    });
}

function tell({ terminal }: CliContext, { live, recent_intents, discarded, faults, ...facts }: Looked): void {
  const { counters: _counters, positions: _positions, ...plain } = facts;
  printObject(terminal, plain);
  if (live === null) terminal.out("live: nobody runs it, or its runner did not answer in time\n");
  else {
    const { sampled_events, ...inside } = live;
    printObject(terminal, inside);
    terminal.out("\nsampled events\n");
    printTable(
      terminal,
      ["cursor", "kind", "instrument_id", "price", "quantity", "quality", "trace_id"],
      sampled_events,
    );
  }
  terminal.out("\nrecent intents\n");
  printTable(terminal, ["seq", "event_time", "verdict", "reason_code", "client_order_id", "trace_id"], recent_intents);
  for (const [title, rows] of [
    ["discarded", discarded],
    ["faults", faults],
  ] as const) {
    if (rows.length === 0) continue;
    terminal.out(`\n${title}\n`);
    printTable(terminal, ["reason", "count", "runbook"], rows);
  }
}
