/** Support bundles: of the whole home or of one bot, asked for, listed, taken away. */
import * as answers from "../answers/bundles.ts";
import { of, type Call, type Wish } from "./call.ts";

const LISTED = 10;
/** Sixteen million bytes at most, and more for base64. */
const ARCHIVE_MS = 120_000;

export function bundleCalls({ get, post }: Call) {
  return {
    /** Of one bot, or all of them. */
    bundles: (bot_id: string | null) =>
      get(
        answers.bundlesAnswer,
        `/api/support_bundles?${bot_id === null ? "" : `bot_id=${of(bot_id)}&`}limit=${LISTED}`,
      ),
    makeBundle: (bot_id: string | null, { id, reason }: Wish) =>
      post("/api/support_bundles", { command_id: id, ...(bot_id === null ? {} : { bot_id }), reason }),
    bundleArchive: (bundle_id: string) =>
      get(answers.bundleArchive, `/api/support_bundles/${of(bundle_id)}/archive`, ARCHIVE_MS),
  };
}
