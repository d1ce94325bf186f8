/**
 * `rumi NOUN VERB` for every operation and query, made from their declarations: arguments from the path, flags
 * from the input. Nothing here knows what a verb means; the server decides.
 */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import type { CliCommand, CliFlag } from "@rumi/operations";
import { confirmed } from "./confirm.ts";
import { newCommandId, type ApiRequest } from "./client.ts";
import { tableOf } from "./columns.ts";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson, printObject, printTable } from "./output.ts";

/** For answers that wait for their effect. */
const EFFECT_TIMEOUT_MS = 300_000;

export function addDerivedCommands(program: Command, commands: readonly CliCommand[], context: CliContext): void {
  for (const command of commands) {
    const noun =
      program.commands.find((known) => known.name() === command.noun) ??
      program.command(command.noun).description(`Commands about ${command.noun}.`);
    if (noun.commands.some((known) => known.name() === command.verb)) continue; // a hand-made command of that name knows better
    addCommand(noun, command, context);
  }
}

function addCommand(noun: Command, command: CliCommand, context: CliContext): void {
  const made = noun.command(command.verb).description(command.summary);
  for (const argument of command.arguments) made.argument(`<${argument.field}>`, argument.description);
  for (const flag of command.flags) made.option(optionForm(flag), describe(flag, command));
  if (command.uploads !== undefined) made.requiredOption("--file <path>", "the file to send (required)");
  made.option("--json", "print the answer as JSON");
  if (command.method !== "GET")
    made.option("--confirm <phrase>", "the phrase that a dangerous operation asks for, instead of typing it");
  made.action(async (...given: unknown[]) => {
    const positional = given.slice(0, command.arguments.length) as string[];
    const options = given[command.arguments.length] as Readonly<Record<string, unknown>>;
    const style: OutputStyle = options["json"] === true ? "json" : "words";
    const body = fieldsOf(command, options);
    if (typeof body === "string") {
      context.terminal.err(`${body}\n`);
      context.exit_code = EXIT.usage;
      return;
    }
    const client = clientOf(context);
    if (!client.ok) {
      fail(context, client.error, style);
      return;
    }
    const path = command.arguments.reduce(
      (text, argument, at) => text.replace(`{${argument.field}}`, encodeURIComponent(positional[at] ?? "")),
      command.path,
    );
    const request = requestOf(command, path, body, options["file"]);
    if (typeof request === "string") {
      context.terminal.err(`${request}\n`);
      context.exit_code = EXIT.usage;
      return;
    }
    const asked = await client.value.request(request);
    const answer = await confirmed(context, client.value, asked, {
      reason: typeof body["reason"] === "string" ? body["reason"] : "confirmed at the command line",
      ...(typeof options["confirm"] === "string" ? { phrase: options["confirm"] } : {}),
    });
    if (!answer.ok) {
      failFromApi(context, answer.error, style);
      return;
    }
    if (style === "json") printJson(context.terminal, answer.value.body);
    else printAnswer(context, answer.value.body);
  });
}

/** What is asked of the API, or what is wrong with the file that it should bring. */
function requestOf(
  { method, uploads, waits }: CliCommand,
  path: string,
  fields: Readonly<Record<string, unknown>>,
  file: unknown,
): ApiRequest | string {
  if (method === "GET") return { method, path: `${path}${queryText(fields)}` };
  if (uploads === undefined) return { method, path, body: fields, ...(waits ? { timeout_ms: EFFECT_TIMEOUT_MS } : {}) };
  try {
    const bytes = new Uint8Array(readFileSync(String(file)));
    const sent = { bytes, media_type: uploads };
    return { method, path: `${path}${queryText(fields)}`, file: sent, timeout_ms: EFFECT_TIMEOUT_MS };
  } catch (problem) {
    return `--file: ${problem instanceof Error ? problem.message : String(problem)}`;
  }
}

