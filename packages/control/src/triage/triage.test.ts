import { describe, expect, it } from "vitest";
import { existsSync } from "node:fs";
import { ERROR_CATALOGUE } from "@rumi/kernel";
import { REASON_PAGES, RUNBOOKS } from "../runbooks.ts";
import { ERROR_CAUSES, FAILURE_CLASSES, FAMILY_CAUSES, REASON_CAUSES, UNKNOWN_CAUSE } from "./causes.ts";
import { causeOf, triageBot, type TriageFacts } from "./model.ts";

const AT = "2026-01-01T00:00:00.000000Z";
const FINE: TriageFacts = {
  bot: { bot_id: "b", state: "RUNNING_PAPER", reason: "STARTED", since: AT, run_id: "run-1" },
  instances: [
    {
      instance_id: "main",
      run_id: "run-1",
      phase: "running",
      health_state: "healthy",
      reason_code: null,
      failure: null,
      updated_at: AT,
    },
  ],
  stops: [],
  stuck: null,
  refused: null,
  rejected: null,
};
const [MAIN] = FINE.instances;
const instance = (over: Partial<TriageFacts["instances"][number]>): TriageFacts["instances"] =>
  MAIN === undefined ? [] : [{ ...MAIN, ...over }];

describe("[L-28] causes", () => {
  it("every family of reasons and every category of errors has a class, a probable cause and a next step", () => {
    const families = Object.keys(REASON_PAGES);
    const categories = new Set(Object.keys(ERROR_CATALOGUE).map((code) => code.split("-")[1] ?? ""));
    const missing = [
      ...families.filter((family) => FAMILY_CAUSES[family] === undefined),
      ...[...categories].filter((category) => ERROR_CAUSES[category] === undefined),
      ...Object.keys(RUNBOOKS).filter((code) => causeOf(code, code) === UNKNOWN_CAUSE),
    ];
    expect(missing, "a row in triage/causes.ts").toEqual([]);
    const all = [REASON_CAUSES, FAMILY_CAUSES, ERROR_CAUSES].flatMap((table) => Object.values(table));
    for (const cause of [...all, UNKNOWN_CAUSE]) {
      expect(FAILURE_CLASSES).toContain(cause.class);
      expect(cause.cause).toMatch(/^\S.*\.$/);
      expect(cause.next).toMatch(/\S/);
      if (cause.runbook !== undefined)
        expect(existsSync(new URL(`../../../../${cause.runbook}`, import.meta.url)), cause.runbook).toBe(true);
    }
  });

  const rows: readonly (readonly [string | null, string | null, string])[] = [
    ["RUMI-STR-032", "M.SANDBOX.DEADLINE", "sandbox"],
    ["RUMI-STR-001", null, "strategy"],
    [null, "M.VENUE.RATE_LIMITED", "venue"],
    [null, "M.DATA.GAP", "data"],
    [null, "M.RISK.CAPITAL", "limits"],
    [null, "G.GATE.UNKNOWN", "restraint"],
    [null, "G.KILLSWITCH.BLOCK", "restraint"],
    ["RUMI-PACK-005", "L.PREFLIGHT.FAILED", "configuration"],
    ["RUMI-BOT-031", "RUNNER_GONE_AT_RESTART", "runner"],
    ["RUMI-PACK-004", null, "artifact"],
    [null, "PROGRAM_RESTARTED", "control_plane"],
    ["RUMI-STO-001", "AUDIT_UNAVAILABLE", "storage"],
    ["RUMI-AUTH-003", "PERMISSION_DENIED", "permission"],
    [null, "STOPPING_TOO_LONG", "stop"],
    [null, "DRIFT", "restraint"],
    [null, "NOBODY.KNOWS.IT", "unknown"],
    [null, null, "unknown"],
  ];
  it.each(rows)("%s %s is a matter of %s", (error_code, reason_code, expected) =>
    expect(causeOf(error_code, reason_code).class).toBe(expected),
  );
});

