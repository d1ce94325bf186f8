/**
 * The one pipeline for every operation, and what is derived from the declarations.
 *
 * Invariant: nothing an operator or a client wants changes state except through {@link createPipeline}.
 */
export * from "./answer.ts";
export { PIPELINE_EVENTS, rehearsedAction } from "./audit.ts";
export * from "./auth/failure-limiter.ts";
export * from "./auth/token.ts";
export * from "./define.ts";
export * from "./derive/cli.ts";
export * from "./derive/openapi.ts";
export { refusals } from "./derive/openapi-answers.ts";
export * from "./derive/permissions.ts";
export * from "./guards.ts";
export * from "./limits.ts";
export * from "./logging.ts";
export * from "./metrics.ts";
export * from "./operation.ts";
export { dueOf } from "./outbox.ts";
export { PIPELINE_ORDER } from "./pipeline/order.ts";
export * from "./pipeline/pipeline.ts";
export type { Recovery } from "./pipeline/recover.ts";
export { type CommandRequest, type PipelineSettings, STAGE_NAMES, type StageName } from "./pipeline/run.ts";
export * from "./reconciler.ts";
export * from "./registry.ts";
export { scrubbedStore } from "./scrubbing.ts";
export { NO_INPUT, type RawInput, uploadInput } from "./validate/raw-input.ts";
export { parseStrictJson } from "./validate/strict-json.ts";
