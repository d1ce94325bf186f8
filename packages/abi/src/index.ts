/**
 * The strategy ABI: descriptor, instruments, frames and their codec; the same bytes in Wasm memory and pipes.
 *
 * Invariant: imports the kernel only.
 */
export * from "./client-order-id.ts";
export { CONFIG_STRING_CHARACTERS, validateConfig } from "./config.ts";
export * from "./descriptor.ts";
export * from "./descriptor-parse.ts";
export * from "./generated/header.ts";
export * from "./generated/input.ts";
export * from "./generated/output.ts";
export * from "./instrument.ts";
export * from "./pipe.ts";
export * from "./records.ts";
export * from "./schema.ts";
export * from "./views.ts";
