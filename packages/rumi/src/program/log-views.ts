/**
 * Keeps the log's files up to date behind the store: tile files for foreign tools, JSONL lines for jq.
 *
 * The store is the truth; these are views that can be thrown away and made again. They follow commits after a
 * short pause, one update at a time, and catch up at the start, so a crash costs nothing but a moment.
 */
import { millis, type Clock, type Failure, type Result } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";

/** Commits that come closer together than this share one update. */
const PAUSE_MS = 200;
/** After an update the views rest so many times as long as it took: a busy log is followed in larger steps. */
const REST_FACTOR = 4;
const PAUSE_MAX_MS = 2_000;

export interface LogViews {
  /** Something was committed; the files will follow. */
  readonly nudge: () => void;
  /** A last update, then no more. */
  readonly close: () => Promise<void>;
}

export function followLog(options: {
  readonly update: () => Promise<Result<unknown, Failure>>;
  readonly clock: Clock;
  readonly logger: Logger;
}): LogViews {
  const { update, clock, logger } = options;
  const stopped = new AbortController();
  let isDirty = true;
  let wake: () => void = () => {};
  const once = async (): Promise<void> => {
    isDirty = false;
    const updated = await update();
    if (!updated.ok)
      logger.error("the log's files could not be updated", {
        error_code: updated.error.code,
        params: updated.error.params,
      });
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      if (!isDirty) await new Promise<void>((resolve) => (wake = resolve));
      const began = clock.monotonic();
      if (isDirty && !stopped.signal.aborted) await once();
      const rest_ms = REST_FACTOR * (clock.monotonic() - began);
      await clock.sleep(millis(Math.min(PAUSE_MAX_MS, Math.max(PAUSE_MS, rest_ms))), stopped.signal);
    }
    await once();
  };
  const running = loop();
  return {
    nudge: () => {
      isDirty = true;
      wake();
    },
    close: async () => {
      stopped.abort();
      wake();
      await running;
    },
  };
}
