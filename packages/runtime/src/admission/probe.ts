/**
 * One synthetic frame of each kind that is no market row: executions of an order the strategy never sent (an earlier
 * life may have), safety, a timer of its own, a signal, its configuration. What it answers is read and thrown away.
 */
import { type InstrumentSpec, REFUSAL, type StrategyDescriptor } from "@rumi/abi";
import type { ClientOrderId } from "@rumi/kernel";
import type { ExecutionReport } from "@rumi/venues";
import { Caller, HANDLES, runIdBytes, strategyFault } from "../instance/calls.ts";
import type { InstanceMachine } from "../instance/machine.ts";
import { readOutputs } from "../instance/output.ts";
import { FAULTED, type Strategy } from "../strategy/strategy.ts";

export const PROBE_RUN = "00000000-0000-7000-8000-000000000002";
const RECORDS_MAX = 4_096;

export type SmokeProblem = { readonly reason_code: string; readonly detail: string };

/** Reasons that break the contract; what the gate only limits (caps, prices) is no breach. */
export const CONTRACT: RegExp = /^M\.(ABI|OUTPUT|TELEMETRY|INTENT\.(MISSING|FOREIGN|MALFORMED|DUPLICATE))/;

export function probe(scene: {
  readonly strategy: Strategy;
  readonly descriptor: StrategyDescriptor;
  readonly instruments: readonly InstrumentSpec[];
  readonly life: InstanceMachine;
}): SmokeProblem | null {
  const { strategy, descriptor, instruments, life } = scene;
  const { subscribe } = descriptor.capabilities;
  const caller = new Caller(strategy);
  const { header } = caller;
  header.traceId.set(Buffer.from(life.traceId, "hex"));
  header.cursor = life.save().inputs;
  header.eventTimeUs = header.receivedTimeUs = header.processedTimeUs = life.clock;
  const timer = life.save().timers[0]?.[0] ?? 1;
  const report = (kind: ExecutionReport["kind"], remaining: number, reason: number = REFUSAL.none): number =>
    caller.execution(syntheticReport(kind, remaining, instruments[0], life.clock), 0, instruments[0], reason);
  const quantity = instruments[0]?.min_quantity ?? 1;
  const calls: readonly (readonly [kind: string, name: string, call: () => number])[] = [
    ["execution", "an accepted order", () => report("accepted", quantity)],
    ["execution", "a rejected order", () => report("rejected", 0, REFUSAL.outside)],
    ["execution", "an intent that the gate refused", () => report("rejected", quantity, REFUSAL.limit)],
    ["execution", "a filled order", () => report("filled", 0)],
    ["execution", "a cancelled order", () => report("cancelled", 0)],
    ["safety", "safety SAFE", () => caller.safety(authority("SAFE", null), 1)],
    ["safety", "the kill switch", () => caller.safety(authority("SAFE", "all"), 2)],
    ["safety", "safety NORMAL", () => caller.safety(authority("NORMAL", null), 3)],
    ["timer", "a timer", () => caller.timer(timer, life.clock)],
    ["signal", "a signal", () => caller.signal({ admission: true })],
    ["config", "its configuration", () => caller.config(life.config, 1)],
  ];
  for (const [kind, name, call] of calls) {
    if (kind !== "config" && !subscribe.some((one) => one === kind)) continue;
    const reason = judge(strategy, call(), header.traceId);
    header.cursor += 1;
    if (reason !== null) return { reason_code: reason, detail: `answered ${name} wrongly` };
  }
  return null;
}

function judge(strategy: Strategy, length: number, trace: Uint8Array): string | null {
  if (length < 0) return strategyFault(strategy, length, "on_event").reason_code;
  if (length === 0) return null;
  const at = strategy.outputAt(length);
  if (at === FAULTED) return strategyFault(strategy, at, "output").reason_code;
  const own = { ...HANDLES, runId: runIdBytes(PROBE_RUN) };
  for (const output of readOutputs(strategy.views, at, length, own, trace, RECORDS_MAX)) {
    if (output.kind === "violation" && CONTRACT.test(output.reason_code)) return output.reason_code;
    if (output.kind !== "intent") continue;
    const { missing, foreign } = output.intent;
    const word = (field: string): string => field.toUpperCase().replaceAll(".", "_");
    if (missing !== "") return `M.INTENT.MISSING_${word(missing)}`;
    if (foreign !== "") return `M.INTENT.FOREIGN_${word(foreign)}`;
  }
  return null;
}

function syntheticReport(
  kind: ExecutionReport["kind"],
  remaining: number,
  of: InstrumentSpec | undefined,
  event_time_us: number,
): ExecutionReport {
  const filled = kind === "filled";
  return {
    kind,
    client_order_id: "admissionprobe" as ClientOrderId,
    venue_order_id: "1",
    fill_id: filled ? "1" : null,
    instrument: 0,
    side: "buy",
    price: filled ? (of?.tick_size ?? 1) * 1_000 : 0,
    quantity: filled ? (of?.min_quantity ?? 1) : 0,
    remaining,
    fee: 0n,
    liquidity: filled ? "taker" : "none",
    reason_code: kind === "rejected" ? "M.VENUE.PRICE" : null,
    event_time_us,
  };
}

const authority = (safety: "NORMAL" | "SAFE", scope: "all" | null) =>
  ({ word: { safety, kill_switch: scope === null ? "ALLOW" : "BLOCK" }, scope }) as const;
