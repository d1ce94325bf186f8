/** Errors of support bundles; cmd.ts has those of commands themselves. */
import type { ErrorTable } from "./entry.ts";

type BundleCode = "RUMI-CMD-050" | "RUMI-CMD-051";

export const BUNDLE_ERRORS: ErrorTable<BundleCode> = {
  "RUMI-CMD-050": {
    key: "cmd.too_many_bundles",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "{limit} support bundles are being made, which is the most at one time.",
      next: "Wait until one of them is ready (GET /api/support_bundles), or use it.",
    },
    ja: {
      text: "サポートバンドルを同時に作成できるのは {limit} 件までです。",
      next: "作成中のものが完了するまで待つか、既存のものを使ってください (GET /api/support_bundles)。",
    },
  },
  "RUMI-CMD-051": {
    key: "cmd.bundle_failed",
    status: 500,
    fault: "system",
    retry: "after_fix",
    en: {
      text: "The support bundle {bundle_id} could not be made: {problem}.",
      next: "Remove the cause (often a full disk) and ask for another one; `rumi bundle` makes one without the program.",
    },
    ja: {
      text: "サポートバンドル {bundle_id} を作成できませんでした: {problem}",
      next: "原因 (ディスク不足など) を取り除いてから作り直してください。プログラムなしでも `rumi bundle` で作成できます。",
    },
  },
};
