/** Codes of the category PACK that are about an archive sent in a request's body. */
import type { ErrorTable } from "./entry.ts";

type PackUploadCode = "RUMI-PACK-040" | "RUMI-PACK-041" | "RUMI-PACK-042" | "RUMI-PACK-043";

export const PACK_UPLOAD_ERRORS: ErrorTable<PackUploadCode> = {
  "RUMI-PACK-040": {
    key: "pack.upload_too_large",
    status: 413,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The archive has more than {limit} bytes; nothing of it was kept.",
      next: "Take out what does not belong to the pack, or copy it to the machine that rumi runs on and import it by its path.",
    },
    ja: {
      text: "アーカイブが {limit} バイトを超えています。何も保存していません。",
      next: "不要なファイルを取り除くか、rumi が動くマシンへコピーしてパスでインポートしてください。",
    },
  },
  "RUMI-PACK-041": {
    key: "pack.upload_cut_off",
    status: 400,
    fault: "caller",
    retry: "later",
    en: {
      text: "The archive did not arrive whole: {problem}. Nothing of it was kept.",
      next: "Send the same request again.",
    },
    ja: {
      text: "アーカイブを最後まで受信できませんでした: {problem}。何も保存していません。",
      next: "同じリクエストを再送してください。",
    },
  },
  "RUMI-PACK-042": {
    key: "pack.upload_digest_differs",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The archive that arrived has the SHA-256 {found}, and {expected} was announced.",
      next: "Compare the file with the one that its maker published; send the right one, or announce what it is.",
    },
    ja: {
      text: "受信したアーカイブの SHA-256 は {found} ですが、{expected} と申告されました。",
      next: "作成者が公開したファイルと比べ、正しいものを送るか、正しいダイジェストを申告してください。",
    },
  },
  "RUMI-PACK-043": {
    key: "pack.uploads_busy",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "{limit} archives are being received now.",
      next: "Send the same request again in {seconds} seconds.",
    },
    ja: {
      text: "現在 {limit} 個のアーカイブを受信中です。",
      next: "{seconds} 秒後に同じリクエストを再送してください。",
    },
  },
};
