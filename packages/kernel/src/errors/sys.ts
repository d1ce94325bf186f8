import type { ErrorTable } from "./entry.ts";

type SysCode =
  | "RUMI-SYS-001"
  | "RUMI-SYS-002"
  | "RUMI-SYS-003"
  | "RUMI-SYS-004"
  | "RUMI-SYS-005"
  | "RUMI-SYS-006"
  | "RUMI-SYS-007"
  | "RUMI-SYS-008"
  | "RUMI-SYS-009"
  | "RUMI-SYS-010"
  | "RUMI-SYS-011"
  | "RUMI-SYS-012"
  | "RUMI-SYS-013"
  | "RUMI-SYS-014"
  | "RUMI-SYS-015";

export const SYS_ERRORS: ErrorTable<SysCode> = {
  "RUMI-SYS-001": {
    key: "sys.internal",
    status: 500,
    fault: "system",
    retry: "later",
    en: {
      text: "Something inside failed.",
      next: "Look for trace {trace_id} in the log of the program and report it.",
    },
    ja: {
      text: "内部エラーが発生しました。",
      next: "プログラムのログで trace {trace_id} を探して報告してください。",
    },
  },
  "RUMI-SYS-002": {
    key: "sys.configuration",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The setting {name} is not acceptable: {problem}.",
      next: "Correct {name} and start again.",
    },
    ja: {
      text: "設定 {name} が不正です: {problem}。",
      next: "{name} を修正して再起動してください。",
    },
  },
  "RUMI-SYS-003": {
    key: "sys.directory_missing",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The directory {path} is missing or cannot be written: {problem}.",
      next: "Create it, or mend its permissions.",
    },
    ja: {
      text: "ディレクトリ {path} がないか、書き込めません: {problem}。",
      next: "作成するか、権限を直してください。",
    },
  },
  "RUMI-SYS-004": {
    key: "sys.unknown_route",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: { text: "There is no {method} {path}.", next: "/openapi.json lists every route." },
    ja: {
      text: "{method} {path} は存在しません。",
      next: "/openapi.json にすべてのルートがあります。",
    },
  },
  "RUMI-SYS-005": {
    key: "sys.home_locked",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The home {home} is in use by process {pid}.",
      next: "Stop that process, or choose another RUMI_HOME.",
    },
    ja: {
      text: "ホーム {home} はプロセス {pid} が使用中です。",
      next: "そのプロセスを止めるか、別の RUMI_HOME を指定してください。",
    },
  },
  "RUMI-SYS-006": {
    key: "sys.layout_newer",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The home {home} has layout version {found}; this program knows versions up to {known}.",
      next: "Use a newer rumi for this home.",
    },
    ja: {
      text: "ホーム {home} のレイアウトは版 {found} で、このプログラムは版 {known} までです。",
      next: "新しい rumi を使ってください。",
    },
  },
  "RUMI-SYS-007": {
    key: "sys.port_in_use",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Port {port} on {address} is in use.",
      next: "Stop what listens there, or choose another RUMI_API_PORT.",
    },
    ja: {
      text: "{address} のポート {port} は使用中です。",
      next: "使用中のプログラムを止めるか、別の RUMI_API_PORT を指定してください。",
    },
  },
  "RUMI-SYS-008": {
    key: "sys.disk_full",
    status: 507,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The disk of the home is full; nothing was changed.",
      next: "Free space, then send the same request again.",
    },
    ja: {
      text: "ホームのディスクが一杯です。何も変更していません。",
      next: "空き容量を作り、同じリクエストを再送してください。",
    },
  },
  "RUMI-SYS-009": {
    key: "sys.stopping",
    status: 503,
    fault: "system",
    retry: "later",
    en: { text: "The program is stopping.", next: "Send the same request again once it runs." },
    ja: {
      text: "プログラムは停止処理中です。",
      next: "再開後に同じリクエストを再送してください。",
    },
  },
  "RUMI-SYS-010": {
    key: "sys.host_refused",
    status: 421,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "This address does not answer for the host {host}.",
      next: "Use http://127.0.0.1 or http://localhost with the port of this home.",
    },
    ja: {
      text: "このアドレスはホスト {host} としては応答しません。",
      next: "http://127.0.0.1 または http://localhost とこのホームのポートを使ってください。",
    },
  },
  "RUMI-SYS-011": {
    key: "sys.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no {what} {id}.",
      next: "List what exists, then use one of those names.",
    },
    ja: {
      text: "{what} {id} は存在しません。",
      next: "一覧を確認し、存在する名前を使ってください。",
    },
  },
  "RUMI-SYS-012": {
    key: "sys.too_many_streams",
    status: 503,
    fault: "caller",
    retry: "later",
    en: {
      text: "All {limit} event streams are in use.",
      next: "Close a console or another listener, then connect again.",
    },
    ja: {
      text: "イベントストリーム {limit} 本がすべて使用中です。",
      next: "コンソールなどを閉じてから再接続してください。",
    },
  },
  "RUMI-SYS-013": {
    key: "sys.method_not_allowed",
    status: 405,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{path} cannot be asked with {method}.",
      next: "Use one of {allowed}; /openapi.json describes every route.",
    },
    ja: {
      text: "{path} は {method} に対応していません。",
      next: "{allowed} のいずれかを使ってください。すべての経路は /openapi.json にあります。",
    },
  },
  "RUMI-SYS-014": {
    key: "sys.deprecated_refused",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{thing} is deprecated, and RUMI_DEPRECATION_LEVEL is error.",
      next: "Move away from it; with RUMI_DEPRECATION_LEVEL=warn it works until it is removed.",
    },
    ja: {
      text: "{thing} は非推奨で、RUMI_DEPRECATION_LEVEL が error です。",
      next: "移行してください。RUMI_DEPRECATION_LEVEL=warn なら削除されるまで使えます。",
    },
  },
  "RUMI-SYS-015": {
    key: "sys.isolation_required",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Docker is required but not available, nor is anything else that strict mode takes (for development: --permissive or RUMI_SECURITY_MODE=permissive): {problem}.",
      next: "Install Docker, runc or bubblewrap, or use a kernel with Landlock (5.13 or newer); for development start with --permissive or RUMI_SECURITY_MODE=permissive.",
    },
    ja: {
      text: "Docker is required but not available: strict が認める隔離の仕組みがありません（開発時は --permissive または RUMI_SECURITY_MODE=permissive）: {problem}。",
      next: "Docker、runc、bubblewrap のいずれかを導入するか、Landlock 対応カーネル（5.13 以降）を使用してください。開発時は --permissive または RUMI_SECURITY_MODE=permissive を使用してください。",
    },
  },
};
