/** Codes of the category PACK; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type PackCode =
  | "RUMI-PACK-001"
  | "RUMI-PACK-002"
  | "RUMI-PACK-003"
  | "RUMI-PACK-004"
  | "RUMI-PACK-005"
  | "RUMI-PACK-006"
  | "RUMI-PACK-007"
  | "RUMI-PACK-008"
  | "RUMI-PACK-009"
  | "RUMI-PACK-010"
  | "RUMI-PACK-011"
  | "RUMI-PACK-012"
  | "RUMI-PACK-013"
  | "RUMI-PACK-014"
  | "RUMI-PACK-015"
  | "RUMI-PACK-016"
  | "RUMI-PACK-017"
  | "RUMI-PACK-018"
  | "RUMI-PACK-019"
  | "RUMI-PACK-020"
  | "RUMI-PACK-021";

export const PACK_ERRORS: ErrorTable<PackCode> = {
  "RUMI-PACK-001": {
    key: "pack.invalid_id",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{pack_id} is not a pack id.",
      next: "Use letters, digits, '_' and '-', at most 64; strict packs use ^[a-z][a-z0-9_-]*$.",
    },
    ja: {
      text: "{pack_id} は pack_id として使えません。",
      next: "英数字・'_'・'-' を 64 文字以内で使ってください。",
    },
  },
  "RUMI-PACK-002": {
    key: "pack.manifest_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The manifest {path} is not acceptable: {field}: {problem}.",
      next: "Correct {field} in ecosystem.json and import or scan again.",
    },
    ja: {
      text: "マニフェスト {path} が不正です: {field}: {problem}。",
      next: "ecosystem.json の {field} を直し、再度 import または scan してください。",
    },
  },
  "RUMI-PACK-003": {
    key: "pack.id_mismatch",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack says {found}, the installed one is {expected}.",
      next: "Import under its own pack_id, or remove the installed pack first.",
    },
    ja: {
      text: "パックは {found} ですが、導入済みは {expected} です。",
      next: "正しい pack_id で import するか、先に導入済みパックを削除してください。",
    },
  },
  "RUMI-PACK-004": {
    key: "pack.outside_connectivity",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "{reference} is outside what the pack {pack_id} declares in connectivity.",
      next: "Declare it in connectivity.requires and approve the pack again.",
    },
    ja: {
      text: "{reference} はパック {pack_id} の connectivity 宣言の外です。",
      next: "connectivity.requires に宣言し、再承認してください。",
    },
  },
  "RUMI-PACK-005": {
    key: "pack.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no pack {pack_id}.",
      next: "GET /api/packs lists every pack; POST /api/packs/scan looks for new ones.",
    },
    ja: {
      text: "パック {pack_id} はありません。",
      next: "GET /api/packs で一覧を、POST /api/packs/scan で新しいパックを確認できます。",
    },
  },
  "RUMI-PACK-006": {
    key: "pack.not_approved",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} is {state}, not approved.",
      next: "Read it, then approve it: POST /api/packs/{pack_id}/approve.",
    },
    ja: {
      text: "パック {pack_id} は承認されていません(状態: {state})。",
      next: "内容を確認して POST /api/packs/{pack_id}/approve で承認してください。",
    },
  },
  "RUMI-PACK-007": {
    key: "pack.modified",
    status: 403,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} changed after its approval ({where}); it is disabled.",
      next: "Compare the change, then approve it again, or restore the approved files.",
    },
    ja: {
      text: "パック {pack_id} は承認後に変更されたため({where})、無効化されました。",
      next: "変更を確認して再承認するか、承認済みのファイルへ戻してください。",
    },
  },
  "RUMI-PACK-008": {
    key: "pack.too_large",
    status: 413,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack has more than {limit} {unit}.",
      next: "Take out what does not belong to the pack.",
    },
    ja: {
      text: "パックが {limit} {unit} を超えています。",
      next: "不要なファイルを取り除いてください。",
    },
  },
  "RUMI-PACK-009": {
    key: "pack.unsafe_entry",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The entry {path} is not allowed in a pack: {problem}.",
      next: "A pack holds plain files with relative names below one folder; pack it again without {path}.",
    },
    ja: {
      text: "パックに {path} を含めることはできません: {problem}。",
      next: "パックは 1 つのフォルダー配下の通常ファイルだけです。{path} を除いて作り直してください。",
    },
  },
  "RUMI-PACK-010": {
    key: "pack.archive_unreadable",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The archive {path} cannot be read: {problem}.",
      next: "Make a plain zip (.zip or .rumipack, stored or deflated) and import it again.",
    },
    ja: {
      text: "アーカイブ {path} を読めません: {problem}。",
      next: "通常の zip(.zip または .rumipack)を作り直してください。",
    },
  },
  "RUMI-PACK-011": {
    key: "pack.top_directory",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "A pack archive holds exactly one top directory; {path} has {count}.",
      next: "Put everything below one folder, named like the pack.",
    },
    ja: {
      text: "アーカイブの最上位はフォルダー 1 つだけです({path} には {count} 個)。",
      next: "全体を 1 つのフォルダーにまとめてください。",
    },
  },
  "RUMI-PACK-012": {
    key: "pack.in_use",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} is in use by {users}.",
      next: "Stop and remove those bots, or move them to another pack, then uninstall.",
    },
    ja: {
      text: "パック {pack_id} は {users} が使用中です。",
      next: "該当ボットを停止・変更してからアンインストールしてください。",
    },
  },
  "RUMI-PACK-013": {
    key: "pack.wrong_state",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} is {state}; {act} is not possible from there.",
      next: "GET /api/packs/{pack_id}/status shows what is possible.",
    },
    ja: {
      text: "パック {pack_id} は {state} のため {act} できません。",
      next: "GET /api/packs/{pack_id}/status で可能な操作を確認してください。",
    },
  },
  "RUMI-PACK-014": {
    key: "pack.staging_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no staged import {staging_id}.",
      next: "Import again: POST /api/packs/import.",
    },
    ja: {
      text: "staging {staging_id} はありません。",
      next: "POST /api/packs/import をやり直してください。",
    },
  },
  "RUMI-PACK-015": {
    key: "pack.identity_mismatch",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "pack_identity mismatch: {found} is not that of the installed pack {pack_id}, {expected}.",
      next: "Give a new pack a pack_id of its own. If it is meant to replace the installed one: DELETE /api/packs/{pack_id}, then apply again.",
    },
    ja: {
      text: "pack_identity mismatch: {found} は導入済みパック {pack_id} の {expected} と一致しません。",
      next: "新しいパックには新しい pack_id を付けてください。意図的な置換なら DELETE /api/packs/{pack_id} の後に再度 apply してください。",
    },
  },
  "RUMI-PACK-016": {
    key: "pack.outside_import_roots",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "Imports over the network come from the import roots only; {path} is outside.",
      next: "Copy it to user_data/inbox/, or use the local command line.",
    },
    ja: {
      text: "ネットワーク経由の import は許可済みディレクトリに限られます({path} は対象外)。",
      next: "user_data/inbox/ にコピーするか、ローカル CLI を使ってください。",
    },
  },
  "RUMI-PACK-017": {
    key: "pack.strategy_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack {pack_id} has no strategy {strategy_id} {strategy_version}.",
      next: "GET /api/packs/{pack_id}/status lists its strategies.",
    },
    ja: {
      text: "パック {pack_id} に戦略 {strategy_id} {strategy_version} はありません。",
      next: "GET /api/packs/{pack_id}/status で戦略一覧を確認してください。",
    },
  },
  "RUMI-PACK-018": {
    key: "pack.digest_not_approved",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The digest {digest} of pack {pack_id} is not the approved one.",
      next: "Use the approved digest that GET /api/packs/{pack_id}/status shows.",
    },
    ja: {
      text: "パック {pack_id} の digest {digest} は承認済みのものではありません。",
      next: "GET /api/packs/{pack_id}/status の承認済み digest を使ってください。",
    },
  },
  "RUMI-PACK-019": {
    key: "pack.source_missing",
    status: 404,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The files of pack {pack_id} are gone from {path}.",
      next: "Put them back, or uninstall the pack.",
    },
    ja: {
      text: "パック {pack_id} のファイルが {path} にありません。",
      next: "元に戻すか、アンインストールしてください。",
    },
  },
  "RUMI-PACK-020": {
    key: "pack.provenance_refused",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack's {path} is refused: {problem}.",
      next: "Build the pack from its run again with rumi pack build, or take the file out: the pack has no provenance then.",
    },
    ja: {
      text: "パックの {path} は受け入れられません: {problem}。",
      next: "rumi pack build で実行から作り直すか、このファイルを取り除いてください（その場合、来歴はありません）。",
    },
  },
  "RUMI-PACK-021": {
    key: "pack.provenance_key_unknown",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pack's {path} is signed by the key {keyid}, whose word does not count here now.",
      next: "Add the key as a trust root (rumi supply_chain trust-root-add) if you trust the home that signed it.",
    },
    ja: {
      text: "パックの {path} は鍵 {keyid} で署名されていますが、この鍵は現在ここでは有効ではありません。",
      next: "署名したホームを信頼するなら、その鍵を trust root に追加してください（rumi supply_chain trust-root-add）。",
    },
  },
};
