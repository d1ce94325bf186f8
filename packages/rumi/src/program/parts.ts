/** What the parts of a program are made of, and how they end. */
import type { Clock, Random, Scrubber } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import type { Installation } from "./installation.ts";

export type ProgramOptions = {
  readonly settings: Settings;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Taken through by the logger's sink too. */
  readonly scrubber: Scrubber;
  /** Without a console: its files are not served. */
  readonly headless: boolean;
};

export interface RunningProgram {
  readonly url: string;
  readonly token: string;
  readonly paths: HomePaths;
  readonly ready_ms: number;
  /** Resolves when a command asked for a restart: whoever started the program stops it and starts it again. */
  readonly restartAsked: Promise<void>;
  /** Orderly end: nothing new is taken, runners stop, the store closes, the lock goes. Idempotent. */
  readonly stop: (signal: string | null) => Promise<void>;
}

/** Parts in the order in which they were started; `stop` walks it backwards. */
export type Started = { readonly name: string; readonly stop: () => Promise<void> | void };

export async function stopAll(started: Started[], logger: Logger): Promise<void> {
  for (let part = started.pop(); part !== undefined; part = started.pop()) {
    const began = performance.now();
    try {
      await part.stop();
      logger.debug("a part stopped", { part: part.name, after_ms: Math.round(performance.now() - began) });
    } catch (error) {
      logger.error("a part could not be stopped in order", {
        part: part.name,
        problem: error instanceof Error ? error.message : String(error),
      });
    }
  }
}
