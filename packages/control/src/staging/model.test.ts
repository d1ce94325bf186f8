/** Who may still say a word on a staged intent, and why not. */
import { expect, it } from "vitest";
import { stagedRow } from "../../test/staged.ts";
import type { InstanceRow } from "../instances/tables.ts";
import { judgeDecision, type Decision } from "./model.ts";
import type { StagedRow } from "./tables.ts";

const asked = { run_id: "run-1", idempotency_key: "3" };
const STAGED = stagedRow({ ...asked });
type Life = Pick<InstanceRow, "run_id" | "desired" | "epoch">;
const LIFE: Life = { run_id: "run-1", desired: "running", epoch: 2 };

const word = (
  decision: Decision,
  { staged = {}, life = {}, now = 99 }: { staged?: Partial<StagedRow>; life?: Partial<Life> | null; now?: number },
): string => {
  // Nothing but these three is looked at.
  const instance = life === null ? undefined : ({ ...LIFE, ...life } as InstanceRow);
  const judged = judgeDecision(asked, { staged: { ...STAGED, ...staged }, instance, decision, now });
  return judged.ok ? "fine" : `${judged.error.code} ${judged.error.reasonCode ?? "-"}`;
};

it("[M-8.3.1] a word too late says why: decided, expired, not running, or staged under a lease that is over", () => {
  const stopped = "RUMI-BOT-063 M.STAGING.NOT_RUNNING";
  const rows: readonly (readonly [Parameters<typeof word>[1], string, string])[] = [
    [{}, "fine", "fine"],
    [{ now: 100 }, "RUMI-BOT-062 M.STAGING.EXPIRED", "RUMI-BOT-062 M.STAGING.EXPIRED"],
    [{ staged: { decision: "reject", decided_by: "ann" } }, "RUMI-BOT-061 -", "RUMI-BOT-061 -"],
    [{ staged: { state: "committed" } }, "RUMI-BOT-061 -", "RUMI-BOT-061 -"],
    [{ life: { desired: "paused" } }, stopped, "fine"],
    [{ life: { epoch: 3 } }, "RUMI-BOT-063 M.STAGING.EPOCH", "fine"],
    [{ life: { desired: "stopped" } }, stopped, stopped],
    [{ life: { run_id: "run-2" } }, stopped, stopped],
    [{ life: null }, stopped, stopped],
  ];
  for (const [given, approve, reject] of rows)
    expect([word("approve", given), word("reject", given)], JSON.stringify(given)).toEqual([approve, reject]);
});
