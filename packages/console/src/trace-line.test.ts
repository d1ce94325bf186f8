import { expect, it } from "vitest";
import { momentsOf } from "./trace-line.ts";

it("puts commands, runs, events, intents, orders and fills into one line of time, and says what went wrong", () => {
  const moments = momentsOf({
    id: "t",
    commands: [{ from_state: "IDLE", to_state: "RUNNING_PAPER", actor: "user:a", reason: "go", created_at: 1_000_000 }],
    runs: [{ run_id: "r", bot_id: "one", mode: "paper", started_at: 2_000_000 }],
    events: [
      {
        event_id: "e",
        log_index: 7,
        action: "bot.state.transition",
        actor: "user:a",
        occurred_at: "1970-01-01T00:00:01.500Z",
        outcome: "REJECTED",
      },
    ],
    intents: [{ at_us: 3_000_000, verdict: "discarded", reason_code: "M.X", intent: { kind: "order", side: "buy" } }],
    orders: [{ at_us: 4_000_000, status: "accepted", report: { side: "buy", quantity: "1" } }],
    fills: [{ at_us: 5_000_000, fill: { side: "buy", quantity: "1", price: "9" } }, { without: "a time" }],
    limit: null,
  });
  expect(moments.map(({ kind, words, isBad }) => [kind, words, isBad])).toEqual([
    ["command", "IDLE → RUNNING_PAPER user:a go", false],
    ["event", "bot.state.transition user:a", true],
    ["run", "paper one r", false],
    ["intent", "order buy discarded M.X", true],
    ["order", "accepted buy 1", false],
    ["fill", "buy 1 9", false],
  ]);
});
