/**
 * What a run needs of the tape of its earlier lives: the rows from its newest state checkpoint on, and the one before it,
 * which tells which bar the checkpoint stands in. What may be dropped is reckoned here too, so that both agree.
 */
import { join } from "node:path";
import { err, type Failure, failure, ok, type Result } from "@rumi/kernel";
import { slotCursors } from "../checkpoint/slots.ts";
import { TapeStream } from "./reader.ts";
import { tapeFolder } from "./segments.ts";

/** Read to its end; error RUMI-STR-045, also where the checkpoint stands beyond what is left. */
export function readLife(run_dir: string): Result<TapeStream, Failure> {
  const { newest } = slotCursors(join(run_dir, "checkpoints"));
  const opened = TapeStream.open(run_dir, firstNeeded(newest));
  if (!opened.ok) return opened;
  const tape = opened.value;
  const broken = tape.fill(Number.POSITIVE_INFINITY);
  if (broken !== null) return err(broken);
  if (tape.feed.length >= newest) return ok(tape);
  const problem = `${tape.feed.length} rows are left, and the state checkpoint stands at row ${newest}`;
  return err(failure("RUMI-STR-045", { path: tapeFolder(run_dir), problem }, { reasonCode: "M.TAPE.CORRUPT" }));
}

/** The first row that a later life needs, also where its newest state checkpoint is damaged and the older one counts. */
export const neededRow = (run_dir: string): number => firstNeeded(slotCursors(join(run_dir, "checkpoints")).oldest);

/** The first row that a life needs which goes on from a state checkpoint at `cursor`. */
export const firstNeeded = (cursor: number): number => Math.max(0, cursor - 1);
