import type { ErrorTable } from "./entry.ts";

/** What the strategy ABI refuses: descriptors, configurations, binaries. */
export type AbiCode = "RUMI-STR-001" | "RUMI-STR-002" | "RUMI-STR-003";

export const ABI_ERRORS: ErrorTable<AbiCode> = {
  "RUMI-STR-001": {
    fault: "caller",
    retry: "after_fix",
    key: "str.abi_descriptor",
    status: 422,
    en: {
      text: "The strategy descriptor is refused: {field} {problem}.",
      next: "Correct {field} in the pack's manifest; docs/formats/descriptor.md shows the form.",
    },
    ja: {
      text: "ストラテジー記述子を受け付けられません: {field} {problem}。",
      next: "パックのマニフェストの {field} を修正してください。形式は docs/formats/descriptor.md にあります。",
    },
  },
  "RUMI-STR-002": {
    fault: "caller",
    retry: "after_fix",
    key: "str.abi_config",
    status: 422,
    en: {
      text: "The strategy's configuration is refused: {path} {problem}.",
      next: "Correct {path}; the strategy's config_schema gives type, range and unit.",
    },
    ja: {
      text: "ストラテジーの設定を受け付けられません: {path} {problem}。",
      next: "{path} を修正してください。型・範囲・単位は config_schema にあります。",
    },
  },
  "RUMI-STR-003": {
    fault: "operator",
    retry: "after_fix",
    key: "str.abi_binary",
    status: 409,
    en: {
      text: "{entrypoint} is not the binary that its descriptor names: expected {expected}, found {found}.",
      next: "Do not start it. Install the approved pack again, or approve the changed one.",
    },
    ja: {
      text: "{entrypoint} は記述子のバイナリと一致しません: 期待値 {expected}、実際 {found}。",
      next: "起動しないでください。承認済みのパックを入れ直すか、変更後のパックを承認してください。",
    },
  },
};
