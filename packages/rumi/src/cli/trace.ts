/** `rumi trace ID`: the chain of any id as one line per record, from market event to fill and its leaf in the audit log. */
import type { Command } from "commander";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { printFindings, type Finding } from "./findings.ts";
import { printJson, printTable } from "./output.ts";

type Row = Readonly<Record<string, unknown>>;
type Chain = Readonly<
  Record<"commands" | "runs" | "events" | "market_events" | "intents" | "orders" | "fills" | "triage", readonly Row[]>
>;

const COLUMNS = ["record", "run_id", "trace_id", "schema_version", "place", "what", "leaf"];

export function addTraceCommand(program: Command, context: CliContext): void {
  program
    .command("trace")
    .description("Follow any id (command, run, trace, intent, order) from market event to fill, and into the audit log")
    .argument("<id>")
    .option("--json", "print the chain as JSON")
    .action(async (id: string, options: { readonly json?: boolean }) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, style);
      const chain = await client.value.data<Chain>({ method: "GET", path: `/api/trace/${encodeURIComponent(id)}` });
      if (!chain.ok) return failFromApi(context, chain.error, style);
      if (style === "json") printJson(context.terminal, chain.value);
      else {
        printTable(context.terminal, COLUMNS, linesOf(chain.value));
        printFindings(context.terminal, chain.value.triage as readonly Finding[]);
      }
      return undefined;
    });
}

function linesOf(chain: Chain): readonly Row[] {
  const leaf = (row: Row): unknown => (row["leaf"] as Row | null | undefined)?.["log_index"];
  const line = (record: string, row: Row, place: unknown, what: unknown): Row => ({
    ...row,
    record,
    place,
    what,
    leaf: leaf(row),
  });
  return [
    ...chain.commands.map((row) => line("command", row, row["command_id"], row["state"])),
    ...chain.market_events.map((row) => line("market event", row, `row ${String(row["cursor"])}`, undefined)),
    ...chain.intents.map((row) => line("intent", row, `seq ${String(row["seq"])}`, row["verdict"])),
    ...chain.orders.map((row) => line("order", row, row["client_order_id"], row["status"])),
    ...chain.fills.map((row) => line("fill", row, `seq ${String(row["seq"])}`, (row["fill"] as Row)["price"])),
    ...chain.events.map((row) => ({ ...line("event", row, row["event_id"], row["action"]), leaf: row["log_index"] })),
  ];
}
