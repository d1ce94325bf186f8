/**
 * The one door to the engine's `WebAssembly`: typed here, because the compiler's library names it only for browsers.
 */
export type WasmModule = { readonly brand: "WasmModule" };
export type WasmMemory = { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };
export type WasmGlobal = { value: number };
export type WasmInstance = { readonly exports: Readonly<Record<string, unknown>> };

type Engine = {
  readonly validate: (bytes: Uint8Array) => boolean;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => WasmInstance;
  readonly Memory: new (descriptor: { initial: number; maximum: number }) => WasmMemory;
  readonly Global: new (descriptor: { value: "i32"; mutable: true }, value: number) => WasmGlobal;
  readonly RuntimeError: new (message?: string) => Error;
};

export const wasmEngine = (globalThis as unknown as { readonly WebAssembly: Engine }).WebAssembly;
