import type { ErrorTable } from "./entry.ts";

type LogCode =
  | "RUMI-LOG-001"
  | "RUMI-LOG-002"
  | "RUMI-LOG-003"
  | "RUMI-LOG-004"
  | "RUMI-LOG-005"
  | "RUMI-LOG-006"
  | "RUMI-LOG-007"
  | "RUMI-LOG-008"
  | "RUMI-LOG-009"
  | "RUMI-LOG-010"
  | "RUMI-LOG-011"
  | "RUMI-LOG-012"
  | "RUMI-LOG-013"
  | "RUMI-LOG-014"
  | "RUMI-LOG-015"
  | "RUMI-LOG-016"
  | "RUMI-LOG-017"
  | "RUMI-LOG-018"
  | "RUMI-LOG-019"
  | "RUMI-LOG-020"
  | "RUMI-LOG-021"
  | "RUMI-LOG-022"
  | "RUMI-LOG-023"
  | "RUMI-LOG-024"
  | "RUMI-LOG-026"
  | "RUMI-LOG-027"
  | "RUMI-LOG-028"
  | "RUMI-LOG-029"
  | "RUMI-LOG-030";

/** What a verification found: the log does not agree with its own signature, copies or earlier heads. */
const tampered = { fault: "system", retry: "never", status: 500 } as const;
const keep = {
  en: "Keep this copy unchanged, stop trusting decisions based on it, and compare with a backup: docs/formats/tlog.md.",
  ja: "このコピーを変更せずに保全し、これに基づく判断を止め、バックアップと照合してください: docs/formats/tlog.md。",
} as const;
const callerFix = { fault: "caller", retry: "after_fix", status: 400 } as const;
const operatorFix = { fault: "operator", retry: "after_fix", status: 500 } as const;

