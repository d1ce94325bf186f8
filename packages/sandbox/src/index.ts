/**
 * Isolation drivers: raw bytes in and out of code that nobody trusts. Knows nothing of what the bytes mean.
 */
export * from "./fault.ts";
export * from "./limits.ts";
export { openWasmBox, WASM_FAULTED, WasmBox, type WasmBoxOptions } from "./wasm/box.ts";
export { measureWasmCall } from "./wasm/measure.ts";
export { ENTRY, type RewrittenModule, type RewriteOptions, rewriteModule, type WasmEntry } from "./wasm/rewrite.ts";
