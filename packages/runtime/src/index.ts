/**
 * The data plane: strategy hosts, intent gate, journal, checkpoints, lanes and the runner process.
 *
 * Invariant: imports kernel, abi, sandbox and venues only; nobody above is known here.
 */
export * from "./protocol.ts";
export * from "./protocol-io.ts";
export { main as runnerMain } from "./runner/runner-main.ts";
export { Runner, RUNNER_LIMITS, type RunnerOptions, type SimulatedRunner } from "./runner/runner.ts";
export type { ControlLine, LineEvents } from "./runner/connection.ts";
export { type LaneThread, lanesHere, type MakeThread } from "./runner/threads.ts";
export { SYSTEM, type Surroundings } from "./surroundings.ts";
export { LiveSide, type LiveOptions } from "./gateway/live-side.ts";
export { GATEWAY_LIMITS } from "./gateway/limits.ts";
export { LEASE_TIMES } from "./runner/leases.ts";
export { InstanceHost } from "./instance/host.ts";
export { HOST_LIMITS, type HostOptions } from "./instance/host-options.ts";
export { INSPECTION_LIMITS, type Inspection, type SampledEvent } from "./instance/inspection.ts";
export { LATENCY_BOUNDS_MS } from "./instance/latency.ts";
export { HEALTH_LIMITS } from "./instance/health.ts";
export { comparable, isReproduced } from "./instance/recorder.ts";
export { admissionKey, admit, type AdmissionCheck, type AdmissionReport } from "./admission/admit.ts";
export type { AdmissionRequest } from "./admission/request.ts";
export { readJournal, type JournalContents } from "./journal/reader.ts";
export { MerkleRoot } from "./journal/merkle.ts";
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./checkpoint/format.ts";
export * from "./breaker/config.ts";
export * from "./kill-switch/rules.ts";
export { COMPUTE_POLICIES, type ComputeSide } from "./compute/policy.ts";
export type { ServiceSpec } from "./service/spec.ts";
export type { Slo } from "./slo/slo.ts";
export * from "./gate/gate.ts";
export * from "./quality/policy.ts";
export * from "./staging/policy.ts";
export * from "./stop-conditions/config.ts";
export { counted, exceeds } from "./stop-conditions/rates.ts";
export type { StagingWish } from "./staging/input.ts";
export * from "./gate/intent.ts";
export { normaliseOrder } from "./gate/normalise.ts";
export { parseMoney } from "./gate/money.ts";
export type { PythonHome } from "./strategy/process.ts";
export {
  type BoxFact,
  chooseBox,
  ISOLATION_LEVELS,
  type IsolationLevel,
  type IsolationWish,
} from "./isolation/choice.ts";
export { loadStrategy, type LoadStrategyOptions, readEntrypoint } from "./strategy/load.ts";
export * from "./strategy/strategy.ts";
export { COMPUTE_NICE, lowerThread } from "./lane/priority.ts";
export { MeasuredLane, type MeasuredLaneOptions } from "./measure/lane.ts";
export { type BurstOptions, type BurstResult, runBurst } from "./measure/burst.ts";
export {
  type BacktestMeasurement,
  type BacktestOptions,
  type BacktestResult,
  measureBacktest,
  runBacktest,
} from "./backtest.ts";
export { replayRun, type ReplayReport, type ReplayRunOptions } from "./replay/replay-run.ts";
export { readRunRecord, RUN_RECORD_FILE, type RunRecord } from "./instance/run-record.ts";
