/** Market data and execution: recordings, the synthetic market, instruments, the simulated exchange. */
export * from "./book.ts";
export * from "./columns.ts";
export * from "./feed-builder.ts";
export * from "./generator.ts";
export * from "./instruments.ts";
export * from "./limits.ts";
export * from "./recordings/infer.ts";
export * from "./recordings/load.ts";
export * from "./recordings/measure.ts";
export { DEFAULT_QUALITY, type QualityBounds } from "./recordings/row-checker.ts";
export type { ScanOptions, ScanProgress } from "./recordings/scan.ts";
export * from "./types.ts";
export { feeOf } from "./simulated/account.ts";
export * from "./simulated/reasons.ts";
export { createSimulatedVenue } from "./simulated/venue.ts";
