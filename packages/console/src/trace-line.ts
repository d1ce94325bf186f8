/** Everything that belongs to one id as one line of time: who commanded, what ran, what it wished, what became of it. */
import type { Trace } from "./answers/runs.ts";

export type Moment = {
  readonly key: string;
  readonly at_ms: number;
  readonly kind: "command" | "run" | "event" | "intent" | "order" | "fill";
  readonly words: string;
  /** The entry of the log that says so; null for what only journals keep. */
  readonly log_index: number | null;
  readonly isBad: boolean;
};

type Row = Readonly<Record<string, unknown>>;

export function momentsOf(trace: Trace): readonly Moment[] {
  const rows = (kind: Moment["kind"], all: readonly Row[], words: (row: Row) => string, bad: (row: Row) => boolean) =>
    all.flatMap((row, at): readonly Moment[] => {
      const at_ms = timeOf(row);
      if (at_ms === null) return [];
      return [{ key: `${kind} ${at}`, at_ms, kind, words: words(row), log_index: null, isBad: bad(row) }];
    });
  const moments: readonly Moment[] = [
    ...rows(
      "command",
      trace.commands,
      (row) => said(`${word(row, "from_state")} → ${word(row, "to_state")}`, word(row, "actor"), word(row, "reason")),
      (row) => /refus|reject|denied/.test(word(row, "status")),
    ),
    ...rows(
      "run",
      trace.runs,
      (row) => said(word(row, "mode"), word(row, "bot_id"), word(row, "run_id")),
      () => false,
    ),
    ...rows(
      "intent",
      trace.intents,
      (row) => said(inside(row, "intent"), word(row, "verdict"), word(row, "reason_code")),
      (row) => row["verdict"] === "discarded",
    ),
    ...rows(
      "order",
      trace.orders,
      (row) => said(word(row, "status"), inside(row, "report")),
      (row) => row["status"] === "rejected",
    ),
    ...rows(
      "fill",
      trace.fills,
      (row) => inside(row, "fill"),
      () => false,
    ),
    ...trace.events.map(({ event_id, log_index, action, actor, occurred_at, outcome }): Moment => ({
      key: event_id,
      at_ms: Date.parse(occurred_at),
      kind: "event",
      words: said(action, actor),
      log_index,
      isBad: outcome !== null && outcome !== "SUCCESS",
    })),
  ];
  return moments.toSorted((a, b) => a.at_ms - b.at_ms || (a.log_index ?? 0) - (b.log_index ?? 0));
}

/** Journals count microseconds, and so do rows of the store. */
function timeOf(row: Row): number | null {
  for (const name of ["at_us", "created_at", "started_at"]) {
    const at = row[name];
    if (typeof at === "number") return at / 1_000;
    if (typeof at === "string") return Date.parse(at);
  }
  return null;
}

function word(row: Row, name: string): string {
  const value = row[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** The words of an intent, a report or a fill that a person reads first. */
function inside(row: Row, name: string): string {
  const body = row[name];
  if (typeof body !== "object" || body === null) return "";
  const of = body as Row;
  return said(
    ...["kind", "report", "side", "quantity", "instrument_id", "order_type", "price", "reason_code"].map((one) =>
      word(of, one),
    ),
  );
}

const said = (...words: readonly string[]): string => words.filter((one) => one !== "").join(" ");
