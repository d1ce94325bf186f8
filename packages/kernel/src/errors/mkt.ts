import type { ErrorTable } from "./entry.ts";

type MktCode =
  | "RUMI-MKT-001"
  | "RUMI-MKT-002"
  | "RUMI-MKT-003"
  | "RUMI-MKT-004"
  | "RUMI-MKT-005"
  | "RUMI-MKT-006"
  | "RUMI-MKT-007"
  | "RUMI-MKT-008"
  | "RUMI-MKT-009"
  | "RUMI-MKT-010"
  | "RUMI-MKT-011"
  | "RUMI-MKT-012"
  | "RUMI-MKT-013"
  | "RUMI-MKT-020"
  | "RUMI-MKT-021"
  | "RUMI-MKT-022"
  | "RUMI-MKT-023"
  | "RUMI-MKT-024";

export const MKT_ERRORS: ErrorTable<MktCode> = {
  "RUMI-MKT-001": {
    key: "mkt.unreadable",
    status: 422,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{path} cannot be read: {problem}.",
      next: "Check the path and the rights of the user that runs rumi.",
    },
    ja: {
      text: "{path} を読み込めません: {problem}。",
      next: "パスと、rumi を実行しているユーザーの権限を確認してください。",
    },
  },
  "RUMI-MKT-002": {
    key: "mkt.layout_unknown",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{path} has no layout that is known; its first line is: {first_line}",
      next: "Use one of these layouts: {layouts}.",
    },
    ja: {
      text: "{path} のレイアウトを判別できません。先頭行: {first_line}",
      next: "次のいずれかのレイアウトを使ってください: {layouts}。",
    },
  },
  "RUMI-MKT-003": {
    key: "mkt.every_row_rejected",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "Not one row of {path} is acceptable; line {line}: {problem}.",
      next: "Check that the instrument's digits belong to this file; 'rumi' can suggest an instrument from the file.",
    },
    ja: {
      text: "{path} には受け付けられる行がありません。{line} 行目: {problem}。",
      next: "銘柄の桁数がこのファイルに合っているか確認してください。ファイルから銘柄を推定することもできます。",
    },
  },
  "RUMI-MKT-004": {
    key: "mkt.archive",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{path} is not a sound archive of one CSV file: {problem}.",
      next: "Download it again, or unpack it and give the CSV file.",
    },
    ja: {
      text: "{path} は CSV 1 個を含む正しいアーカイブではありません: {problem}。",
      next: "再ダウンロードするか、展開した CSV を指定してください。",
    },
  },
  "RUMI-MKT-005": {
    key: "mkt.too_large",
    status: 413,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{path} exceeds the limit {limit_name} of {limit}.",
      next: "Split the recording into shorter periods.",
    },
    ja: { text: "{path} が上限 {limit_name} ({limit}) を超えています。", next: "記録を短い期間に分割してください。" },
  },
  "RUMI-MKT-006": {
    key: "mkt.instrument",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The instrument is not acceptable: {field} {problem}.",
      next: "Correct {field}; docs/formats/recordings.md describes an instrument.",
    },
    ja: {
      text: "銘柄定義を受け付けられません: {field} {problem}。",
      next: "{field} を修正してください。銘柄定義は docs/formats/recordings.md にあります。",
    },
  },
  "RUMI-MKT-007": {
    key: "mkt.instrument_twice",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{instrument} is described in two different ways.",
      next: "Give every file of {instrument} the same description.",
    },
    ja: {
      text: "{instrument} の定義が 2 通りあります。",
      next: "{instrument} の全ファイルに同じ定義を指定してください。",
    },
  },
  "RUMI-MKT-008": {
    key: "mkt.venue_state",
    status: 500,
    fault: "system",
    retry: "never",
    en: {
      text: "The saved state of the simulated exchange cannot be restored: {problem}.",
      next: "Restore an older checkpoint, or start the run afresh.",
    },
    ja: {
      text: "模擬取引所の保存状態を復元できません: {problem}。",
      next: "以前のチェックポイントから復元するか、新しく実行し直してください。",
    },
  },
  "RUMI-MKT-009": {
    key: "mkt.not_inferable",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: { text: "No instrument can be suggested from {path}: {problem}.", next: "Describe the instrument yourself." },
    ja: { text: "{path} から銘柄を推定できません: {problem}。", next: "銘柄定義を自分で指定してください。" },
  },
  "RUMI-MKT-010": {
    key: "mkt.generator",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: { text: "The synthetic market cannot be made: {field} {problem}.", next: "Correct {field}." },
    ja: { text: "合成市場を生成できません: {field} {problem}。", next: "{field} を修正してください。" },
  },
  "RUMI-MKT-011": {
    key: "mkt.venue_options",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The simulated exchange cannot be opened: {field} {problem}.",
      next: "Correct {field}; docs/formats/simulated-exchange.md lists what is allowed.",
    },
    ja: {
      text: "模擬取引所を開けません: {field} {problem}。",
      next: "{field} を修正してください。許される値は docs/formats/simulated-exchange.md にあります。",
    },
  },
  "RUMI-MKT-012": {
    key: "mkt.venue_queue_full",
    status: 429,
    fault: "strategy",
    retry: "later",
    en: {
      text: "More than {limit} instructions are on their way to the simulated exchange.",
      next: "Send fewer instructions, or let time advance.",
    },
    ja: {
      text: "模擬取引所への未処理の指示が {limit} 件を超えました。",
      next: "指示を減らすか、時刻を進めてください。",
    },
  },
  "RUMI-MKT-013": {
    key: "mkt.precision",
    status: 422,
    fault: "strategy",
    retry: "after_fix",
    en: {
      text: "{field} cannot be made to fit {instrument}: {problem}.",
      next: "Use a value that keeps the instrument's steps and bounds.",
    },
    ja: {
      text: "{field} を {instrument} に合わせられません: {problem}。",
      next: "銘柄の刻みと範囲に収まる値を使ってください。",
    },
  },
  "RUMI-MKT-020": {
    key: "mkt.venue_sim_log",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The venue simulator cannot continue from {path}: {problem}.",
      next: "Start it with the options it was first started with, or give it another data folder.",
    },
    ja: {
      text: "取引所シミュレーターは {path} から続行できません: {problem}。",
      next: "最初に起動したときと同じ設定で起動するか、別のデータフォルダーを指定してください。",
    },
  },
  "RUMI-MKT-021": {
    key: "mkt.venue_sim_fault",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "That is no fault the venue simulator knows: {problem}.",
      next: "docs/venue-sim.md lists the faults and what each may be given.",
    },
    ja: {
      text: "取引所シミュレーターが知らない障害です: {problem}。",
      next: "docs/venue-sim.md に障害の一覧と指定できる値があります。",
    },
  },
  "RUMI-MKT-022": {
    key: "mkt.venue_key",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The venue's key cannot be read from {source}: {problem}.",
      next: 'Put {"key_id": …, "secret": …} there; a file must belong to its user alone (chmod 600).',
    },
    ja: {
      text: "取引所のキーを {source} から読めません: {problem}。",
      next: '{"key_id": …, "secret": …} を置いてください。ファイルは本人だけが読めるようにしてください (chmod 600)。',
    },
  },
  "RUMI-MKT-023": {
    key: "mkt.venue_unreachable",
    status: 503,
    fault: "venue",
    retry: "later",
    en: {
      text: "The venue at {url} does not answer as expected: {problem}.",
      next: "Check that it runs and that its address is right; then start again.",
    },
    ja: {
      text: "{url} の取引所が期待どおりに応答しません: {problem}。",
      next: "起動していること、アドレスが正しいことを確認してから再試行してください。",
    },
  },
  "RUMI-MKT-024": {
    key: "mkt.simulator_folder_in_use",
    status: 409,
    fault: "operator",
    retry: "later",
    en: {
      text: "Another venue simulator (process {pid}) keeps its orders in {folder}.",
      next: "Stop that one, or give this one a folder of its own with --data.",
    },
    ja: {
      text: "別の取引所シミュレータ（プロセス {pid}）が {folder} に注文を保存しています。",
      next: "そのシミュレータを停止するか、--data で別のフォルダを指定してください。",
    },
  },
};
