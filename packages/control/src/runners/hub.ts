/**
 * The control plane's side of every runner: who is connected, what they report, what they are asked.
 *
 * A report is queued per connection and taken by one loop; nothing acts inside a callback. The hub keeps
 * in memory only what a new connection tells again: the last status of each instance.
 *
 * Invariants (hub.test.ts)
 * - A running instance is adopted only if the lease's holder and epoch are the runner's; else it is told to stop.
 * - A journal entry or segment is acknowledged only after its commit.
 * - A renewal is granted only by the lease row itself (M-7.1.2).
 */
import { millis, type Millis } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";
import type { ControlMessage, InstanceStatus, RunnerMessage } from "@rumi/runtime";
import { LEASE_TTL_MS, write } from "@rumi/store";
import { observeStatus, resource } from "../instances/observe.ts";
import { keyText, readInstance, readRun, type InstanceRow, type Key } from "../instances/tables.ts";
import type { Reported } from "../instances/plan.ts";
import type { Tightened } from "../emergency/spool.ts";
import type { Followed } from "../kill-switch/operations.ts";
import { readKillSwitch, wireRules, type KillSwitch } from "../kill-switch/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { observeHandover } from "../updates/handover.ts";
import { seenOf } from "../risk/seen.ts";
import { readSafety } from "../safety/tables.ts";
import { ingestJournal } from "../views/ingest.ts";
import type { ViewTables } from "../views/tables.ts";
import { mayAdopt, releaseLeasesOf } from "./adoption.ts";
import type { RunnerConnection } from "./connection.ts";
import { createRecorder, keyOf, type Recorder, type RecorderDeps } from "./recorder.ts";
import { renewLeases } from "./renewals.ts";
import { putRunner, setRunnerState, type IsolationFact } from "./tables.ts";

export type Reply = Extract<RunnerMessage, { type: "reply" }> | { readonly type: "silence" };
/** A request without its number: the hub gives one. */
type WithoutNumber<Message> = Message extends { readonly request: number } ? Omit<Message, "request"> : never;
export type RunnerRequest = WithoutNumber<
  Extract<
    ControlMessage,
    {
      type:
        | "start"
        | "stop"
        | "pause"
        | "continue"
        | "inspect"
        | "handover"
        | "config"
        | "breaker"
        | "staging"
        | "shutdown";
    }
  >
>;

export interface RunnerHub {
  attach(connection: RunnerConnection): void;
  /** Runners that have reported what they run. */
  ready(): readonly string[];
  /** Process id of each connected runner, as its proven hello told it. */
  processes(): ReadonlyMap<string, number>;
  /** Its holder's report; but first that of somebody else who still runs it and has to be stopped. */
  reported(instance: Key & Pick<InstanceRow, "holder">): Reported | undefined;
  /** Everything that any ready runner says it hosts and that is not over, wanted or not. */
  hosted(): readonly Reported[];
  /** By how many milliseconds each runner's clock is off, as far as several words of it in a row agree. */
  clockErrors(): ReadonlyMap<string, number>;
  /** Whether a ready runner hosts nothing that is not over. */
  hostsNothing(runner_id: string): boolean;
  /** Runners that host something and have said nothing for so long that every lease of theirs ran out. */
  standingStill(): readonly string[];
  isolation(): readonly IsolationFact[];
  /** Resolves with the answer, or with silence after the limit or when the connection ends. */
  ask(runner_id: string, request: RunnerRequest): Promise<Reply>;
  tell(runner_id: string, message: ControlMessage): void;
  /** Tells every runner the safety mode; called after each change and to each newcomer. */
  tellSafety(mode: SafetyMode, generation: number): void;
  /** Tells every runner the kill switch's rules; called after each change and to each newcomer. */
  tellKillSwitch(now: KillSwitch): void;
  /** What each connected runner has followed of the kill switch. */
  followed(): Followed;
  /** The runner's process is proven to have ended. */
  runnerGone(runner_id: string): Promise<void>;
  /** Was this run taken over, or its runner proven gone, since the program started? */
  settled(run_id: string): boolean;
  settle(run_id: string): void;
  readonly recorder: Recorder;
  /** Tells runners to let go of runs that are over and whose journal has been silent long enough. */
  forgetFinished(): Promise<void>;
  /** Resolves when everything received so far is dealt with. */
  idle(): Promise<void>;
  onChange(listener: () => void): void;
  close(): void;
}

type Peer = {
  readonly connection: RunnerConnection;
  ready: boolean;
  readonly reported: Map<string, InstanceStatus>;
  isolation: readonly IsolationFact[];
  followed: { readonly generation: number; readonly instances: number } | null;
  queued: number;
  /** Milliseconds, of its last few renewals: a word that waited somewhere looks late, a clock that is off is so each time. */
  clock_errors: readonly number[];
  /** Monotonic; when it last said anything. */
  heard_at: number;
  work: Promise<void>;
};

