/**
 * Evidence of a fault: the tail of what a strategy said when it broke, fit for the journal and for an operator's eyes.
 *
 * A strategy holds no secrets of the host (empty environment, no files but its pack). What looks like a credential is
 * struck out all the same, because the journal is kept and shown. Control characters go too.
 */
import { type FrameViews, makeErrorReport, OUTPUT_KIND, readErrorReport, RecordWalker } from "@rumi/abi";
import type { StrategyFault } from "./strategy.ts";

export const EVIDENCE_CHARACTERS_MAX = 2_000;

const CREDENTIAL =
  /\b([\w-]*(?:secret|token|passw(?:or)?d|api[_-]?key|private[_-]?key|credential|authorization)[\w-]*["']?\s*[:=]\s*)(["']?)[^\s"',;)}\]]+/gi;
const LONG_WORD = /[A-Za-z0-9+/_=-]{48,}/g;

/** The last {@link EVIDENCE_CHARACTERS_MAX} characters, whole, printable and without credentials. */
export function evidenceOf(text: string): string {
  // Struck out before it is cut, so that a cut never leaves the second half of a credential without its name.
  const clean = text
    .slice(-EVIDENCE_CHARACTERS_MAX * 4)
    .replaceAll(CREDENTIAL, "$1$2[struck out]")
    .replaceAll(LONG_WORD, "[struck out]")
    .replaceAll(/[^\P{C}\n\t]/gu, "");
  return clean.trim().slice(-EVIDENCE_CHARACTERS_MAX);
}

/** A status below zero as a fault, with the error report at `at` (of at most `most` bytes) as its evidence. */
export function refusalOf(status: number, views: FrameViews, at: number, most: number): StrategyFault {
  const evidence = evidenceOf(reported(views, at, most));
  return {
    kind: "status",
    reason_code: `M.STRATEGY.STATUS_${-status}`,
    detail: `answered ${status}`,
    ...(evidence === "" ? {} : { evidence }),
  };
}

/** The text of an error report; none, or a malformed one, is no evidence. Its own length field bounds it. */
function reported(views: FrameViews, at: number, most: number): string {
  const walker = new RecordWalker();
  const report = makeErrorReport();
  walker.begin(views, at, Math.min(most, views.u32[(at + 4) >> 2] ?? 0));
  const sound =
    most > 0 &&
    walker.step() === OUTPUT_KIND.error_report &&
    readErrorReport(views, walker.at, walker.length, report) === "";
  return sound ? Buffer.from(report.text).toString("utf8") : "";
}
