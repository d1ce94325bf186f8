/** Every limit of the isolation drivers, by name. A caller chooses inside these; nothing exceeds them. */
export const SANDBOX_LIMITS = {
  wasm_module_bytes: 16_777_216,
  wasm_functions: 20_000,
  wasm_types: 20_000,
  wasm_globals: 10_000,
  wasm_exports: 10_000,
  wasm_segments: 20_000,
  wasm_function_bytes: 1_048_576,
  wasm_function_locals: 10_000,
  /** Nested blocks of one function. */
  wasm_control_depth: 1_000,
  wasm_tables: 4,
  wasm_table_entries: 100_000,
  wasm_page_bytes: 65_536,
  wasm_memory_bytes: 1_073_741_824,
  /** The fuel counter is a signed 32-bit number; half its range leaves room for any single charge. */
  wasm_fuel: 1_073_741_824,
  wasm_cached_modules: 64,
  /** A TypeScript strategy's bundle. */
  script_bytes: 4_194_304,
  /** One frame between host and a jailed process. */
  frame_bytes: 1_048_576,
  /** The kernel's filter length. */
  bpf_instructions: 4_096,
  /** How long a mechanism's probe may take. */
  probe_ms: 5_000,
} as const;