export const LOG_ERRORS: ErrorTable<LogCode> = {
  "RUMI-LOG-001": {
    ...callerFix,
    key: "log.leaf_too_large",
    status: 413,
    en: {
      text: "The audit entry would have {bytes} bytes; {limit} is the most the log can hold.",
      next: "Shorten the actor or the resource id; nothing was recorded or done.",
    },
    ja: {
      text: "監査エントリが {bytes} バイトになり、上限 {limit} を超えます。",
      next: "操作者名またはリソース ID を短くしてください。記録も実行もされていません。",
    },
  },
  "RUMI-LOG-002": {
    ...callerFix,
    key: "log.payload_too_large",
    status: 413,
    en: {
      text: "The audit payload of {action} would have {bytes} bytes; {limit} is the limit.",
      next: "Send a smaller request; nothing was recorded or done.",
    },
    ja: {
      text: "{action} の監査内容が {bytes} バイトになり、上限 {limit} を超えます。",
      next: "リクエストを小さくしてください。記録も実行もされていません。",
    },
  },
  "RUMI-LOG-003": {
    ...tampered,
    key: "log.leaf_malformed",
    en: { text: "An entry of the log is not a log leaf v1: {problem}.", next: keep.en },
    ja: { text: "ログのエントリが log leaf v1 の形式ではありません: {problem}。", next: keep.ja },
  },
  "RUMI-LOG-004": {
    ...tampered,
    key: "log.commitment_mismatch",
    en: { text: "The stored payload is not the one that the log entry committed to.", next: keep.en },
    ja: { text: "保存された内容が、ログのエントリが約束した内容と一致しません。", next: keep.ja },
  },
  "RUMI-LOG-005": {
    ...tampered,
    key: "log.payload_disagrees",
    en: { text: "The log entry and its payload disagree: {problem}.", next: keep.en },
    ja: { text: "ログのエントリと内容が食い違っています: {problem}。", next: keep.ja },
  },
  "RUMI-LOG-006": {
    ...tampered,
    key: "log.signature_invalid",
    en: {
      text: "The checkpoint bears no valid signature of {name}.",
      next: "Check that the key is this log's (log.vkey); if it is, do not trust this copy.",
    },
    ja: {
      text: "チェックポイントに {name} の有効な署名がありません。",
      next: "鍵がこのログのもの (log.vkey) か確認してください。正しい鍵なら、このコピーを信用しないでください。",
    },
  },
  "RUMI-LOG-007": {
    ...callerFix,
    key: "log.checkpoint_malformed",
    en: {
      text: "This is not a checkpoint: {problem}.",
      next: "Use the file as /tlog/checkpoint serves it, every byte of it.",
    },
    ja: {
      text: "チェックポイントの形式ではありません: {problem}。",
      next: "/tlog/checkpoint が返すファイルを、1 バイトも変えずに使用してください。",
    },
  },
  "RUMI-LOG-008": {
    ...callerFix,
    key: "log.key_malformed",
    en: {
      text: "This is not a log key: {problem}.",
      next: "Use the one line of log.vkey (or the signing key's file) as it was written.",
    },
    ja: {
      text: "ログの鍵の形式ではありません: {problem}。",
      next: "log.vkey の 1 行 (または署名鍵ファイル) をそのまま使用してください。",
    },
  },
  "RUMI-LOG-009": {
    ...tampered,
    key: "log.forked",
    en: { text: "The log is not the one that was signed: {problem}.", next: keep.en },
    ja: { text: "署名されたログと異なります: {problem}。", next: keep.ja },
  },
  "RUMI-LOG-010": {
    ...tampered,
    key: "log.truncated",
    en: { text: "The log was cut off: {present} of {expected} entries are here.", next: keep.en },
    ja: { text: "ログが切り詰められています: {expected} 件中 {present} 件しかありません。", next: keep.ja },
  },
  "RUMI-LOG-011": {
    ...tampered,
    key: "log.entry_edited",
    en: { text: "Entry {index} was edited.", next: keep.en },
    ja: { text: "エントリ {index} が書き換えられています。", next: keep.ja },
  },
  "RUMI-LOG-012": {
    ...tampered,
    key: "log.entry_removed",
    en: { text: "Entry {index} was removed.", next: keep.en },
    ja: { text: "エントリ {index} が削除されています。", next: keep.ja },
  },
  "RUMI-LOG-013": {
    ...tampered,
    key: "log.entry_inserted",
    en: { text: "An entry that was never logged was put before entry {index}.", next: keep.en },
    ja: { text: "記録されていないエントリがエントリ {index} の前に挿入されています。", next: keep.ja },
  },
  "RUMI-LOG-014": {
    ...tampered,
    key: "log.entry_reordered",
    en: { text: "Entry {index} is not in its place; it now lies near {found_at}.", next: keep.en },
    ja: { text: "エントリ {index} が元の位置になく、{found_at} 付近に移されています。", next: keep.ja },
  },
  "RUMI-LOG-015": {
    ...tampered,
    key: "log.tile_differs",
    en: {
      text: "{what} does not hold the hashes that the entries give.",
      next: "The entries decide: if they verify, rebuild the tile directory from the store; if not, keep this copy.",
    },
    ja: {
      text: "{what} のハッシュがエントリと一致しません。",
      next: "エントリが基準です。検証に通れば保存先からタイルを再構築し、通らなければこのコピーを保全してください。",
    },
  },
  "RUMI-LOG-016": {
    ...tampered,
    key: "log.file_unreadable",
    en: {
      text: "{what} is missing or malformed: {problem}.",
      next: "Copy the directory again or rebuild it from the store, then verify once more.",
    },
    ja: {
      text: "{what} がないか、形式が正しくありません: {problem}。",
      next: "ディレクトリを再コピーするか保存先から再構築し、もう一度検証してください。",
    },
  },
  "RUMI-LOG-017": {
    ...tampered,
    key: "log.payload_missing",
    en: { text: "The payload of entry {index} is gone and no later audit.erasure event names it.", next: keep.en },
    ja: { text: "エントリ {index} の内容がなく、それを示す audit.erasure イベントもありません。", next: keep.ja },
  },
  "RUMI-LOG-018": {
    ...tampered,
    key: "log.jsonl_mismatch",
    en: {
      text: "The JSONL file {file} disagrees with entry {index}: {problem}.",
      next: "The log decides: rebuild the JSONL files from it (rumi audit rebuild).",
    },
    ja: {
      text: "JSONL ファイル {file} がエントリ {index} と食い違っています: {problem}。",
      next: "ログが基準です。JSONL ファイルをログから再構築してください (rumi audit rebuild)。",
    },
  },
  "RUMI-LOG-019": {
    ...callerFix,
    key: "log.proof_invalid",
    status: 422,
    en: {
      text: "The proof does not hold: {problem}.",
      next: "Ask for a fresh proof of this event; if that fails too, do not believe the event.",
    },
    ja: {
      text: "証明が成立しません: {problem}。",
      next: "このイベントの証明を取り直してください。それも失敗するなら、そのイベントを信用しないでください。",
    },
  },
  "RUMI-LOG-020": {
    ...operatorFix,
    key: "log.source_unreadable",
    en: {
      text: "The log cannot be read: {problem}.",
      next: "Check the disk and the permissions of the log's folder, then try again.",
    },
    ja: {
      text: "ログを読み取れません: {problem}。",
      next: "ディスクとログのフォルダーの権限を確認し、再度お試しください。",
    },
  },
  "RUMI-LOG-021": {
    ...operatorFix,
    key: "log.view_of_another_log",
    en: {
      text: "The folder {path} holds a view of another log: {problem}.",
      next: "Move that folder away; it is rebuilt from the store at the next start.",
    },
    ja: {
      text: "フォルダー {path} は別のログのビューです: {problem}。",
      next: "フォルダーを別の場所へ移してください。次回起動時に再構築されます。",
    },
  },
  "RUMI-LOG-022": {
    ...operatorFix,
    key: "log.view_unwritable",
    retry: "later",
    en: {
      text: "The log's files in {path} cannot be written: {problem}.",
      next: "Free space or mend the permissions; the log itself is safe in the store and the files catch up.",
    },
    ja: {
      text: "{path} のログファイルに書き込めません: {problem}。",
      next: "空き容量または権限を直してください。ログ本体は保存先で無事であり、ファイルは後で追い付きます。",
    },
  },
  "RUMI-LOG-023": {
    ...callerFix,
    key: "log.no_such_entry",
    status: 404,
    en: {
      text: "The log has no entry {index}; it holds {size} entries.",
      next: "Use an index below the size; the checkpoint's second line is the size.",
    },
    ja: {
      text: "ログにエントリ {index} はありません。{size} 件が記録されています。",
      next: "件数より小さい番号を指定してください。件数はチェックポイントの 2 行目にあります。",
    },
  },
  "RUMI-LOG-024": {
    ...callerFix,
    key: "log.wrong_origin",
    status: 422,
    en: {
      text: "This belongs to the log {found}, not to {expected}.",
      next: "Use a checkpoint and a key of the same home and environment.",
    },
    ja: {
      text: "これはログ {expected} ではなく {found} のものです。",
      next: "同じホーム・同じ環境のチェックポイントと鍵を使用してください。",
    },
  },
  "RUMI-LOG-026": {
    ...tampered,
    key: "log.index_mismatch",
    en: {
      text: "The store's search column {column} of entry {index} tells something else than the entry.",
      next: keep.en,
    },
    ja: { text: "エントリ {index} の検索用の列 {column} がエントリの内容と食い違っています。", next: keep.ja },
  },
  "RUMI-LOG-027": {
    key: "log.attestation_invalid",
    status: 422,
    fault: "caller",
    retry: "never",
    en: {
      text: "This attestation proves nothing: {problem}.",
      next: "Fetch it again from GET /api/attestations and check it with the public key that you were given for this home.",
    },
    ja: {
      text: "この証明書は有効ではありません: {problem}。",
      next: "GET /api/attestations から再取得し、このホームの公開鍵で検証してください。",
    },
  },
  "RUMI-LOG-028": {
    ...tampered,
    key: "log.erased_early",
    en: {
      text: "The payload of entry {index} was erased before its time: it had to be kept until {kept_until}.",
      next: keep.en,
    },
    ja: { text: "エントリ {index} の内容が保持期限 {kept_until} より前に消去されています。", next: keep.ja },
  },
  "RUMI-LOG-029": {
    ...callerFix,
    key: "log.must_be_kept",
    status: 409,
    en: {
      text: "Nothing younger than {days} days may be erased: every event must be kept until its retention ends.",
      next: "Name an instant before {latest}. Events of money and approvals stay for seven years, and some as long as the log.",
    },
    ja: {
      text: "{days} 日以内のイベントは消去できません。各イベントは保持期限まで残す必要があります。",
      next: "{latest} より前の日時を指定してください。金銭と承認のイベントは 7 年間、一部はログがある限り保持されます。",
    },
  },
  "RUMI-LOG-030": {
    key: "log.verifier_thread_ended",
    status: 500,
    fault: "system",
    retry: "later",
    en: {
      text: "A thread that was checking the log ended before it answered, so nothing is proven: {problem}.",
      next: "Verify again; when it happens again, look whether the machine is short of memory.",
    },
    ja: {
      text: "ログを検証中のスレッドが応答前に終了したため、何も証明されていません: {problem}。",
      next: "検証をやり直してください。繰り返す場合は、メモリ不足でないかを確認してください。",
    },
  },
};
