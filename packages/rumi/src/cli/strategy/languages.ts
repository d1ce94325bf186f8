/** What `rumi strategy` knows of each language: where its source lies, what runs, what it needs. */
import type { RuntimeKind, StrategyDescriptor } from "@rumi/abi";

export const LANGUAGES = ["rust", "python", "typescript", "rust-native"] as const;
export type Language = (typeof LANGUAGES)[number];

export type LanguageFacts = {
  readonly runtime_kind: RuntimeKind;
  /** Both relative to the folder that holds the entrypoint. */
  readonly source: string;
  readonly entrypoint: string;
  readonly guide: string;
  readonly resources: Pick<StrategyDescriptor["resources"], "event_timeout_ms" | "fuel_per_event" | "memory_bytes">;
};

export const FACTS: Readonly<Record<Language, LanguageFacts>> = {
  rust: {
    runtime_kind: "rust_wasm",
    source: "src/lib.rs",
    entrypoint: "strategy.wasm",
    guide: "first-strategy-rust.md",
    resources: { event_timeout_ms: 50, fuel_per_event: 1_000_000, memory_bytes: 16_777_216 },
  },
  python: {
    runtime_kind: "python",
    source: "strategy.py",
    entrypoint: "strategy.py",
    guide: "first-strategy-python.md",
    resources: { event_timeout_ms: 250, fuel_per_event: 1, memory_bytes: 268_435_456 },
  },
  typescript: {
    runtime_kind: "typescript",
    source: "src/strategy.ts",
    entrypoint: "strategy.js",
    guide: "first-strategy-typescript.md",
    resources: { event_timeout_ms: 100, fuel_per_event: 20_000_000, memory_bytes: 33_554_432 },
  },
  "rust-native": {
    runtime_kind: "rust_native",
    source: "src/main.rs",
    entrypoint: "strategy",
    guide: "first-strategy-rust-native.md",
    resources: { event_timeout_ms: 250, fuel_per_event: 1, memory_bytes: 268_435_456 },
  },
};

/** Where the source of a strategy of this kind lies beside its entrypoint; undefined for what is run as it is. */
export function sourceOf(kind: RuntimeKind): string | undefined {
  const facts = Object.values(FACTS).find((one) => one.runtime_kind === kind);
  return facts === undefined || facts.source === facts.entrypoint ? undefined : facts.source;
}
