/**
 * The data plane: strategy hosts, intent gate, journal, checkpoints, lanes and the runner process.
 *
 * Invariant: imports kernel, abi, sandbox and venues only; nobody above is known here.
 */
export * from "./protocol.ts";
export * from "./protocol-io.ts";
