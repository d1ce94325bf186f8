/** Market data and execution: recordings, the synthetic market, instruments, the simulated exchange. */
export * from "./columns.ts";
export * from "./generator.ts";
export * from "./limits.ts";
export * from "./types.ts";