describe("[L-28] triage of a bot", () => {
  it("finds nothing where nothing fails, in every state that a healthy bot may have", () => {
    for (const state of ["IDLE", "RUNNING_PAPER", "RUNNING_LIVE", "PAUSED", "STOPPING"])
      expect(triageBot({ ...FINE, bot: { ...FINE.bot, state } })).toEqual({ state: "ok", findings: [] });
    expect(triageBot({ ...FINE, instances: instance({ health_state: null }) }).findings).toEqual([]);
  });

  it("a failed instance: its own words and its own next step, its run as evidence, the page of its reason", () => {
    const failure = {
      error_code: "RUMI-STR-032",
      reason_code: "M.SANDBOX.DEADLINE",
      error: "It took too long.",
      suggestion: "Make it cheaper.",
    };
    const facts = { ...FINE, bot: { ...FINE.bot, state: "ERROR" }, instances: instance({ phase: "failed", failure }) };
    expect(triageBot(facts)).toEqual({
      state: "failing",
      findings: [
        {
          subject: { kind: "instance", id: "b/main" },
          class: "sandbox",
          error_code: "RUMI-STR-032",
          reason_code: "M.SANDBOX.DEADLINE",
          probable_cause: `${FAMILY_CAUSES["SANDBOX"]?.cause ?? ""} It took too long.`,
          next_step: "Make it cheaper.",
          runbook: "docs/runbooks/reasons/sandbox.md",
          since: AT,
          evidence: [
            { kind: "instance", id: "b/main" },
            { kind: "run", id: "run-1" },
          ],
        },
      ],
    });
  });

  it("a degraded instance, an ERROR that no instance explains, a quarantine, a refused command, rejected orders", () => {
    const [degraded] = triageBot({
      ...FINE,
      instances: instance({ health_state: "degraded", reason_code: "M.QUEUE.BACKLOG" }),
    }).findings;
    expect(degraded).toMatchObject({ class: "limits", runbook: "docs/runbooks/reasons/restraints.md" });
    const bare = triageBot({ ...FINE, bot: { ...FINE.bot, state: "ERROR", reason: "RUNNER_GONE" } });
    expect(bare.findings).toMatchObject([{ class: "runner", subject: { kind: "bot", id: "b" } }]);
    const held = triageBot({ ...FINE, bot: { ...FINE.bot, state: "QUARANTINED", reason: "COMMANDED" } });
    expect(held.findings).toMatchObject([
      { class: "restraint", next_step: expect.stringContaining("release") as string },
    ]);
    const refused = { command_id: "c", event_id: "e", error_code: "RUMI-CMD-006", reason_code: "G.GATE.FAIL", at: AT };
    expect(triageBot({ ...FINE, refused }).findings).toMatchObject([
      { class: "restraint", subject: { kind: "command", id: "c" }, runbook: "docs/runbooks/gates.md" },
    ]);
    const rejected = { client_order_id: "o", reason_code: "M.VENUE.CLOCK", at: AT, count: 3 };
    const [order] = triageBot({ ...FINE, rejected }).findings;
    expect(order).toMatchObject({ class: "venue", runbook: "docs/runbooks/reasons/venue.md" });
    expect(order?.probable_cause).toContain("3 of the newest orders");
  });

  it("[G-10.1] a stuck stop comes first and says what is waited for, since when, and where the evidence is", () => {
    const facts = {
      ...FINE,
      bot: { ...FINE.bot, state: "STOPPING" },
      stops: [
        { run_id: "run-1", blocked: { rung: "OrdersClear", why: "2 orders are open at the venue", since: AT } },
        { run_id: "run-2", blocked: null },
      ],
      instances: instance({ health_state: "halted", reason_code: "M.VENUE.DOWN" }),
    };
    const found = triageBot({ ...facts, stuck: { since: AT, bundle_id: "bundle-1" } });
    expect(found.state).toBe("stuck");
    expect(found.findings[0]).toMatchObject({ class: "stop", runbook: "docs/runbooks/stuck-stopping.md", since: AT });
    expect(found.findings[0]?.probable_cause).toContain(`OrdersClear is waited for since ${AT}: 2 orders are open`);
    expect(found.findings[0]?.next_step).toContain("/api/support_bundles/bundle-1");
    expect(found.findings[1]?.class).toBe("venue");
    const bare = triageBot({ ...facts, stops: [], stuck: { since: AT, bundle_id: null } });
    expect(bare.findings[0]?.next_step).toContain('POST /api/support_bundles {"bot_id": "b"}');
    expect(triageBot({ ...facts, stuck: null }).state).toBe("failing");
  });
});
