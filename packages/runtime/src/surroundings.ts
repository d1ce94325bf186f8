/**
 * What a runner and its lanes have around them: timers, clocks, the disk's sync, and who opens strategies and venues.
 *
 * How to think: the program takes {@link SYSTEM}; the simulator gives virtual ones, and then the same code runs in one
 * thread under a seed. Nothing in here is per instance.
 */
import { fdatasync } from "node:fs";
import { SYSTEM_TIMERS, type Timers } from "@rumi/kernel";
import { type Log, toStderr } from "./cause-text.ts";
import { admit } from "./admission/admit.ts";
import { openLive } from "./gateway/open-live.ts";
import type { Datasync } from "./journal/datasync.ts";
import { kernelAccount, type ThreadAccount } from "./slo/cpu-time.ts";
import { loadStrategy } from "./strategy/load.ts";

export type Clocks = {
  /** Microseconds since the epoch. */
  readonly wallNow: () => number;
  /** Milliseconds from an arbitrary origin, the same in every thread of the machine. */
  readonly monotonic: () => number;
  readonly monotonicNs: () => bigint;
};

export type Surroundings = Clocks & {
  readonly timers: Timers;
  readonly datasync: Datasync;
  readonly admit: typeof admit;
  readonly loadStrategy: typeof loadStrategy;
  readonly openLive: typeof openLive;
  /** What each lane's thread spends on processors. */
  readonly accountOf: (monotonic: () => number) => ThreadAccount;
  /** Milliseconds between two looks at an instance that only a look can tell about. */
  readonly idle_ms: number;
  /** Where causes of failures are written. */
  readonly log: Log;
};

export const SYSTEM: Surroundings = {
  timers: SYSTEM_TIMERS,
  wallNow: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
  monotonic: () => performance.now(),
  monotonicNs: () => process.hrtime.bigint(),
  datasync: fdatasync,
  admit,
  loadStrategy,
  openLive,
  accountOf: kernelAccount,
  idle_ms: 2,
  log: toStderr,
};
