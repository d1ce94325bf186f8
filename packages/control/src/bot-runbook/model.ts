/** A bot's runbook: where an operator finds what to do when it fails (L-47). Without one nothing goes live. Pure. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

/** A page that can be opened: an address, or a document by its path. */
const LINK = /^(https?:\/\/[^\s/]+\S*|[\w.-]+(\/[\w.-]+)*\.(md|html|txt)(#\S+)?)$/;

export function judgeRunbook(bot_id: string, runbook: string | undefined): Result<null, Failure> {
  if (runbook !== undefined && LINK.test(runbook)) return ok(null);
  const problem = runbook === undefined ? "none is attached" : "what is attached is neither an address nor a document";
  return err(failure("RUMI-BOT-083", { bot_id, problem }, { reasonCode: "L.RUNBOOK.MISSING" }));
}
