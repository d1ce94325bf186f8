/**
 * The newest intents of one bot, from the API and from the stream: each once, newest first, and never more than a few.
 *
 * What does not fit is shown as such (`words` says why), so that nothing that happened is silently missing. Pure.
 */
import { toldIntent, tracedIntent, type botIntentsPage } from "../answers/bot-page.ts";
import { ShapeError } from "../answers/shape.ts";
import { wishWords } from "./feed-rows.ts";
import type { LiveEvent } from "./sse.ts";

export type IntentNote = {
  readonly key: string;
  readonly seq: number;
  /** Wall time, milliseconds. */
  readonly at_ms: number;
  readonly words: readonly string[];
  readonly verdict: string;
  readonly reason_code: string | null;
  readonly trace_id: string | null;
};

export const INTENTS_KEPT = 100;

/** Null for what is no intent of this bot. */
export function noteOf(event: LiveEvent, bot_id: string, now_ms: number): IntentNote | null {
  if (event.kind !== "intent" || event.data["bot_id"] !== bot_id) return null;
  try {
    const { run_id, seq, verdict, reason_code, intent } = toldIntent(event.data, "intent");
    const { trace_id } = tracedIntent(event.data["intent"], "intent.intent");
    return { key: `${run_id}/${seq}`, seq, at_ms: now_ms, words: wishWords(intent), verdict, reason_code, trace_id };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    const unread = { verdict: "unknown", reason_code: null, trace_id: null } as const;
    return { key: `feed/${event.id}`, seq: 0, at_ms: now_ms, words: [error.message], ...unread };
  }
}

export function notesOf({ intents }: ReturnType<typeof botIntentsPage>): readonly IntentNote[] {
  return intents.map(({ run_id, seq, at_us, verdict, reason_code, trace_id, intent }) => ({
    key: `${run_id}/${seq}`,
    seq,
    at_ms: at_us / 1_000,
    words: wishWords(intent),
    verdict,
    reason_code,
    trace_id,
  }));
}

/** What was known of an intent stays where it stood: its first time is the nearer one. */
export function mergeNotes(before: readonly IntentNote[], more: readonly IntentNote[]): readonly IntentNote[] {
  const known = new Map([...before, ...more].toReversed().map((note) => [note.key, note]));
  return [...known.values()].toSorted((a, b) => b.at_ms - a.at_ms || b.seq - a.seq).slice(0, INTENTS_KEPT);
}

/** What a person may have to look at: it was refused, changed, or waits for somebody. */
export function isHeldBack({ verdict }: IntentNote): boolean {
  return verdict !== "forwarded" && verdict !== "recorded";
}