/** Shows the first list of an answer as a table, anything else as lines. */
function printAnswer(context: CliContext, body: Readonly<Record<string, unknown>>): void {
  const data = body["success"] === true && "data" in body ? body["data"] : body;
  const lists =
    typeof data === "object" && data !== null ? Object.entries(data).filter(([, value]) => Array.isArray(value)) : [];
  const [first] = lists;
  if (lists.length !== 1 || first === undefined) {
    printObject(context.terminal, data);
    return;
  }
  const rows = (first[1] as readonly unknown[]).map((row) =>
    typeof row === "object" && row !== null ? (row as Record<string, unknown>) : { value: row },
  );
  const table = tableOf(first[0], rows);
  printTable(context.terminal, table.columns, table.rows);
  const rest = Object.entries(data as object).filter(
    ([key, value]) => key !== first[0] && value !== null && value !== undefined,
  );
  if (rest.length > 0) printObject(context.terminal, Object.fromEntries(rest));
}

function optionForm(flag: CliFlag): string {
  switch (flag.type) {
    case "boolean":
      return `${flag.flag} [true|false]`;
    case "string[]":
      return `${flag.flag} <items...>`;
    case "json":
      return `${flag.flag} <json>`;
    case "string":
    case "integer":
    case "number":
      return `${flag.flag} <${flag.choices === undefined ? flag.type : flag.choices.join("|")}>`;
  }
}

function describe(flag: CliFlag, command: CliCommand): string {
  const minted = command.mintsCommandId && flag.field === "command_id";
  const need = flag.required && !minted ? " (required)" : "";
  const fallback = flag.default === undefined ? "" : ` (default ${JSON.stringify(flag.default)})`;
  const form =
    flag.type === "json" ? "; JSON, or @FILE" : flag.secret === true ? "; - reads it from standard input" : "";
  return `${flag.description}${form}${need}${fallback}`;
}

/** The request's fields from the flags, or what is wrong with them. */
function fieldsOf(
  command: CliCommand,
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | string {
  const body: Record<string, unknown> = {};
  for (const flag of command.flags) {
    const given = options[camelCase(flag.field)];
    if (given === undefined) {
      if (command.mintsCommandId && flag.field === "command_id") body[flag.field] = newCommandId();
      else if (flag.required)
        return `${flag.flag} is required; 'rumi ${command.noun} ${command.verb} --help' shows every flag`;
      continue;
    }
    const value = valueOf(flag, given);
    if (typeof value === "string") return value;
    body[flag.field] = value.value;
  }
  return body;
}

function valueOf(flag: CliFlag, given: unknown): { readonly value: unknown } | string {
  switch (flag.type) {
    case "boolean":
      if (given === true || given === "true") return { value: true };
      return given === "false" ? { value: false } : `${flag.flag} is true or false`;
    case "integer":
    case "number": {
      const value = Number(given);
      const isFine =
        String(given).trim() !== "" && (flag.type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value));
      return isFine ? { value } : `${flag.flag} must be ${flag.type === "integer" ? "a whole number" : "a number"}`;
    }
    case "json":
      return jsonValue(flag, String(given));
    case "string":
    case "string[]":
      // Without the line end that a shell or an editor adds.
      return { value: flag.secret === true && given === "-" ? readFileSync(0, "utf8").replace(/\r?\n$/, "") : given };
  }
}

function jsonValue(flag: CliFlag, text: string): { readonly value: unknown } | string {
  try {
    return { value: JSON.parse(text.startsWith("@") ? readFileSync(text.slice(1), "utf8") : text) as unknown };
  } catch (problem) {
    return `${flag.flag}: ${problem instanceof Error ? problem.message : String(problem)}`;
  }
}

function queryText(fields: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(fields).map(([name, value]): [string, string] => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  return entries.length === 0 ? "" : `?${new URLSearchParams(entries).toString()}`;
}

function camelCase(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
