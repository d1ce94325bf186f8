import { failure, ok, type Failure, type Result } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { judgePreflight, PREFLIGHT_ITEMS, type PreflightFacts } from "./model.ts";

const passing: PreflightFacts = {
  safety: "NORMAL",
  runbook: "https://runbook",
  checks: {
    artifact_digest: ok(1),
    admission: ok(1),
    config_schema: ok(1),
    capital: ok(1),
    instruments: ok(1),
    venue_files: ok(1),
    gates: ok(1),
    lease_free: ok(1),
    isolation: ok(1),
    runner: ok(1),
  },
};

describe("[L-N3] the preflight", () => {
  it("passes when everything passes, and says what it looked at", () => {
    const { report, refusal } = judgePreflight(passing, "r");
    expect(refusal).toBeUndefined();
    expect(report.items.map((one) => one.item)).toEqual(PREFLIGHT_ITEMS);
    expect(report).toMatchObject({ report_id: "r", passed: true });
  });
  for (const item of Object.keys(passing.checks) as (keyof PreflightFacts["checks"])[]) {
    it(`${item} alone refuses`, () => {
      const bad: Result<unknown, Failure> = { ok: false, error: failure("RUMI-BOT-018") };
      const { report, refusal } = judgePreflight({ ...passing, checks: { ...passing.checks, [item]: bad } }, "r");
      expect(refusal).toMatchObject({
        code: "RUMI-BOT-018",
        reasonCode: "L.PREFLIGHT.FAILED",
        details: { failed_item: item },
      });
      expect(report.items.filter((one) => one.state === "FAIL").map((one) => one.item)).toEqual([item]);
    });
  }
  for (const mode of ["SAFE", "EMERGENCY_STOP"] as const) {
    it(`[G-5.1] ${mode} refuses`, () =>
      expect(judgePreflight({ ...passing, safety: mode }, "r").refusal).toMatchObject({
        code: "RUMI-BOT-021",
        reasonCode: `G.SAFETY.${mode}`,
      }));
  }
});
