/** A small runner over a real socket and the real protocol: it obeys, reports and repeats, but runs no strategy. */
import { connect, type Socket } from "node:net";
import { systemRandom } from "@rumi/kernel";
import {
  answerChallenge,
  encodeMessage,
  MessageDecoder,
  newNonce,
  type ControlMessage,
  type InstanceSpec,
  type InstanceStatus,
  type JournalEntry,
  type RunnerMessage,
} from "@rumi/runtime";

export type FakeRunner = {
  readonly runner_id: string;
  readonly received: ControlMessage[];
  readonly instances: Map<string, { status: InstanceStatus; spec: InstanceSpec }>;
  readonly refuseStarts: {
    with: { error_code: string; reason_code: string | null; error: string; suggestion: string } | "no answer" | null;
  };
  dial(): Promise<void>;
  send(message: RunnerMessage): void;
  report(run_id: string, change: Partial<InstanceStatus>): void;
  renew(run_id: string): Promise<boolean>;
  /** The connection breaks; instances go on. */
  drop(): void;
};

export function fakeRunner(path: string, key: Uint8Array, runner_id = "runner-1"): FakeRunner {
  const random = systemRandom();
  const received: ControlMessage[] = [];
  const instances: FakeRunner["instances"] = new Map();
  const refuseStarts: FakeRunner["refuseStarts"] = { with: null };
  let socket: Socket | undefined;
  let waiting: ((message: ControlMessage) => void)[] = [];
  const send = (message: RunnerMessage): void => void socket?.write(encodeMessage(message));
  const reply = (request: number, status: InstanceStatus): void => send({ type: "reply", request, ok: true, status });
  const act = (message: ControlMessage): void => {
    switch (message.type) {
      case "start": {
        if (refuseStarts.with === "no answer") return;
        if (refuseStarts.with !== null)
          return send({ type: "reply", request: message.request, ok: false, failure: refuseStarts.with });
        const { spec } = message;
        const status = statusOf(spec);
        instances.set(spec.run_id, { spec, status });
        return reply(message.request, status);
      }
      case "stop":
      case "handover":
      case "pause":
      case "continue":
      case "config": {
        const found = instances.get(message.run_id);
        if (found === undefined || found.status.epoch !== message.epoch) {
          return send({
            type: "reply",
            request: message.request,
            ok: false,
            failure: { error_code: "RUMI-STR-025", reason_code: null, error: "no such run", suggestion: "none" },
          });
        }
        const phase = {
          stop: "stopped",
          handover: "stopped",
          pause: "paused",
          continue: "running",
          config: found.status.phase,
        }[message.type] as InstanceStatus["phase"];
        const reason_code = message.type === "handover" ? "M.RUN.HANDED_OVER" : found.status.reason_code;
        // As a runner does, which asks a venue outside before it says that it stopped.
        const asked = message.type === "stop" && found.spec.mode === "live" ? { venue_open: 0 } : {};
        found.status = { ...found.status, phase, reason_code, ...asked };
        return reply(message.request, found.status);
      }
      case "killswitch":
        return send({ type: "killswitch_followed", generation: message.generation, instances: instances.size });
      case "breaker":
      case "staging":
      case "challenge":
      case "forget":
      case "inspect":
      case "journal_ack":
      case "renewed":
      case "safety":
      case "segment_ack":
      case "shutdown":
      case "welcome":
        return;
    }
  };
  return {
    runner_id,
    received,
    instances,
    refuseStarts,
    send,
    dial: () =>
      new Promise((resolve, reject) => {
        const decoder = MessageDecoder.forControlMessages();
        const runner_nonce = newNonce(random);
        socket = connect(path);
        socket.on("error", reject);
        socket.on("close", () => reject(new Error("closed")));
        socket.on("connect", () =>
          send({ type: "hello", protocol: 1, runner_id, pid: process.pid, nonce: runner_nonce, started_at: 0 }),
        );
        socket.on("data", (chunk: Buffer) => {
          const messages = decoder.push(chunk);
          if (!messages.ok) {
            process.stderr.write(`the fake runner cannot read it: ${JSON.stringify(messages.error)}\n`);
            return reject(new Error(messages.error.code));
          }
          for (const message of messages.value) {
            received.push(message);
            if (message.type === "challenge") {
              const proof = answerChallenge(message, { key, runner_id, runner_nonce });
              if (!proof.ok) return reject(new Error(proof.error.code));
              send(proof.value);
            } else if (message.type === "welcome") {
              send({
                type: "instances",
                instances: [...instances.values()].map((one) => one.status),
                isolation: [
                  { level: "L2", mechanism: "wasm", available: true, reason: null },
                  { level: "L1", mechanism: "bubblewrap", available: false, reason: "bwrap is not installed" },
                ],
              });
              resolve();
            } else {
              act(message);
              const heard = waiting;
              waiting = [];
              for (const one of heard) one(message);
            }
          }
        });
      }),
    report: (run_id, change) => {
      const found = instances.get(run_id);
      if (found === undefined) throw new Error(`the fake runner does not run ${run_id}`);
      found.status = { ...found.status, ...change };
      send({ type: "status", status: found.status });
    },
    renew: async (run_id) => {
      const found = instances.get(run_id);
      if (found === undefined) throw new Error(`the fake runner does not run ${run_id}`);
      const { bot_id, strategy_id, instance_id, epoch } = found.status;
      send({ type: "renew", request: 1, leases: [{ bot_id, strategy_id, instance_id, epoch }] });
      for (;;) {
        const message = await new Promise<ControlMessage>((resolve) => void waiting.push(resolve));
        if (message.type === "renewed") return message.leases[0]?.granted ?? false;
      }
    },
    drop: () => socket?.destroy(),
  };
}

export function statusOf(spec: InstanceSpec): InstanceStatus {
  const { bot_id, strategy_id, instance_id, run_id, epoch } = spec;
  return {
    bot_id,
    strategy_id,
    instance_id,
    run_id,
    epoch,
    phase: "running",
    health_state: "healthy",
    reason_code: null,
    failure: null,
    isolation: { level: "L2", mechanism: "wasm" },
    cursor: 0,
    events_total: 0,
    intents_total: 0,
    orders_open: 0,
    last_checkpoint: null,
    positions: [],
    counters: {},
  };
}

export function intentEntry(seq: number, client_order_id: string): JournalEntry {
  return {
    seq,
    at_us: seq,
    event_time_us: seq,
    cursor: seq,
    trace_id: "t-1",
    kind: "intent",
    intent: { kind: "OrderIntent" },
    verdict: "forwarded",
    reason_code: null,
    client_order_id,
    idempotency_key: `key-${seq}`,
  };
}

export function orderEntry(seq: number, client_order_id: string, kind: string): JournalEntry {
  return {
    seq,
    at_us: seq,
    event_time_us: seq,
    cursor: seq,
    trace_id: "t-1",
    kind: "order",
    report: { client_order_id, kind },
  };
}

export function fillEntry(seq: number, client_order_id: string): JournalEntry {
  return {
    seq,
    at_us: seq,
    event_time_us: seq,
    cursor: seq,
    trace_id: "t-1",
    kind: "fill",
    fill: { client_order_id, price: "1.5", quantity: "2" },
  };
}
