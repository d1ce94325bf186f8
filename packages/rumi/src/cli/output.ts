/** What the command line writes: one JSON document with --json, otherwise words and aligned tables. */
import { createInterface } from "node:readline/promises";
import { failureText, type Failure, type Language } from "@rumi/kernel";

export interface Terminal {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person watches: progress bars are drawn only then. */
  readonly is_interactive: boolean;
  /** Asks the person at the keyboard; absent where there is none. */
  readonly ask?: (question: string) => Promise<string>;
  readonly language: Language;
}

export function processTerminal(environment: Readonly<Record<string, string | undefined>>): Terminal {
  const locale = environment["LC_ALL"] ?? environment["LC_MESSAGES"] ?? environment["LANG"] ?? "";
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    is_interactive: process.stderr.isTTY,
    ...(process.stdin.isTTY ? { ask: askOnce } : {}),
    language: locale.startsWith("ja") ? "ja" : "en",
  };
}

async function askOnce(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, null, 2)}\n`);
}

export function printFailure(terminal: Terminal, of: Failure, style: "json" | "words"): void {
  const { text, next } = failureText(of, terminal.language);
  if (style === "json") {
    const { code, reasonCode, details } = of;
    printJson(terminal, {
      success: false,
      error: text,
      error_code: code,
      ...(reasonCode === undefined ? {} : { reason_code: reasonCode }),
      suggestion: next,
      ...(details === undefined ? {} : { details }),
    });
    return;
  }
  terminal.err(`${of.code}${of.reasonCode === undefined ? "" : ` ${of.reasonCode}`}: ${text}\n  → ${next}\n`);
}

/** Rows as an aligned table; a column is shown only when some row has it. */
export function printTable(
  terminal: Terminal,
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
): void {
  const shown = columns.filter((column) => rows.some((row) => row[column] !== undefined && row[column] !== null));
  const cells = rows.map((row) => shown.map((column) => cellText(row[column])));
  const widths = shown.map((column, at) => Math.max(column.length, ...cells.map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd();
  terminal.out(`${[line(shown.map((column) => column.toUpperCase())), ...cells.map(line)].join("\n")}\n`);
  if (rows.length === 0) terminal.out("(none)\n");
}

/** What was looked at or done: state, name and fact on a line, and below it what to do where something is. */
export function printFindings(
  terminal: Terminal,
  findings: readonly {
    readonly name: string;
    readonly state: string;
    readonly fact: string;
    readonly next: string | null;
  }[],
): void {
  for (const { name, state, fact, next } of findings)
    terminal.out(
      `${state.padEnd(8)} ${name.padEnd(12)} ${fact}${next === null ? "" : `\n${" ".repeat(22)}→ ${next}`}\n`,
    );
}

/** An object as indented `key: value` lines. */
export function printObject(terminal: Terminal, value: unknown, indent = 0): void {
  const pad = " ".repeat(indent);
  if (typeof value !== "object" || value === null) {
    terminal.out(`${pad}${cellText(value)}\n`);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === "object" && item !== null && Object.keys(item).length > 0) {
      terminal.out(`${pad}${key}:\n`);
      printObject(terminal, item, indent + 2);
    } else {
      terminal.out(`${pad}${key}: ${cellText(item)}\n`);
    }
  }
}

export type Progress = {
  readonly update: (done: number, total: number) => void;
  readonly end: () => void;
};

/** A bar on standard error for work that takes a while; silent where nobody watches. */
export function progressBar(terminal: Terminal, label: string): Progress {
  if (!terminal.is_interactive) return { update: () => {}, end: () => {} };
  let lastDrawn = -1;
  return {
    update: (done, total) => {
      const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
      if (percent === lastDrawn) return;
      lastDrawn = percent;
      const filled = Math.floor(percent / 4);
      terminal.err(`\r${label} [${"#".repeat(filled)}${"-".repeat(25 - filled)}] ${percent} %`);
    },
    end: () => terminal.err("\r\u001b[2K"),
  };
}

function cellText(value: unknown): string {
  if (value === undefined || value === null) return "–";
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}
