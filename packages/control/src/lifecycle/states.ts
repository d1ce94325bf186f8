/**
 * The nine states of a bot and who may move it where (G-2.1, G-2.2a; docs/formats/bot-states.md).
 *
 * Read the table by cause: an operator asks, the system reports what is so. Nothing else moves a bot.
 *
 * Invariants (states.test.ts, all 9×9 pairs for each cause)
 * - RUNNING_LIVE is reached only by a confirmed dangerous operation; no other cause has it as a target.
 * - ERROR and QUARANTINED are never left by the system.
 */
export const BOT_STATES = [
  "CREATED",
  "IDLE",
  "RUNNING_PAPER",
  "RUNNING_SHADOW",
  "RUNNING_LIVE",
  "PAUSED",
  "STOPPING",
  "ERROR",
  "QUARANTINED",
] as const;
export type BotState = (typeof BOT_STATES)[number];
export type RunningState = "RUNNING_PAPER" | "RUNNING_SHADOW" | "RUNNING_LIVE";

export const TRANSITION_CAUSES = [
  /** A command by a person. */
  "operator",
  /** A command by a person that a challenge confirmed. */
  "dangerous",
  /** The bot's records are complete. */
  "initialised",
  /** The runner proved that it stopped. */
  "stopped",
  /** Something failed. */
  "fault",
  /** A safety rule isolates it. */
  "safety",
] as const;
export type TransitionCause = (typeof TRANSITION_CAUSES)[number];

type Targets = Readonly<Record<BotState, readonly BotState[]>>;

const NOWHERE: Targets = {
  CREATED: [],
  IDLE: [],
  RUNNING_PAPER: [],
  RUNNING_SHADOW: [],
  RUNNING_LIVE: [],
  PAUSED: [],
  STOPPING: [],
  ERROR: [],
  QUARANTINED: [],
};
const TO_QUARANTINE: Targets = {
  CREATED: ["QUARANTINED"],
  IDLE: ["QUARANTINED"],
  RUNNING_PAPER: ["QUARANTINED"],
  RUNNING_SHADOW: ["QUARANTINED"],
  RUNNING_LIVE: ["QUARANTINED"],
  PAUSED: ["QUARANTINED"],
  STOPPING: ["QUARANTINED"],
  ERROR: ["QUARANTINED"],
  QUARANTINED: [],
};

export const TRANSITIONS: Readonly<Record<TransitionCause, Targets>> = {
  operator: {
    CREATED: ["QUARANTINED"],
    IDLE: ["RUNNING_PAPER", "RUNNING_SHADOW", "QUARANTINED"],
    RUNNING_PAPER: ["PAUSED", "STOPPING", "QUARANTINED"],
    RUNNING_SHADOW: ["PAUSED", "STOPPING", "QUARANTINED"],
    RUNNING_LIVE: ["PAUSED", "STOPPING", "QUARANTINED"],
    PAUSED: ["RUNNING_PAPER", "RUNNING_SHADOW", "STOPPING", "QUARANTINED"],
    STOPPING: ["QUARANTINED"],
    ERROR: ["RUNNING_PAPER", "RUNNING_SHADOW", "STOPPING", "QUARANTINED"],
    QUARANTINED: [],
  },
  dangerous: {
    ...NOWHERE,
    IDLE: ["RUNNING_LIVE"],
    PAUSED: ["RUNNING_LIVE"],
    ERROR: ["RUNNING_LIVE"],
    QUARANTINED: ["IDLE"],
  },
  initialised: { ...NOWHERE, CREATED: ["IDLE"] },
  stopped: { ...NOWHERE, STOPPING: ["IDLE"] },
  fault: {
    ...NOWHERE,
    CREATED: ["ERROR"],
    RUNNING_PAPER: ["ERROR"],
    RUNNING_SHADOW: ["ERROR"],
    RUNNING_LIVE: ["ERROR"],
    PAUSED: ["ERROR"],
    STOPPING: ["ERROR"],
  },
  safety: TO_QUARANTINE,
};

/** Causes for which this version has a way in. */
export const CAUSES_IN_FORCE: readonly TransitionCause[] = [
  "operator",
  "dangerous",
  "initialised",
  "stopped",
  "fault",
  "safety",
];

export function mayMove(cause: TransitionCause, from: BotState, to: BotState): boolean {
  return TRANSITIONS[cause][from].includes(to);
}

export function isRunning(state: BotState): state is RunningState {
  return state === "RUNNING_PAPER" || state === "RUNNING_SHADOW" || state === "RUNNING_LIVE";
}

/** Whether a command from one to the other is a start: the step that preflight guards. */
export function isStart(to: BotState): to is RunningState {
  return isRunning(to);
}

export function isBotState(text: string): text is BotState {
  return (BOT_STATES as readonly string[]).includes(text);
}
