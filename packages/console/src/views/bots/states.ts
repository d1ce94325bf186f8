/** What a person may ask for in each state of a bot (docs/formats/bot-states.md), and the colour of each; the server decides. */
import type { BotState } from "../../answers/answers.ts";
import type { Word } from "../../words/en.ts";
import type { Tone } from "../badge.tsx";

export type Act = {
  readonly word: Word;
  readonly to: BotState;
  readonly tone: "primary" | "danger" | "live";
  /** Confirmed by typing the bot's name, and only an administrator may ask for it. */
  readonly isDangerous?: true;
};

const START: readonly Act[] = [
  { word: "start_paper", to: "RUNNING_PAPER", tone: "primary" },
  { word: "start_shadow", to: "RUNNING_SHADOW", tone: "primary" },
];
/** Offered only where live is possible at all: on a venue that takes orders. */
const START_LIVE: Act = { word: "start_live", to: "RUNNING_LIVE", tone: "live", isDangerous: true };
const RELEASE: Act = { word: "release", to: "IDLE", tone: "primary", isDangerous: true };
const STOP: Act = { word: "stop", to: "STOPPING", tone: "danger" };
const PAUSE: Act = { word: "pause", to: "PAUSED", tone: "primary" };
const QUARANTINE: Act = { word: "quarantine", to: "QUARANTINED", tone: "danger" };

export const ACTS: Readonly<Record<BotState, readonly Act[]>> = {
  CREATED: [QUARANTINE],
  IDLE: [...START, START_LIVE, QUARANTINE],
  RUNNING_PAPER: [PAUSE, STOP, QUARANTINE],
  RUNNING_SHADOW: [PAUSE, STOP, QUARANTINE],
  RUNNING_LIVE: [PAUSE, STOP, QUARANTINE],
  PAUSED: [...START, START_LIVE, STOP, QUARANTINE],
  STOPPING: [QUARANTINE],
  ERROR: [...START, START_LIVE, STOP, QUARANTINE],
  QUARANTINED: [RELEASE],
};

export const STATE_TONE: Readonly<Record<BotState, Tone>> = {
  CREATED: "dim",
  IDLE: "dim",
  RUNNING_PAPER: "good",
  RUNNING_SHADOW: "good",
  RUNNING_LIVE: "live",
  PAUSED: "warn",
  STOPPING: "warn",
  ERROR: "bad",
  QUARANTINED: "bad",
};

export const HEALTH_TONE = { healthy: "good", degraded: "warn", halted: "bad" } as const;