/** Messages after which something else may have to be done; journals and renewals come by the thousand and change no plan. */
const MOVING: ReadonlySet<RunnerMessage["type"]> = new Set<RunnerMessage["type"]>(["instances", "status", "reply"]);

export function createRunnerHub(
  deps: RecorderDeps & { readonly lease_ttl?: Millis; readonly tightened?: Pick<Tightened, "mode" | "rules"> },
): RunnerHub {
  const { store, clock, logger } = deps;
  const ttl = deps.lease_ttl ?? millis(LEASE_TTL_MS);
  const recorder = createRecorder(deps);
  const peers = new Map<string, Peer>();
  const waiting = new Map<number, { readonly peer: Peer; readonly resolve: (reply: Reply) => void }>();
  const settled = new Set<string>();
  const listeners: (() => void)[] = [];
  let nextRequest = 1;
  const hostsNothing = (runner_id: string): boolean =>
    [...(peers.get(runner_id)?.reported.values() ?? [])].every(isOver);
  const modeOf = (row: SafetyMode): SafetyMode => deps.tightened?.mode(row) ?? row;
  const rulesOf = (now: KillSwitch): ReturnType<typeof wireRules> =>
    deps.tightened?.rules(wireRules(now)) ?? wireRules(now);
  const changed = (): void => {
    for (const listener of listeners) listener();
  };

  const handle = async (peer: Peer, message: RunnerMessage): Promise<void> => {
    const { runner_id, pid } = peer.connection.hello;
    switch (message.type) {
      case "hello":
      case "proof":
        return; // the handshake's, already done
      case "instances": {
        const adopted: InstanceStatus[] = [];
        for (const status of message.instances) {
          if (await mayAdopt(store, runner_id, status)) adopted.push(status);
          else if (status.phase !== "stopped" && status.phase !== "failed") tellStop(peer, status, "LEASE_MISMATCH");
          peer.reported.set(keyText(status), status);
        }
        peer.isolation = message.isolation;
        const now = clock.now();
        const row = {
          runner_id,
          pid,
          state: "connected" as const,
          isolation: JSON.stringify(message.isolation),
          instances: message.instances.length,
          connected_at: now,
          last_seen_at: now,
        };
        const event = {
          action: adopted.length > 0 ? "runner.adopted" : "runner.joined",
          resource_type: "runner",
          resource_id: runner_id,
          outcome: "SUCCESS" as const,
          details: { pid, instances: message.instances.length },
        };
        await recorder.commit(`runner:${runner_id}`, [putRunner(store, row)], [event]);
        for (const status of adopted) {
          settled.add(status.run_id);
          await observe(peer, status);
        }
        peer.ready = true;
        return;
      }
      case "renew": {
        const leases = await renewLeases(store, runner_id, message.leases, ttl);
        peer.connection.send({ type: "renewed", request: message.request, leases });
        return;
      }
      case "status":
        return observe(peer, message.status);
      case "journal": {
        const taken = await ingestJournal(deps, runner_id, message.run_id, message.entries);
        if (taken.kind === "acknowledge")
          peer.connection.send({ type: "journal_ack", run_id: message.run_id, seq: taken.seq });
        else logger.warning("a journal was refused", { runner_id, run_id: message.run_id, why: taken.why });
        return;
      }
      case "segment":
        return sealSegment(peer, message.segment);
      case "killswitch_followed": {
        const { generation, instances } = message;
        peer.followed = { generation, instances };
        const event = {
          action: "execution.killswitch.followed",
          resource_type: "runner",
          resource_id: runner_id,
          outcome: "SUCCESS" as const,
          details: { generation, instances },
        };
        // Its word also comes while the log cannot be written; the line is not to be cut for that.
        await recorder
          .commit(`runner:${runner_id}`, [], [event])
          .catch((error: unknown) => logger.error("a followed kill switch could not be audited", { runner_id, error }));
        return;
      }
      case "reply": {
        const asked = waiting.get(message.request);
        if (asked?.peer !== peer) return; // an answer that nobody waits for any more
        waiting.delete(message.request);
        // What an inspection shows is for whoever asked; nothing of it is kept.
        if (message.ok && message.status.inspection === undefined) await observe(peer, message.status);
        asked.resolve(message);
        return;
      }
    }
  };

  const hearClock = (peer: Peer, wall_us: number): void => {
    const error = (wall_us - clock.now()) / 1_000;
    peer.clock_errors = [...peer.clock_errors, error].slice(-CONTROL_LIMITS.clock_samples);
  };

  const observe = async (peer: Peer, status: InstanceStatus): Promise<void> => {
    const { runner_id } = peer.connection.hello;
    peer.reported.set(keyText(status), status);
    await recorder.record(keyOf(status), `runner:${runner_id}`, (facts) => {
      const { instance } = facts;
      if (
        instance.run_id !== status.run_id ||
        instance.epoch !== status.epoch ||
        (instance.holder !== null && instance.holder !== runner_id)
      )
        return undefined;
      if (instance.holder === null && instance.phase === status.phase) return undefined; // told before
      const observed = observeHandover(facts, status, clock.now()) ?? observeStatus(facts, status, clock.now());
      return { ...observed, ...seenOf(facts, status) };
    });
  };

  const sealSegment = async (
    peer: Peer,
    segment: Extract<RunnerMessage, { type: "segment" }>["segment"],
  ): Promise<void> => {
    const { runner_id } = peer.connection.hello;
    const run = await readRun(store, store, segment.run_id);
    if (run === undefined || run.holder !== runner_id)
      return logger.warning("a segment was refused", { runner_id, run_id: segment.run_id });
    const instance = await readInstance(store, store, run);
    const row = { run_id: segment.run_id, segment: segment.segment, root: segment.root };
    const known = await store.rows<{ root: string }>(
      store
        .builder<ViewTables>()
        .selectFrom("journal_segment")
        .select("root")
        .where("run_id", "=", row.run_id)
        .where("segment", "=", row.segment),
    );
    if (known.length === 0 && instance !== undefined) {
      const details = {
        bot_id: run.bot_id,
        strategy_id: run.strategy_id,
        instance_id: run.instance_id,
        epoch: instance.epoch,
        runner_id,
        segment: segment.segment,
        merkle_root: segment.root,
        records: segment.records,
        first_seq: segment.first_seq,
        last_seq: segment.last_seq,
      };
      const event = { action: "journal.segment.sealed", ...resource(instance), outcome: "SUCCESS" as const, details };
      await recorder.commit(
        `runner:${runner_id}`,
        [
          write(
            store
              .builder<ViewTables>()
              .insertInto("journal_segment")
              .values(row)
              .onConflict((on) => on.doNothing()),
            1,
          ),
        ],
        [event],
        { run_id: run.run_id, trace_id: run.trace_id },
      );
    } else if (known[0] !== undefined && known[0].root !== segment.root) {
      return logger.error("a segment was sent again with another root", { run_id: row.run_id, segment: row.segment });
    }
    peer.connection.send({ type: "segment_ack", run_id: segment.run_id, segment: segment.segment });
  };

  const tellStop = (peer: Peer, status: InstanceStatus, reason: string): void =>
    void peer.connection.send({
      type: "stop",
      request: nextRequest++,
      run_id: status.run_id,
      epoch: status.epoch,
      reason,
    });

  /** The safety mode and the kill switch, to a newcomer. */
  const sayWhatHolds = async (connection: RunnerConnection): Promise<void> => {
    const { mode, generation } = await readSafety(store, store);
    connection.send({ type: "safety", mode: modeOf(mode as SafetyMode), generation });
    const kill = await readKillSwitch(store, store);
    const rules = rulesOf(kill);
    if (kill.generation > 0 || rules.length > 0)
      connection.send({ type: "killswitch", generation: kill.generation, rules });
  };

  const detach = (peer: Peer): void => {
    const { runner_id } = peer.connection.hello;
    if (peers.get(runner_id) === peer) peers.delete(runner_id);
    for (const [request, asked] of waiting) {
      if (asked.peer !== peer) continue;
      waiting.delete(request);
      asked.resolve({ type: "silence" });
    }
    changed();
  };

  return {
    recorder,
    attach: (connection) => {
      const { runner_id } = connection.hello;
      peers.get(runner_id)?.connection.close(); // a runner that dials again leaves its old connection behind
      const peer: Peer = {
        connection,
        ready: false,
        reported: new Map(),
        isolation: [],
        followed: null,
        clock_errors: [],
        queued: 0,
        heard_at: clock.monotonic(),
        work: Promise.resolve(),
      };
      peers.set(runner_id, peer);
      connection.onClose(() => detach(peer));
      connection.onMessage((message) => {
        peer.queued += 1;
        peer.heard_at = clock.monotonic();
        // Here and not when its turn comes: what it waits for then is ours, and says nothing of its clock.
        if (message.type === "renew" && message.wall_us !== undefined) hearClock(peer, message.wall_us);
        if (peer.queued > CONTROL_LIMITS.queued_messages) return connection.close();
        peer.work = peer.work
          .then(() => handle(peer, message))
          .catch((error: unknown) => {
            // Nothing of it was acknowledged: the runner says it again on its next connection.
            logger.error("a runner's message could not be dealt with", { runner_id, type: message.type, error });
            connection.close();
          })
          .finally(() => {
            peer.queued -= 1;
            if (MOVING.has(message.type)) changed();
          });
      });
      // Before anything that it says is taken, and so before anything may be started on it.
      peer.work = sayWhatHolds(connection).catch((error: unknown) => {
        logger.error("safety mode and kill switch could not be read for a runner", { runner_id, error });
        connection.close();
      });
    },
    processes: () => new Map([...peers].map(([runner_id, peer]) => [runner_id, peer.connection.hello.pid])),
    ready: () => [...peers].filter(([, peer]) => peer.ready).map(([runner_id]) => runner_id),
    reported: (instance) => {
      const told = [...peers].flatMap(([runner_id, peer]) => {
        const status = peer.ready ? peer.reported.get(keyText(instance)) : undefined;
        return status === undefined ? [] : [{ runner_id, status }];
      });
      return (
        told.find((one) => one.runner_id !== instance.holder && !isOver(one.status)) ??
        told.find((one) => one.runner_id === instance.holder) ??
        told[0]
      );
    },
    hosted: () =>
      [...peers].flatMap(([runner_id, { ready, reported }]) =>
        ready ? [...reported.values()].filter((one) => !isOver(one)).map((status) => ({ runner_id, status })) : [],
      ),
    clockErrors: () =>
      new Map(
        [...peers].flatMap(([runner_id, { clock_errors }]) => {
          const [least] = clock_errors.toSorted((a, b) => Math.abs(a) - Math.abs(b));
          return least === undefined || clock_errors.length < CONTROL_LIMITS.clock_samples ? [] : [[runner_id, least]];
        }),
      ),
    hostsNothing,
    standingStill: () =>
      [...peers].flatMap(([runner_id, { heard_at }]) =>
        clock.monotonic() - heard_at > ttl && !hostsNothing(runner_id) ? [runner_id] : [],
      ),
    isolation: () => [...peers.values()].flatMap((peer) => peer.isolation),
    ask: (runner_id, request) => {
      const peer = peers.get(runner_id);
      if (peer === undefined) return Promise.resolve({ type: "silence" });
      const number = nextRequest++;
      return new Promise((settle) => {
        // The limit's timer ends with the answer, or it would keep an ending program alive.
        const answered = new AbortController();
        const resolve = (reply: Reply): void => {
          answered.abort();
          settle(reply);
        };
        waiting.set(number, { peer, resolve });
        void clock.sleep(millis(CONTROL_LIMITS.runner_request_ms), answered.signal).then(() => {
          if (waiting.delete(number)) resolve({ type: "silence" });
        });
        if (peer.connection.send({ ...request, request: number })) return;
        waiting.delete(number);
        resolve({ type: "silence" });
      });
    },
    tell: (runner_id, message) => void peers.get(runner_id)?.connection.send(message),
    tellSafety: (mode, generation) => {
      for (const { connection } of peers.values()) connection.send({ type: "safety", mode: modeOf(mode), generation });
    },
    tellKillSwitch: (now) => {
      const rules = rulesOf(now);
      for (const { connection } of peers.values())
        connection.send({ type: "killswitch", generation: now.generation, rules });
    },
    followed: () => new Map([...peers].flatMap(([id, { followed }]) => (followed === null ? [] : [[id, followed]]))),
    runnerGone: async (runner_id) => {
      const peer = peers.get(runner_id);
      if (peer !== undefined) {
        await peer.work; // what it said before it died still counts
        peer.connection.close();
        detach(peer);
      }
      const lost = {
        action: "runner.lost",
        resource_type: "runner",
        resource_id: runner_id,
        outcome: "FAILURE" as const,
        details: { reason_code: "PROCESS_EXITED" },
      };
      await recorder.commit("system:runners", [setRunnerState(store, runner_id, "gone", clock.now())], [lost]);
      await releaseLeasesOf(recorder, store, runner_id, clock.now(), settled);
      changed();
    },
    settled: (run_id) => settled.has(run_id),
    settle: (run_id) => void settled.add(run_id),
    forgetFinished: async () => {
      const before = clock.now() - CONTROL_LIMITS.forget_after_ms * 1_000;
      for (const peer of peers.values()) {
        for (const [key, { run_id, phase }] of peer.reported) {
          if (phase !== "stopped" && phase !== "failed") continue;
          const run = await readRun(store, store, run_id);
          if (run !== undefined && (run.ended_at === null || Math.max(run.ended_at, run.journal_at) > before)) continue;
          if (peer.reported.get(key)?.run_id === run_id) peer.reported.delete(key);
          peer.connection.send({ type: "forget", run_id });
        }
      }
    },
    idle: async () => {
      await Promise.all([...peers.values()].map((peer) => peer.work));
    },
    onChange: (listener) => void listeners.push(listener),
    close: () => {
      for (const { connection } of peers.values()) connection.close();
    },
  };
}

const isOver = ({ phase }: InstanceStatus): boolean => phase === "stopped" || phase === "failed";
