import { describe, expect, it } from "vitest";
import { INTENTS_KEPT, isHeldBack, mergeNotes, noteOf, notesOf, type IntentNote } from "./intent-notes.ts";

const event = (seq: number, over: Readonly<Record<string, unknown>> = {}) => ({
  id: String(seq),
  kind: "intent",
  data: {
    bot_id: "one",
    run_id: "r",
    seq,
    verdict: "discarded",
    reason_code: "M.LIMIT.CAPITAL",
    intent: { kind: "order", side: "buy", quantity: "2", order_type: "limit", price: "1.5", trace_id: "t" },
    ...over,
  },
});
const note = (seq: number, at_ms: number): IntentNote => ({
  key: `r/${seq}`,
  seq,
  at_ms,
  words: [],
  verdict: "forwarded",
  reason_code: null,
  trace_id: null,
});

describe("intents of a bot as they happen", () => {
  it("[G-9.1] says what was wished, what the gate said and why, and where the trace begins", () => {
    expect(noteOf(event(7), "one", 5)).toEqual({
      key: "r/7",
      seq: 7,
      at_ms: 5,
      words: ["order", "buy", "2", "@ 1.5"],
      verdict: "discarded",
      reason_code: "M.LIMIT.CAPITAL",
      trace_id: "t",
    });
  });
  it("[G-9.1] another bot's, and what is no intent, are none of them", () => {
    expect(noteOf(event(7), "two", 5)).toBeNull();
    expect(noteOf({ ...event(7), kind: "order" }, "one", 5)).toBeNull();
  });
  it("[G-9.1] one that does not fit is shown as such", () => {
    expect(noteOf(event(7, { seq: "seven" }), "one", 5)?.words).toEqual(["intent.seq: expected an integer"]);
  });
  it("[G-9.1] the same intent from the API and from the stream is one row, and stays where it stood", () => {
    const heard = noteOf(event(3), "one", 1_000);
    const read = notesOf({
      intents: [
        {
          run_id: "r",
          seq: 3,
          bot_id: "one",
          at_us: 990_000,
          trace_id: "t",
          verdict: "discarded",
          reason_code: null,
          intent: { kind: "noop" } as never,
        },
      ],
    });
    expect(heard === null ? [] : mergeNotes([heard], read).map(({ at_ms }) => at_ms)).toEqual([1_000]);
  });
  it("[G-9.1] newest first, those of one moment by their place, and never more than are kept", () => {
    const many = Array.from({ length: INTENTS_KEPT + 20 }, (_, at) => note(at, 1_000 + Math.floor(at / 10)));
    const kept = mergeNotes([], many);
    expect(kept).toHaveLength(INTENTS_KEPT);
    expect(kept.slice(0, 2).map(({ seq }) => seq)).toEqual([INTENTS_KEPT + 19, INTENTS_KEPT + 18]);
    expect(mergeNotes(kept, [note(999, 5_000)])[0]?.seq).toBe(999);
  });
  it("[G-9.1] what was let out whole is held back by nobody", () => {
    const held = ["forwarded", "recorded", "degraded", "staged", "discarded", "unknown"].map((verdict) =>
      isHeldBack({ ...note(1, 1), verdict }),
    );
    expect(held).toEqual([false, false, true, true, true, true]);
  });
});
