import { failure, ok, type Failure, type Result } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { judgePreflight, PREFLIGHT_ITEMS, type PreflightFacts } from "./model.ts";

const passing: PreflightFacts = {
  safety: "NORMAL",
  runbook: "https://runbook",
  changelog: ok(null),
  bot_id: "bot-1",
  mode: "paper",
  overrides: [],
  checks: {
    artifact_digest: ok(1),
    supply_chain: ok({}),
    compatibility: ok(1),
    dependencies: ok(1),
    admission: ok(1),
    config_schema: ok(1),
    capital: ok(1),
    limits: ok(1),
    instruments: ok(1),
    venue_files: ok(1),
    gates: ok(1),
    lease_free: ok(1),
    isolation: ok(1),
    runner: ok(1),
    release_certificate: ok(1),
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
  it("[L-12] a changelog that says nothing refuses live, and is noted elsewhere", () => {
    const changelog: Result<null, Failure> = { ok: false, error: failure("RUMI-BOT-086") };
    const { refusal } = judgePreflight({ ...passing, mode: "live", changelog }, "r");
    expect(refusal).toMatchObject({ code: "RUMI-BOT-086", details: { failed_item: "changelog" } });
    const { report } = judgePreflight({ ...passing, changelog }, "r");
    expect(report).toMatchObject({ passed: true });
    expect(report.items.find(({ item }) => item === "changelog")).toMatchObject({ state: "NOTE" });
  });
  it("[L-47] live takes a runbook that can be opened; paper notes that there is none; whoever is refused is shown it", () => {
    const judged = (mode: PreflightFacts["mode"], runbook: string | undefined) =>
      judgePreflight({ ...passing, mode, runbook }, "r");
    for (const runbook of ["https://wiki.example/bot-1", "docs/runbooks/bots.md#error"])
      expect(judged("live", runbook).refusal).toBeUndefined();
    for (const runbook of [undefined, "ask Jo", "https://", "/etc/../passwd"])
      expect(judged("live", runbook).refusal, runbook).toMatchObject({
        code: "RUMI-BOT-083",
        reasonCode: "L.RUNBOOK.MISSING",
        details: { failed_item: "runbook" },
      });
    for (const mode of ["paper", "shadow"] as const) {
      const { report, refusal } = judged(mode, undefined);
      expect(refusal).toBeUndefined();
      expect(report.items.find(({ item }) => item === "runbook")).toMatchObject({ state: "NOTE" });
    }
    const bad: Result<unknown, Failure> = { ok: false, error: failure("RUMI-BOT-018") };
    const { refusal } = judgePreflight({ ...passing, checks: { ...passing.checks, runner: bad } }, "r");
    expect(refusal?.details).toMatchObject({ runbook: "https://runbook" });
  });
});
