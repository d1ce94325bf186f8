import { expect, it } from "vitest";
import { STAGING_DEFAULT } from "@rumi/runtime";
import type { InstanceRow } from "../instances/tables.ts";
import { type Decision, judgeDecision, stagingPolicyOf } from "./model.ts";
import type { StagedRow } from "./tables.ts";

const ASKED = { run_id: "run-1", idempotency_key: "7" };
const STAGED: StagedRow = {
  ...ASKED,
  seq: 3,
  bot_id: "b",
  strategy_id: "s",
  instance_id: "main",
  trace_id: "t",
  epoch: 4,
  staged_at: 1_000,
  expires_at: 2_000,
  state: "staged",
  reason_code: null,
  decision: null,
  decided_by: null,
  decided_at: null,
  decision_reason: null,
  delivered: 0,
  failure: null,
  client_order_id: null,
  intent: "{}",
  updated_at: 1_000,
  row_version: 1,
};
const INSTANCE = { run_id: "run-1", epoch: 4, desired: "running" } as InstanceRow;

type Row = readonly [
  what: string,
  change: Partial<StagedRow> | null,
  instance: Partial<InstanceRow> | null,
  decision: Decision,
  expected: string,
];
const ROWS: readonly Row[] = [
  ["a fresh one", {}, {}, "approve", "taken"],
  ["a fresh one", {}, {}, "reject", "taken"],
  ["one that nobody staged", null, {}, "approve", "RUMI-BOT-060"],
  ["one that is committed", { state: "committed", decided_by: "user:ann" }, {}, "approve", "RUMI-BOT-061"],
  [
    "one that expired in the run",
    { state: "expired", reason_code: "M.STAGING.EXPIRED" },
    {},
    "approve",
    "RUMI-BOT-061",
  ],
  ["one with a word on its way", { decision: "approve", decided_by: "user:ann" }, {}, "reject", "RUMI-BOT-061"],
  ["the last microsecond", { expires_at: 1_501 }, {}, "approve", "taken"],
  ["too late by the clock", { expires_at: 1_500 }, {}, "approve", "RUMI-BOT-062"],
  ["too late by the clock", { expires_at: 1_500 }, {}, "reject", "RUMI-BOT-062"],
  ["under a newer lease", {}, { epoch: 5 }, "approve", "RUMI-BOT-063"],
  ["under a newer lease", {}, { epoch: 5 }, "reject", "taken"],
  ["of a paused bot", {}, { desired: "paused" }, "approve", "RUMI-BOT-063"],
  ["of a paused bot", {}, { desired: "paused" }, "reject", "taken"],
  ["of a stopped bot", {}, { desired: "stopped" }, "reject", "RUMI-BOT-063"],
  ["of a run that another replaced", {}, { run_id: "run-2" }, "approve", "RUMI-BOT-063"],
  ["of no instance at all", {}, null, "approve", "RUMI-BOT-063"],
];
it.each(ROWS)("[M-8.3.1] %s: %j %j %s → %s", (_what, change, instance, decision, expected) => {
  const judged = judgeDecision(ASKED, {
    staged: change === null ? undefined : { ...STAGED, ...change },
    instance: instance === null ? undefined : { ...INSTANCE, ...instance },
    decision,
    now: 1_500,
  });
  expect(judged.ok ? "taken" : judged.error.code).toBe(expected);
});

it("[M-8.3.1] a bot's staging field is a policy with what it leaves out filled in", () => {
  expect(stagingPolicyOf(undefined)).toBe(undefined);
  expect(stagingPolicyOf(false)).toBe(undefined);
  expect(stagingPolicyOf(true)).toEqual(STAGING_DEFAULT);
  expect(stagingPolicyOf({ expires_after_ms: 2_000, approve_up_to: "0.5" })).toEqual({
    expires_after_us: 2_000_000,
    max_staged: STAGING_DEFAULT.max_staged,
    approve_up_to: "0.5",
  });
});
