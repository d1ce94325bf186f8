/** Views over the runners' journals: intents, orders, fills, positions. Rebuilt from a journal, never edited. */
import type { Migrations } from "@rumi/store";

export type IntentRow = {
  run_id: string;
  seq: number;
  bot_id: string;
  instance_id: string;
  at_us: number;
  event_time_us: number;
  trace_id: string;
  verdict: string;
  reason_code: string | null;
  client_order_id: string | null;
  idempotency_key: string;
  intent: string;
};
export type OrderRow = {
  client_order_id: string;
  run_id: string;
  seq: number;
  bot_id: string;
  instance_id: string;
  at_us: number;
  trace_id: string;
  status: string;
  report: string;
};
export type FillRow = {
  run_id: string;
  seq: number;
  bot_id: string;
  instance_id: string;
  at_us: number;
  event_time_us: number;
  trace_id: string;
  client_order_id: string | null;
  fill: string;
};
export type PositionRow = {
  bot_id: string;
  instance_id: string;
  instrument_id: string;
  run_id: string;
  position: string;
  updated_at: number;
};
export type SegmentRow = { run_id: string; segment: number; root: string };
export type ViewTables = {
  intent_view: IntentRow;
  order_view: OrderRow;
  fill_view: FillRow;
  position_view: PositionRow;
  journal_segment: SegmentRow;
};

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE intent_view (
    run_id TEXT NOT NULL, seq ${integer} NOT NULL, bot_id TEXT NOT NULL, instance_id TEXT NOT NULL, at_us ${integer} NOT NULL, event_time_us ${integer} NOT NULL, trace_id TEXT NOT NULL,
    verdict TEXT NOT NULL, reason_code TEXT, client_order_id TEXT, idempotency_key TEXT NOT NULL, intent TEXT NOT NULL, PRIMARY KEY (run_id, seq))`,
  "CREATE INDEX intent_view_bot ON intent_view (bot_id, run_id, seq)",
  "CREATE INDEX intent_view_trace ON intent_view (trace_id)",
  "CREATE INDEX intent_view_key ON intent_view (idempotency_key)",
  "CREATE INDEX intent_view_order ON intent_view (client_order_id)",
  `CREATE TABLE order_view (
    client_order_id TEXT NOT NULL PRIMARY KEY, run_id TEXT NOT NULL, seq ${integer} NOT NULL, bot_id TEXT NOT NULL, instance_id TEXT NOT NULL,
    at_us ${integer} NOT NULL, trace_id TEXT NOT NULL, status TEXT NOT NULL, report TEXT NOT NULL)`,
  "CREATE INDEX order_view_bot ON order_view (bot_id, run_id, seq)",
  `CREATE TABLE fill_view (
    run_id TEXT NOT NULL, seq ${integer} NOT NULL, bot_id TEXT NOT NULL, instance_id TEXT NOT NULL, at_us ${integer} NOT NULL, event_time_us ${integer} NOT NULL, trace_id TEXT NOT NULL,
    client_order_id TEXT, fill TEXT NOT NULL, PRIMARY KEY (run_id, seq))`,
  "CREATE INDEX fill_view_bot ON fill_view (bot_id, run_id, seq)",
  "CREATE INDEX fill_view_order ON fill_view (client_order_id)",
  `CREATE TABLE position_view (
    bot_id TEXT NOT NULL, instance_id TEXT NOT NULL, instrument_id TEXT NOT NULL, run_id TEXT NOT NULL, position TEXT NOT NULL, updated_at ${integer} NOT NULL,
    PRIMARY KEY (bot_id, instance_id, instrument_id))`,
  `CREATE TABLE journal_segment (run_id TEXT NOT NULL, segment ${integer} NOT NULL, root TEXT NOT NULL, PRIMARY KEY (run_id, segment))`,
];

export const VIEW_MIGRATIONS: Migrations = {
  owner: "control.views",
  steps: [{ name: "001-views", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};
