/**
 * Rows of the live feed: what the change feed tells, as words and numbers for one line each.
 *
 * A row's key is the entry's place in its journal, so that the same entry from the API and from the stream is one
 * row. Each kind keeps its own newest rows: a flood of intents never pushes the fills out.
 */
import { intentBody, report, trade } from "../answers/answers.ts";
import { integer, object, optional, ShapeError, text } from "../answers/shape.ts";
import type { LiveEvent } from "./sse.ts";

export const FEED_KINDS = ["fill", "order", "intent", "bot", "run", "health", "safety"] as const;
export type FeedKind = (typeof FEED_KINDS)[number];

export type FeedRow = {
  readonly key: string;
  readonly kind: FeedKind;
  /** null for what concerns every bot. */
  readonly bot_id: string | null;
  /** Wall time, milliseconds. */
  readonly at_ms: number;
  readonly words: readonly string[];
  readonly tone: "good" | "bad" | "warn" | "info" | "dim" | "buy" | "sell";
};

/** Rows kept of each kind. */
export const ROWS_PER_KIND = 120;

const place = object({
  bot_id: optional(text),
  run_id: optional(text),
  seq: optional(integer),
});
const told = object({
  state: optional(text),
  reason: optional(text),
  what: optional(text),
  mode: optional(text),
  health_state: optional(text),
  reason_code: optional(text),
  verdict: optional(text),
});

/** Housekeeping of a run, many times a minute; nothing that a person acts on. */
const SILENT_STEPS: ReadonlySet<unknown> = new Set(["checkpoint", "input"]);

/** null for events that are no row of this feed; one that does not fit is shown as such, not dropped. */
export function feedRow(event: LiveEvent, now_ms: number): FeedRow | null {
  const kind = FEED_KINDS.find((one) => one === event.kind);
  if (kind === undefined || (kind === "run" && SILENT_STEPS.has(event.data["what"]))) return null;
  try {
    const { bot_id, run_id, seq } = place(event.data, kind);
    const key = run_id !== null && seq !== null ? `${run_id}/${seq}` : `feed/${event.id}`;
    return { key, kind, bot_id, at_ms: now_ms, ...wordsOf(kind, event.data) };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return {
      key: `feed/${event.id}`,
      kind,
      bot_id: null,
      at_ms: now_ms,
      words: [error.message],
      tone: "bad",
    };
  }
}

/** The newest rows of each kind, newest first. */
export function mergeRows(before: readonly FeedRow[], fresh: readonly FeedRow[]): readonly FeedRow[] {
  const seen = new Set<string>();
  const kept = new Map<FeedKind, number>();
  const merged = [...fresh, ...before].toSorted((a, b) => b.at_ms - a.at_ms);
  return merged.filter(({ key, kind }) => {
    const count = kept.get(kind) ?? 0;
    if (seen.has(key) || count >= ROWS_PER_KIND) return false;
    seen.add(key);
    kept.set(kind, count + 1);
    return true;
  });
}

type Words = Pick<FeedRow, "words" | "tone">;

function wordsOf(kind: FeedKind, data: Readonly<Record<string, unknown>>): Words {
  const of = told(data, kind);
  switch (kind) {
    case "fill":
      return fillWords(trade(data["fill"], "fill.fill"));
    case "order":
      return orderWords(report(data["report"], "order.report"));
    case "intent": {
      const body = intentBody(data["intent"], "intent.intent");
      return intentWords(body, of.verdict ?? "?", of.reason_code);
    }
    case "bot":
      return { words: some(of.state, of.reason), tone: of.state === "ERROR" ? "bad" : "info" };
    case "run":
      return { words: some(of.what), tone: "dim" };
    case "health": {
      const tone = of.health_state === "healthy" ? "good" : "warn";
      return {
        words: some(of.health_state, of.reason_code),
        tone: of.health_state === "halted" ? "bad" : tone,
      };
    }
    case "safety":
      return { words: some(of.mode, of.reason), tone: of.mode === "NORMAL" ? "good" : "warn" };
  }
}

export function fillWords({ side, quantity, price, instrument_id, liquidity }: ReturnType<typeof trade>): Words {
  return { words: some(side, quantity, instrument_id, `@ ${price}`, liquidity), tone: side };
}

export function orderWords(body: ReturnType<typeof report>): Words {
  const left = body.remaining === null ? null : `remaining ${body.remaining}`;
  return {
    words: some(body.report, body.side, body.instrument_id, left, body.reason_code),
    tone: body.report === "rejected" ? "bad" : "info",
  };
}

export function intentWords(body: ReturnType<typeof intentBody>, verdict: string, reason_code: string | null): Words {
  const words = some(...wishWords(body), verdict, reason_code);
  return { words, tone: verdict === "discarded" ? "warn" : "dim" };
}

/** What an intent wishes for, without what became of it. */
export function wishWords(body: ReturnType<typeof intentBody>): readonly string[] {
  const isMarket = body.order_type === "market";
  const price = isMarket ? "market" : body.price === null ? null : `@ ${body.price}`;
  const target = body.target === null ? null : `→ ${body.target}`;
  return some(body.kind, body.side, body.quantity, target, body.instrument_id, price, body.code, body.reason);
}

function some(...words: readonly (string | null)[]): readonly string[] {
  return words.filter((word): word is string => word !== null && word !== "");
}
