import { describe, expect, it } from "vitest";
import type { Bot } from "../answers/answers.ts";
import {
  botItems,
  controlItems,
  inOrder,
  packItems,
  stopItems,
  STUCK_AFTER_MS,
  supplyItems,
  type Item,
} from "./items.ts";

const bot = (bot_id: string, state: Bot["state"]): Bot => ({
  bot_id,
  display_name: bot_id,
  state,
  version: "1.0.0",
  generation: 1,
  labels: {},
  spec: {
    strategy: { pack_id: "p", strategy_id: "s", strategy_version: "1.0.0", digest: "d" },
    venue: "SIM",
    instruments: ["X"],
    config: {},
    capital: "1",
    isolation: "L2",
  },
  status: { mode: null, run_id: null, reason: "R", since: "2026-01-01T00:00:00Z" },
  created_at: "2026-01-01T00:00:00Z",
  created_by: "user:root",
});

describe("what needs a person", () => {
  it("of bots: errors now, quarantines soon, and nobody who runs or rests", () => {
    const items = botItems([bot("a", "IDLE"), bot("b", "QUARANTINED"), bot("c", "ERROR"), bot("d", "RUNNING_LIVE")]);
    expect(items.map(({ name, urgency, page }) => [name, urgency, page])).toEqual([
      ["b", "soon", { kind: "bots", bot: "b" }],
      ["c", "now", { kind: "bots", bot: "c" }],
    ]);
  });

  it("of stops: only what waits longer than a stop may take", () => {
    const now = Date.parse("2026-01-01T01:00:00Z");
    const since = (ms: number) => new Date(now - ms).toISOString();
    const stop = (run_id: string, waited: number) => ({
      run_id,
      bot_id: "a",
      blocked: { rung: "OrdersClear", why: "2 open", since: since(waited) },
    });
    const items = stopItems(
      [stop("old", STUCK_AFTER_MS), stop("new", STUCK_AFTER_MS - 1), { run_id: "r", bot_id: "a", blocked: null }],
      now,
    );
    expect(items.map(({ key }) => key)).toEqual(["old"]);
  });

  it("of artifacts: the newest judgement alone, and only where it refuses", () => {
    const report = (scg_id: string, artifact_id: string, policy_decision: string) => ({
      scg_id,
      artifact_id,
      pack_id: "p",
      pack_version: "1",
      policy_decision,
      reason_code: null,
      produced_at: "2026-01-01T00:00:00Z",
    });
    const reports = [report("3", "x", "allow"), report("2", "x", "deny"), report("1", "y", "deny")];
    expect(supplyItems(reports).map(({ key }) => key)).toEqual(["1"]);
  });

  it("of packs: pending and modified; of gates: the required ones that do not pass", () => {
    const pack = (pack_id: string, state: string) => ({
      pack_id,
      state,
      display_name: null,
      version: null,
      digest: null,
      approved_digest: null,
      source_dir: "",
      note: null,
      strategies: [],
    });
    const packs = ["pending", "modified", "approved", "rejected"].map((state) => pack(state, state));
    expect(packItems(packs).map(({ key }) => key)).toEqual(["pending", "modified"]);
    const gate = (name: string, required: boolean, state: "PASS" | "FAIL" | "UNKNOWN") => ({
      gate: name,
      required,
      state,
      rules: [],
      evaluated_at: "",
      expires_at: "",
      reported_by: "",
    });
    const gates = [
      gate("a", true, "PASS"),
      gate("b", true, "UNKNOWN"),
      gate("c", false, "FAIL"),
      gate("d", true, "FAIL"),
    ];
    expect(controlItems({ gates, holds: [], sessions: [] }).map(({ name }) => name)).toEqual(["b", "d"]);
    const sinceOf = (evaluated_at: string) =>
      controlItems({ gates: [{ ...gate("b", true, "FAIL"), evaluated_at }], holds: [], sessions: [] })[0]?.since;
    expect(sinceOf("1970-01-01T00:00:00.000000Z"), "never reported").toBe(null);
    expect(sinceOf("2026-01-01T00:00:00.000000Z")).toBe("2026-01-01T00:00:00.000000Z");
  });

  it("stands in the order of urgency, then of waiting", () => {
    const item = (key: string, urgency: Item["urgency"], since: string | null): Item => ({
      key,
      kind: "inbox_pack",
      name: key,
      detail: "",
      since,
      urgency,
      page: { kind: "overview" },
    });
    const items = [item("a", "soon", "1"), item("b", "now", null), item("c", "now", "2"), item("d", "now", "1")];
    expect(inOrder(items).map(({ key }) => key)).toEqual(["d", "c", "b", "a"]);
  });
});
