/** Codes of the category SUP up to 050: what an artifact is made of, and what is known about it. */
import type { ErrorTable } from "./entry.ts";

type SupplyCode =
  | "RUMI-SUP-001"
  | "RUMI-SUP-002"
  | "RUMI-SUP-003"
  | "RUMI-SUP-004"
  | "RUMI-SUP-005"
  | "RUMI-SUP-006"
  | "RUMI-SUP-007"
  | "RUMI-SUP-008";

export const SUPPLY_ERRORS: ErrorTable<SupplyCode> = {
  "RUMI-SUP-001": {
    key: "sup.lock_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The lock file {name} cannot be read: line {line}: {problem}.",
      next: "Make it anew with the ecosystem's own tool instead of by hand, and ship it unchanged.",
    },
    ja: {
      text: "ロックファイル {name} を読み取れません: {line} 行目: {problem}。",
      next: "手作業ではなく各エコシステムのツールで作り直し、変更せずに同梱してください。",
    },
  },
  "RUMI-SUP-002": {
    key: "sup.lock_version",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The lock file {name} is of format version {version}; {supported} can be read.",
      next: "Make it anew with a tool that writes one of these versions.",
    },
    ja: {
      text: "ロックファイル {name} の形式バージョンは {version} ですが、読み取れるのは {supported} です。",
      next: "これらのバージョンを書き出すツールで作り直してください。",
    },
  },
  "RUMI-SUP-003": {
    key: "sup.lock_source",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The lock file {name} takes {component} (line {line}) from {source}, where no registry and no hash vouches for it.",
      next: "Depend on a version that the registry publishes, over https, or bring the code into the artifact itself.",
    },
    ja: {
      text: "ロックファイル {name} の {component} ({line} 行目) は {source} から取得され、レジストリもハッシュも保証しません。",
      next: "レジストリで公開されたバージョンに https 経由で依存するか、コードを成果物自体に含めてください。",
    },
  },
  "RUMI-SUP-004": {
    key: "sup.lock_twice",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{first} and {second} are both lock files of the kind {kind}; which of them counts cannot be told.",
      next: "Ship one lock file of each kind.",
    },
    ja: {
      text: "{first} と {second} はどちらも {kind} のロックファイルで、どちらが有効か判断できません。",
      next: "ロックファイルは種類ごとに 1 つだけ同梱してください。",
    },
  },
  "RUMI-SUP-005": {
    key: "sup.lock_too_large",
    status: 413,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The lock file {name} holds more than {limit} {unit}.",
      next: "Split the artifact, or drop dependencies that it does not need.",
    },
    ja: {
      text: "ロックファイル {name} が上限 {limit} {unit} を超えています。",
      next: "成果物を分割するか、不要な依存を削除してください。",
    },
  },
  "RUMI-SUP-006": {
    key: "sup.advisories_unreadable",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The directory of advisories cannot be read: {path}: {problem}.",
      next: "Fetch OSV's exports anew into an empty directory and put it in the old one's place.",
    },
    ja: {
      text: "アドバイザリのディレクトリを読み取れません: {path}: {problem}。",
      next: "OSV のエクスポートを空のディレクトリへ取得し直し、古いものと入れ替えてください。",
    },
  },
  "RUMI-SUP-007": {
    key: "sup.advisory_invalid",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "An advisory is not as the OSV format says: {path}, line {line}: {problem}.",
      next: "Fetch that record anew; while it cannot be read, what it warns of is not known.",
    },
    ja: {
      text: "アドバイザリが OSV 形式に合っていません: {path} {line} 行目: {problem}。",
      next: "そのレコードを取得し直してください。読み取れない間は、その警告内容は不明のままです。",
    },
  },
  "RUMI-SUP-008": {
    key: "sup.advisories_too_large",
    status: 503,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The directory of advisories is too large: {path}: more than {limit} {unit}.",
      next: "Keep the exports of the ecosystems that are used only: npm, PyPI, crates.io.",
    },
    ja: {
      text: "アドバイザリのディレクトリが大きすぎます: {path}: 上限 {limit} {unit} を超えています。",
      next: "使用するエコシステム (npm・PyPI・crates.io) のエクスポートだけを置いてください。",
    },
  },
};
