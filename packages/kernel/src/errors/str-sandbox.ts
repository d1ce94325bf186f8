/** Errors of the isolation drivers and of building what runs in them, RUMI-STR-050 … 069. */
import type { ErrorTable } from "./entry.ts";

export type SandboxCode =
  | "RUMI-STR-050"
  | "RUMI-STR-051"
  | "RUMI-STR-052"
  | "RUMI-STR-053"
  | "RUMI-STR-054"
  | "RUMI-STR-055"
  | "RUMI-STR-056"
  | "RUMI-STR-057"
  | "RUMI-STR-060"
  | "RUMI-STR-061"
  | "RUMI-STR-062"
  | "RUMI-STR-063"
  | "RUMI-STR-064"
  | "RUMI-STR-065"
  | "RUMI-STR-066"
  | "RUMI-STR-067"
  | "RUMI-STR-068"
  | "RUMI-STR-069";

const byStrategy = { fault: "strategy", status: 422, retry: "after_fix" } as const;
const byOperator = { fault: "operator", status: 503, retry: "after_fix" } as const;

export const SANDBOX_ERRORS: ErrorTable<SandboxCode> = {
  "RUMI-STR-050": {
    ...byStrategy,
    key: "str.wasm_invalid",
    en: {
      text: "The strategy's Wasm module is not valid: {problem}.",
      next: "Build it again for wasm32-unknown-unknown with the Rust SDK.",
    },
    ja: {
      text: "戦略の Wasm モジュールが不正です: {problem}。",
      next: "Rust SDK を使い wasm32-unknown-unknown 向けに再ビルドしてください。",
    },
  },
  "RUMI-STR-051": {
    ...byStrategy,
    key: "str.wasm_import",
    en: {
      text: "The strategy's Wasm module imports {name}; a strategy may import nothing.",
      next: "Remove what needs the host (files, clock, network, WASI) and build it again.",
    },
    ja: {
      text: "Wasm モジュールが {name} をインポートしています。戦略は何もインポートできません。",
      next: "ホスト機能 (ファイル、時計、通信、WASI) への依存を除いて再ビルドしてください。",
    },
  },
  "RUMI-STR-052": {
    ...byStrategy,
    key: "str.wasm_feature",
    en: {
      text: "The strategy's Wasm module uses {feature}, which the sandbox does not allow.",
      next: "Build it without that target feature; the SDK's build command does.",
    },
    ja: {
      text: "Wasm モジュールがサンドボックスで許可されない機能 {feature} を使っています。",
      next: "その機能を無効にしてビルドしてください。SDK のビルドコマンドは無効にします。",
    },
  },
  "RUMI-STR-053": {
    ...byStrategy,
    key: "str.wasm_limit",
    en: {
      text: "The strategy's Wasm module has {name} {value}; the limit is {limit}.",
      next: "Make the module smaller, or declare more memory_bytes in the descriptor if that is the limit.",
    },
    ja: {
      text: "Wasm モジュールの {name} が {value} で、上限 {limit} を超えています。",
      next: "モジュールを小さくするか、メモリーの場合は記述子の memory_bytes を増やしてください。",
    },
  },
  "RUMI-STR-054": {
    ...byStrategy,
    key: "str.wasm_export",
    en: {
      text: "The strategy's Wasm module must export {name}.",
      next: "Use the SDK's macro for the callbacks; the ABI document lists them.",
    },
    ja: {
      text: "Wasm モジュールは {name} をエクスポートする必要があります。",
      next: "SDK のマクロでコールバックを宣言してください。一覧は ABI 文書にあります。",
    },
  },
  "RUMI-STR-055": {
    key: "str.sandbox_option",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The sandbox option {name} is {value}; it must be a whole number from {least} to {most}.",
      next: "Correct {name} in the descriptor's resources.",
    },
    ja: {
      text: "サンドボックス設定 {name} の値 {value} は {least} から {most} の整数でなければなりません。",
      next: "記述子の resources にある {name} を修正してください。",
    },
  },
  "RUMI-STR-056": {
    ...byStrategy,
    key: "str.wasm_start",
    en: {
      text: "The strategy's Wasm module could not be set up: {problem}.",
      next: "Check its data segments and its memory; the host is unharmed.",
    },
    ja: {
      text: "Wasm モジュールを初期化できません: {problem}。",
      next: "データセグメントとメモリーを確認してください。ホストに影響はありません。",
    },
  },
  "RUMI-STR-057": {
    ...byOperator,
    key: "str.wasm_address_space",
    en: {
      text: "There is no address space left in this runner for another Wasm memory: {problem}.",
      next: "Stop instances, join another runner, or raise the limit (`ulimit -v`, `vm.max_map_count`); each memory takes about 10 GiB of addresses, not of memory.",
    },
    ja: {
      text: "このランナーには新しい Wasm メモリーのためのアドレス空間がありません: {problem}。",
      next: "インスタンスを停止するか、別のランナーを加えるか、制限 (`ulimit -v`、`vm.max_map_count`) を上げてください。1 つのメモリーはアドレスを約 10 GiB 使います (実メモリーではありません)。",
    },
  },
  "RUMI-STR-060": {
    ...byOperator,
    key: "str.jail_unavailable",
    en: {
      text: "The isolation mechanism {mechanism} does not work on this machine: {problem}.",
      next: "Install or allow it (`apt-get install bubblewrap`, user namespaces), or choose another mechanism; docs/sandbox.md compares them.",
    },
    ja: {
      text: "隔離方式 {mechanism} はこのマシンで使えません: {problem}。",
      next: "導入または許可する (`apt-get install bubblewrap`、ユーザー名前空間) か、別の方式を選んでください。比較は docs/sandbox.md にあります。",
    },
  },
  "RUMI-STR-061": {
    ...byOperator,
    key: "str.python_missing",
    en: {
      text: "No usable Python was found: {problem}.",
      next: "Install python3 3.9 or newer under /usr (`apt-get install python3`), readable by every user.",
    },
    ja: {
      text: "使える Python が見つかりません: {problem}。",
      next: "全ユーザーが読める /usr 配下に python3 (3.9 以上) を導入してください (`apt-get install python3`)。",
    },
  },
  "RUMI-STR-062": {
    key: "str.jail_spawn",
    status: 500,
    fault: "system",
    retry: "later",
    en: {
      text: "The jailed process could not be started: {problem}.",
      next: "Try again; if it repeats, read the process's own words in the instance's log.",
    },
    ja: {
      text: "隔離プロセスを起動できません: {problem}。",
      next: "再試行してください。繰り返す場合はインスタンスのログを確認してください。",
    },
  },
  "RUMI-STR-063": {
    ...byOperator,
    key: "str.prlimit_missing",
    en: {
      text: "The program prlimit is not installed, so memory and file limits cannot be set.",
      next: "Install util-linux (`apt-get install util-linux`).",
    },
    ja: {
      text: "prlimit が無いためメモリーとファイルの上限を設定できません。",
      next: "util-linux を導入してください (`apt-get install util-linux`)。",
    },
  },
  "RUMI-STR-064": {
    ...byOperator,
    key: "str.isolation_too_weak",
    en: {
      text: "Strict isolation is required and {mechanism} is weaker here: {problem}.",
      next: "Install bubblewrap, use a kernel with Landlock (5.13 or newer), or start the instance with isolation `any` and accept the weakness.",
    },
    ja: {
      text: "厳格な隔離が必要ですが、{mechanism} はここでは弱くなります: {problem}。",
      next: "bubblewrap を導入するか Landlock 対応カーネル (5.13 以上) を使うか、弱さを承知で isolation を `any` にしてください。",
    },
  },
  "RUMI-STR-065": {
    key: "str.jail_bind",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The folder {path} cannot be shown to the jailed process: {problem}.",
      next: "Give an existing absolute folder that is not a symbolic link and is readable by every user.",
    },
    ja: {
      text: "フォルダー {path} を隔離プロセスに見せられません: {problem}。",
      next: "シンボリックリンクでなく全ユーザーが読める既存の絶対パスを指定してください。",
    },
  },
  "RUMI-STR-066": {
    key: "str.script_engine",
    status: 500,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "The engine for TypeScript strategies cannot be used: {problem}.",
      next: "Install this program again with its dependencies (`npm ci`).",
    },
    ja: {
      text: "TypeScript ストラテジーの実行エンジンを使えません: {problem}。",
      next: "依存パッケージごとプログラムを入れ直してください (`npm ci`)。",
    },
  },
  "RUMI-STR-067": {
    ...byStrategy,
    key: "str.script_refused",
    en: {
      text: "The strategy's script cannot be loaded: {problem}.",
      next: "Build it again with `rumi strategy build`, and see docs/strategy-typescript.md.",
    },
    ja: {
      text: "ストラテジーのスクリプトを読み込めません: {problem}。",
      next: "`rumi strategy build` で作り直してください。docs/strategy-typescript.md を参照してください。",
    },
  },
  "RUMI-STR-068": {
    ...byStrategy,
    key: "str.build_failed",
    en: {
      text: "The strategy {strategy_id} could not be built: {problem}",
      next: "Correct its source, or install the compiler that is missing (docs/first-strategy-LANGUAGE.md names it).",
    },
    ja: {
      text: "ストラテジー {strategy_id} をビルドできません: {problem}",
      next: "ソースを直すか、不足しているコンパイラを導入してください (docs/first-strategy-LANGUAGE.md 参照)。",
    },
  },
  "RUMI-STR-069": {
    ...byStrategy,
    key: "str.test_failed",
    en: {
      text: "The strategy {strategy_id} does not do what its test expects: {problem}.",
      next: "Correct the strategy; if the new behaviour is right, run `rumi strategy test DIR --write`.",
    },
    ja: {
      text: "ストラテジー {strategy_id} の動作がテストの期待と違います: {problem}。",
      next: "ストラテジーを直すか、新しい動作が正しければ `rumi strategy test DIR --write` を実行してください。",
    },
  },
};
