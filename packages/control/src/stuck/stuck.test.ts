import { systemRandom } from "@rumi/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { stuckReconciler } from "./reconciler.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
});
afterEach(() => world.close());

type Shown = {
  readonly state: string;
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  readonly triage: {
    readonly state: string;
    readonly findings: readonly {
      readonly class: string;
      readonly probable_cause: string;
      readonly next_step: string;
      readonly runbook: string;
      readonly evidence: readonly { readonly kind: string; readonly id: string }[];
    }[];
  };
};
const shown = async (): Promise<Shown> => (await world.bot()) as unknown as Shown;
const stuck = async () => (await shown()).conditions.find(({ type }) => type === "Stuck");
const bundles = async () =>
  dataOf(await world.query("support_bundles.list", { bot_id: "bot-1" }))["bundles"] as readonly {
    readonly bundle_id: string;
    readonly state: string;
    readonly requested_by: string;
  }[];

/** As if the bot had been in its state for that much longer. */
async function age(ms: number): Promise<void> {
  const sql = `UPDATE bot SET state_since = state_since - ${ms * 1_000}`;
  expect((await world.store.commit({ writes: [{ sql, parameters: [], expect: 1 }], events: [] })).ok).toBe(true);
}

/** A bot whose runner is cut off in the middle of its stop. */
async function hang(): Promise<void> {
  dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
  await world.until("running", async () =>
    (await shown()).conditions.some((one) => one.type === "Running" && one.status === "True"),
  );
  world.runner.drop();
  await world.until("gone", () => world.control.hub.ready().length === 0);
  dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
  await world.rounds(2);
}

describe("[G-10.1] a bot that is STOPPING for too long", () => {
  it("is shown as stuck with what blocks it and since when, its runbook and one bundle; and is not called stopped", async () => {
    await hang();
    await age(CONTROL_LIMITS.stuck_stopping_ms - 5_000);
    await world.rounds(2);
    expect(await stuck()).toBeUndefined();
    expect((await shown()).triage.state).toBe("ok");

    await age(6_000);
    await world.rounds(2);
    const condition = await stuck();
    expect(condition).toMatchObject({ status: "True", reason: "STOPPING_TOO_LONG" });
    expect(condition?.message).toMatch(
      /waits for StopAcknowledged since \d{4}-.*Z: its runner has not answered; docs\/runbooks\/stuck/,
    );
    await world.control.bundles.run();
    const [bundle] = await bundles();
    expect(bundle).toMatchObject({ state: "READY", requested_by: "system:instances" });
    const { state, triage } = await shown();
    expect([state, triage.state]).toEqual(["STOPPING", "stuck"]);
    expect(triage.findings[0]).toMatchObject({ class: "stop", runbook: "docs/runbooks/stuck-stopping.md" });
    expect(triage.findings[0]?.probable_cause).toMatch(
      /StopAcknowledged is waited for since .*its runner has not answered/,
    );
    expect(triage.findings[0]?.evidence).toContainEqual({ kind: "support_bundle", id: bundle?.bundle_id });

    await world.rounds(4);
    await world.control.bundles.run();
    expect(await bundles()).toHaveLength(1);
    expect((await world.actions()).filter((action) => action === "support_bundle.created")).toHaveLength(1);
    expect((await shown()).state).toBe("STOPPING");
  });

  it("is stuck no more once it left STOPPING; another time is another one with evidence of its own", async () => {
    await hang();
    await age(CONTROL_LIMITS.stuck_stopping_ms + 1_000);
    await world.rounds(2);
    expect((await stuck())?.status).toBe("True");
    dataOf(await world.move("bot-1", "STOPPING", "QUARANTINED"));
    await world.rounds(2);
    expect(await stuck()).toMatchObject({ status: "False", message: "" });
    expect((await shown()).triage).toMatchObject({ state: "failing", findings: [{ class: "restraint" }] });

    await world.runner.dial();
    await world.until("let go", async () => {
      const { instances } = (await world.bot()) as unknown as { instances: readonly { holder: string | null }[] };
      return instances.every(({ holder }) => holder === null);
    });
    dataOf(await world.moveConfirmed("bot-1", "QUARANTINED", "IDLE"));
    await hang();
    await age(CONTROL_LIMITS.stuck_stopping_ms + 1_000);
    await world.rounds(2);
    expect((await stuck())?.status).toBe("True");
    expect(await bundles()).toHaveLength(2);
  });
});

it("[G-10.1] [L-01] a round goes through no list of all bots", async () => {
  const asked: { readonly sql: string; readonly parameters: readonly unknown[] }[] = [];
  const store: typeof world.store = {
    ...world.store,
    rows: (query) => {
      asked.push("compile" in query ? query.compile() : query);
      return world.store.rows(query);
    },
  };
  const { clock } = world;
  await stuckReconciler({ store, clock, random: systemRandom(), hub: world.control.hub }).run();
  expect(asked).toHaveLength(1);
  for (const { sql, parameters } of asked) {
    const plan = await world.store.rows<{ detail: string }>({ sql: `EXPLAIN QUERY PLAN ${sql}`, parameters });
    expect(plan.map(({ detail }) => detail).join("\n")).not.toMatch(/\bSCAN (bot|bot_condition)\b/);
  }
});
