/**
 * Brings instances to what is wanted: plans each from what is so now (plan.ts) and performs the step.
 *
 * Invariants
 * - One step per instance and round; a step in flight is not repeated (reconciler.test.ts).
 * - A start carries a lease taken a moment before, and its epoch (M-7.1.1; reconciler.test.ts).
 * - After a restart of the program, whatever no living runner claims goes to ERROR and stays there (G-2.1b; hub.test.ts).
 */
import { millis, type Clock, type Millis } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import { admissionKey, type InstanceSpec } from "@rumi/runtime";
import { acquireEpochWrite, ensureLeaseWrite, LEASE_TTL_MS, readLease, write, type Store } from "@rumi/store";
import { readAdmitted } from "../admissions/tables.ts";
import { owesWord, readUnheld } from "../attestation/wind-up.ts";
import { heldBackUntil } from "../drift/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import type { BreakerWish } from "../restraints/model.ts";
import type { FailureNote } from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";
import { observeWayBack } from "../updates/way-back.ts";
import type { Reply, RunnerHub } from "../runners/hub.ts";
import { keyOf } from "../runners/recorder.ts";
import { LeaseEnds } from "./lease-ends.ts";
import { observeGone, observeRefusal, observeTooLate, resource } from "./observe.ts";
import { planInstance, type Action } from "./plan.ts";
import {
  keyText,
  readOpenInstances,
  updateInstance,
  type InstanceRow,
  type InstanceTables,
  type StartSpec,
} from "./tables.ts";

export type InstanceReconcilerDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly hub: RunnerHub;
  readonly logger: Pick<Logger, "warning" | "error" | "info">;
  readonly lease_ttl?: Millis;
  /** How long after the program's start living runners may dial in. */
  readonly adoption_window?: Millis;
};

const SYSTEM = "system:instances";

export function instanceReconciler(deps: InstanceReconcilerDeps): Reconciler & { busy(): Promise<void> } {
  const { store, clock, hub, logger } = deps;
  const ttl = deps.lease_ttl ?? millis(LEASE_TTL_MS);
  const window = deps.adoption_window ?? millis(CONTROL_LIMITS.adoption_window_ms);
  const started_at = clock.monotonic();
  const leases = new LeaseEnds({ store, clock, lease_ttl: ttl, recorder: hub.recorder });
  const inFlight = new Map<string, Promise<void>>();
  /** Runs that were open at the first round, which the composition root makes before it takes commands. */
  let inheritedRuns: ReadonlySet<string> | undefined;

  const perform = async (instance: InstanceRow, action: Action): Promise<void> => {
    switch (action.kind) {
      case "none":
        return;
      case "start":
      case "wind_up":
        return start(instance, action.runner_id);
      case "stop":
        await hub.ask(action.runner_id, {
          type: "stop",
          run_id: action.run_id as InstanceSpec["run_id"],
          epoch: action.epoch,
          reason: action.why,
        });
        return;
      case "pause":
      case "continue":
      case "handover":
        await hub.ask(action.runner_id, {
          type: action.kind,
          run_id: instance.run_id as InstanceSpec["run_id"],
          epoch: instance.epoch,
          reason: action.kind === "handover" ? "UPDATE" : "OPERATOR",
        });
        return;
      case "config":
        return sendConfig(instance, action.runner_id);
      case "breaker":
        return sendBreaker(instance, action.runner_id);
      case "gone":
        if (
          (await hub.recorder.record(keyOf(instance), SYSTEM, (facts) =>
            facts.instance.run_id === instance.run_id ? observeGone(facts, action.why, clock.now()) : undefined,
          )) === "recorded"
        ) {
          hub.settle(instance.run_id); // what a person starts from here on is not what the restart found
        }
    }
  };

  const start = async (planned: InstanceRow, runner_id: string): Promise<void> => {
    const again = planned.holder === runner_id && (await holds(planned, runner_id));
    const instance = again ? planned : await takeLease(planned, runner_id);
    if (instance === undefined) return; // somebody else holds it, or the wish changed: the next round looks again
    hub.settle(instance.run_id);
    // A paused run whose runner ended is taken up again standing still; it never runs before somebody says so.
    // Nor does one that only has to hand over to another version.
    // Nor does one that is only wound up.
    const stands = instance.desired !== "running" || instance.next !== null;
    const begin = stands ? ("paused" as const) : ("running" as const);
    const start = jsonOf<StartSpec>(instance.spec);
    const spec = { ...start, ...(await admissionOf(start)), begin, epoch: instance.epoch, lease: { ttl_ms: ttl } };
    const resume = planned.starts > 0 || instance.starts > 1;
    let reply = await hub.ask(runner_id, { type: "start", spec: { ...spec, start: resume ? "resume" : "fresh" } });
    // It died before it wrote anything: there is nothing to resume.
    if (resume && reply.type === "reply" && !reply.ok && reply.failure.error_code === "RUMI-STR-021")
      reply = await hub.ask(runner_id, { type: "start", spec: { ...spec, start: "fresh" } });
    if (reply.type === "reply" && !reply.ok) await refused(instance, reply.failure);
  };

  /** The kept report that admitted exactly this: it spares the runner the smoke (M-12.1). */
  const admissionOf = async (start: StartSpec): Promise<Pick<StartSpec, "admission">> => {
    const key = admissionKey(start);
    const report = await readAdmitted(store, store, key, clock.now());
    return report === undefined ? {} : { admission: { report_id: report.report_id, key } };
  };

  const holds = async (instance: InstanceRow, holder: string): Promise<boolean> => {
    const lease = await readLease(store, store, keyOf(instance));
    return lease !== undefined && lease.holder === holder && lease.epoch === instance.epoch && instance.epoch > 0;
  };

  /** Lease, instance and the news of it in one commit: nothing is held that no event and no row tells of (L-N5). */
  const takeLease = async (instance: InstanceRow, runner_id: string): Promise<InstanceRow | undefined> => {
    const key = keyOf(instance);
    const epoch = ((await readLease(store, store, key))?.max_epoch ?? 0) + 1;
    const change = { epoch, holder: runner_id, starts: instance.starts + 1 };
    const now = clock.now();
    const event = {
      action: "lease.acquired",
      ...resource(instance),
      outcome: "SUCCESS" as const,
      details: { holder: runner_id, previous_holder: instance.holder, epoch },
    };
    const run = write(
      store
        .builder<InstanceTables>()
        .updateTable("run")
        .set({ holder: runner_id })
        .where("run_id", "=", instance.run_id),
      1,
    );
    const lease = acquireEpochWrite(store, { ...key, holder: runner_id, epoch }, ttl);
    const writes = [ensureLeaseWrite(store, key), lease, updateInstance(store, instance, change, now), run];
    const trail = { run_id: instance.run_id, trace_id: instance.trace_id };
    if (await hub.recorder.commit(SYSTEM, writes, [event], trail))
      return { ...instance, ...change, row_version: instance.row_version + 1 };
    logger.warning("a lease could not be taken", { instance: keyText(instance), epoch });
    return undefined;
  };

  const refused = async (instance: InstanceRow, failure: FailureNote): Promise<void> => {
    await hub.recorder.record(keyOf(instance), SYSTEM, (facts) =>
      facts.instance.run_id === instance.run_id &&
      facts.instance.epoch === instance.epoch &&
      facts.instance.holder !== null
        ? (observeTooLate(facts, failure) ??
          observeWayBack(facts, failure, clock.now()) ??
          observeRefusal(facts, failure, clock.now()))
        : undefined,
    );
  };

  /** What a runner refused is refused for good: the wish goes, the reason stays with the instance. */
  const sendBreaker = async (instance: InstanceRow, runner_id: string): Promise<void> => {
    const wish = jsonOf<BreakerWish>(instance.breaker ?? "{}");
    const { run_id, epoch } = instance;
    const reply = await hub.ask(runner_id, {
      type: "breaker",
      run_id: run_id as InstanceSpec["run_id"],
      epoch,
      wish,
    });
    if (reply.type === "silence") return;
    await hub.recorder.record(keyOf(instance), SYSTEM, (facts) => {
      if (facts.instance.breaker !== instance.breaker || facts.instance.run_id !== run_id) return undefined;
      const failure = reply.ok ? {} : { failure: JSON.stringify(reply.failure) };
      return { bot: null, instance: { breaker: null, ...failure }, conditions: [], events: [], ended: null };
    });
  };

  const sendConfig = async (instance: InstanceRow, runner_id: string): Promise<void> => {
    const config = jsonOf<InstanceSpec["config"]>(instance.config ?? "{}");
    const reply: Reply = await hub.ask(runner_id, {
      type: "config",
      run_id: instance.run_id as InstanceSpec["run_id"],
      epoch: instance.epoch,
      config,
      generation: instance.generation,
      actor: instance.config_actor ?? SYSTEM,
      at: instance.config_at ?? "next_tick",
    });
    if (reply.type === "silence") return;
    const spec = JSON.stringify({
      ...jsonOf<StartSpec>(instance.spec),
      ...(reply.ok ? { config, generation: instance.generation } : {}),
    });
    await hub.recorder.record(keyOf(instance), SYSTEM, (facts) => {
      if (facts.instance.config !== instance.config || facts.instance.run_id !== instance.run_id) return undefined;
      const failure = reply.ok ? {} : { failure: JSON.stringify(reply.failure) };
      return {
        bot: reply.ok ? { observed_generation: instance.generation } : null,
        instance: { config: null, config_actor: null, config_at: null, spec, ...failure },
        conditions: [],
        events: [],
        ended: null,
      };
    });
  };

  return {
    name: "instances",
    busy: async () => {
      await Promise.all(inFlight.values());
    },
    run: async () => {
      const open = await readOpenInstances(store, store);
      inheritedRuns ??= new Set(open.map((instance) => instance.run_id));
      const adopting = clock.monotonic() - started_at < window;
      const unheld = (await readUnheld(store, store)).filter((one) => owesWord(one, clock.now()));
      const all = [...open, ...unheld];
      leases.beginRound(all);
      for (const instance of all) {
        const key = keyText(instance);
        if (inFlight.has(key)) continue;
        const action = planInstance({
          instance,
          adopting,
          reported: hub.reported(instance),
          runners: hub.ready(),
          lease_over: await leases.isOver(instance),
          owes_word: owesWord(instance, clock.now()),
          inherited: inheritedRuns.has(instance.run_id) && !hub.settled(instance.run_id),
        });
        if (action.kind === "none") continue;
        // What went missing again and again waits (drift/model.ts); a first start, and a first restart, do not.
        if (
          action.kind === "start" &&
          instance.starts > 0 &&
          (await heldBackUntil(store, store, instance)) > clock.now()
        )
          continue;
        const work = perform(instance, action)
          .catch((error: unknown) =>
            logger.error("a step of an instance failed; it is tried again", {
              instance: key,
              step: action.kind,
              error,
            }),
          )
          .finally(() => inFlight.delete(key));
        inFlight.set(key, work);
      }
      await hub.forgetFinished();
    },
  };
}
