/** What each family of codes says about whose trouble it is: class, probable cause, next step. Data only. */
export const FAILURE_CLASSES = [
  "strategy",
  "sandbox",
  "data",
  "venue",
  "limits",
  "restraint",
  "configuration",
  "artifact",
  "runner",
  "control_plane",
  "permission",
  "stop",
  "storage",
  "unknown",
] as const;
export type FailureClass = (typeof FAILURE_CLASSES)[number];

export type Cause = {
  readonly class: FailureClass;
  readonly cause: string;
  readonly next: string;
  readonly runbook?: string;
};

const of = (kind: FailureClass, cause: string, next: string, runbook?: string): Cause => ({
  class: kind,
  cause,
  next,
  ...(runbook === undefined ? {} : { runbook }),
});

const OWN_FAULT = "Reproduce it with `rumi replay RUN`, mend the strategy, and update the bot.";
const START_AGAIN = "Remove the cause, then start the bot explicitly.";

/** By reason code or by any whole part of its beginning; the longest wins. Those of the runtime follow below. */
export const REASON_CAUSES: Readonly<Record<string, Cause>> = {
  STOPPING_TOO_LONG: of("stop", "The stop cannot be proven.", "Follow the runbook.", "docs/runbooks/stuck-stopping.md"),
  PROGRAM_RESTARTED: of("control_plane", "The program was restarted and its runner was gone.", START_AGAIN),
  QUARANTINED: of(
    "restraint",
    "Somebody put it in quarantine; it never returns by itself.",
    "Find out why (its commands and their reasons), then release it: `rumi bots release`.",
    "docs/runbooks/bots.md",
  ),
  DRIFT: of(
    "restraint",
    "What runs is not what was asked for, so it was put in quarantine.",
    "GET /api/drift says what differs; find out who made the difference, then release it: `rumi bots release`.",
    "docs/runbooks/drift.md",
  ),
  RUNNER_GONE: of("runner", "The process that hosted it is gone.", START_AGAIN, "docs/runbooks/runners.md"),
  RUNNER_GONE_AT_RESTART: of(
    "runner",
    "Its runner was gone when the program came back.",
    START_AGAIN,
    "docs/runbooks/program-restarted.md",
  ),
  PROGRAM_STOPPING: of("control_plane", "The program was ending.", START_AGAIN),
  LEASE_MISMATCH: of("runner", "Somebody else holds its lease.", START_AGAIN, "docs/runbooks/lease.md"),
  LEASE_OVER: of("runner", "Its lease ran out and nobody renewed it.", START_AGAIN, "docs/runbooks/lease.md"),
  INSTANCE_ENDED: of("runner", "It ended although nobody asked it to.", START_AGAIN, "docs/runbooks/runners.md"),
  PERMISSION_DENIED: of("permission", "The caller's roles do not cover it.", "Ask somebody who may."),
  POLICY_DENIED: of("permission", "A policy forbids it.", "Read the policies in force: GET /api/policies."),
  POLICY_ERROR: of("permission", "The policies cannot be evaluated, so nothing passes.", "Set policies that compile."),
  CONFIRMATION_REQUIRED: of(
    "permission",
    "It is dangerous and waits to be confirmed.",
    "Confirm or reject its challenge.",
  ),
  DANGEROUS_OPS_DISABLED: of("permission", "Dangerous operations are switched off here.", "See the runbook."),
  AUDIT_UNAVAILABLE: of("storage", "The audit log could not be written, so nothing dangerous ran.", "Free the disk."),
  "G.STATE_MOVED": of("configuration", "The bot was in another state than the command said.", "Read it and ask again."),
  "G.TRANSITION_NOT_ALLOWED": of(
    "configuration",
    "That state is not reached from there.",
    "See docs/formats/bot-states.md.",
  ),
  "G.COMMAND_EXPIRED": of("configuration", "The command came after its own end.", "Send a new one."),
  "G.STOP_NOT_PROVEN": of(
    "stop",
    "Something of it may still run.",
    "Wait for the stop to be proven: GET /api/attestations.",
  ),
  "G.SAFETY": of(
    "restraint",
    "The safety mode forbids whatever may grow risk.",
    "Stop and diagnose; NORMAL is set by a confirmed operation.",
  ),
  "G.GATE": of(
    "restraint",
    "A required gate does not pass, or nobody knows whether it does.",
    "Look at GET /api/gates and have it reported.",
  ),
  "G.KILLSWITCH": of(
    "restraint",
    "The kill switch holds it.",
    "GET /api/killswitch names the rule; loosening is confirmed.",
  ),
  "G.FREEZE": of("restraint", "A freeze holds it.", "GET /api/holds names it and who set it."),
  "G.INCIDENT": of("restraint", "An incident is open over it.", "GET /api/holds names it and who set it."),
  "G.LOCK": of("restraint", "It is locked.", "GET /api/holds names the lock and who set it."),
  G: of("restraint", "A rule of the bot manager refuses it.", "The refusal's own text says which."),
  "L.PREFLIGHT": of(
    "configuration",
    "An item of the preflight failed.",
    "Send the command with dry_run: the report names the item.",
  ),
  "L.ARTIFACT": of(
    "artifact",
    "The strategy is not named by an approved digest.",
    "Name the digest of an approved pack.",
  ),
  "L.BREAK_GLASS": of(
    "permission",
    "A strong operation needs an open break-glass session.",
    "Open one, with a second person.",
  ),
  "L.RELEASE_CERT": of(
    "artifact",
    "Its release certificate is missing, revoked or of something else.",
    "GET /api/release/cert names it and why; have one issued for what is there.",
    "docs/runbooks/release.md",
  ),
  "L.CHANGELOG": of(
    "configuration",
    "The changelog of the bot's version says nothing.",
    "Write down what changes and why: `rumi bots changelog BOT --changelog …`.",
    "docs/runbooks/before-start.md",
  ),
  "L.SUPPLY_CHAIN": of(
    "artifact",
    "The supply-chain gate does not let the pack through.",
    "GET /api/supply_chain/reports names what is in the way and its probable fix.",
    "docs/runbooks/supply-chain.md",
  ),
  L: of("configuration", "A rule of the control plane refuses it.", "The refusal's own text says which."),
};

/** By the family of the runtime's reasons, `M.FAMILY.*`; the pages of runbooks.ts have a row for each reason. */
export const FAMILY_CAUSES: Readonly<Record<string, Cause>> = {
  ABI: of("strategy", "It broke the contract between strategy and runtime.", OWN_FAULT),
  ADMISSION: of("configuration", "The runtime did not admit it.", "Read its report: GET /api/admissions."),
  BREAKER: of(
    "limits",
    "Its circuit breaker is open.",
    "Look at what tripped it; it closes by its own rule or by `rumi bots breaker`.",
  ),
  CAPABILITY: of("strategy", "It wanted something that its descriptor does not allow.", OWN_FAULT),
  COMPUTE: of("limits", "It needs more computing than it is given.", "Raise its class, or make it cheaper."),
  CONFIG: of("configuration", "Its configuration does not fit its schema.", "Apply one that does."),
  DATA: of(
    "data",
    "Its market data is late, has gaps, or is out of order.",
    "Look at the source; its data_quality policy decides what it does meanwhile.",
  ),
  DEGRADE: of("limits", "It is degraded and may do less.", "The cause stands beside it in health and counters."),
  DESCRIPTOR: of("artifact", "Its descriptor is not in order.", "Mend the pack and have it approved."),
  FEED: of("data", "Its feed broke off or cannot be read.", "Look at the venue and its files."),
  GATEWAY: of(
    "venue",
    "The order gateway lost its way to the venue.",
    "Look at the venue's connection; journal and venue are compared before anything is sent.",
  ),
  INSTANCE: of("runner", "The instance could not be kept running.", START_AGAIN),
  INTENT: of("strategy", "It sent intents that make no sense.", OWN_FAULT),
  ISOLATION: of("runner", "This machine cannot box it as it must be.", "`rumi doctor` says what is missing."),
  JOURNAL: of(
    "storage",
    "Its journal cannot be written or does not agree with it.",
    "Look at the disk; `rumi replay RUN` compares.",
  ),
  KILLSWITCH: of("restraint", "The kill switch holds its orders.", "GET /api/killswitch names the rule."),
  LANE: of("runner", "The thread that carried it failed.", START_AGAIN),
  LEASE: of(
    "runner",
    "It lost its lease and fenced itself.",
    "Look at the connection between runner and control plane.",
  ),
  LIMIT: of("limits", "A limit of its bot stopped it.", "Compare its intents with capital and limits."),
  LOG: of("strategy", "It says more than it may.", OWN_FAULT),
  NORMALISE: of(
    "strategy",
    "Its prices or quantities are none that the instrument has.",
    "Compare tick and lot size with what it sends.",
  ),
  OUTPUT: of("strategy", "Its output is not in order.", OWN_FAULT),
  PROTOCOL: of(
    "runner",
    "Runner and control plane did not understand each other.",
    "Compare their versions; collect a support bundle.",
  ),
  QUEUE: of("limits", "It is slower than its data.", "Make it cheaper, or conflate its feed."),
  RECORDING: of("data", "Its recording is not what it was.", "Compare the venue's files with their digests."),
  REPLAY: of(
    "runner",
    "Replay came to something else than the journal.",
    "Do not start it again before this is understood; collect a support bundle.",
  ),
  RISK: of("limits", "The risk gate refused it.", "Compare its intents with its limits and stop conditions."),
  RUN: of("runner", "Its run could not be begun or taken up again.", START_AGAIN),
  RUNNER: of("runner", "Its runner is gone or ending.", START_AGAIN),
  SAFETY: of("restraint", "The safety mode holds its orders.", "GET /api/safety says why."),
  SANDBOX: of("sandbox", "Its box ended it: time, memory, or something forbidden.", OWN_FAULT),
  SERVICE: of("strategy", "Its companion does not answer in order.", OWN_FAULT),
  SLO: of("limits", "It misses its own objectives.", "Look at its latency and errors, then at the machine."),
  SMOKE: of("strategy", "It did not survive the try before the start.", OWN_FAULT),
  STAGING: of("restraint", "Its intents wait for a person.", "GET /api/intents/staged."),
  STATE: of(
    "strategy",
    "Its saved state cannot be used.",
    "Start it from nothing, or go back to the version that wrote the state.",
  ),
  STOP: of(
    "limits",
    "A stop condition of its own ended it.",
    "Look at what tripped it, then `rumi bots stops-acknowledge` before its next start.",
    "docs/runbooks/reasons/stop.md",
  ),
  STRATEGY: of("strategy", "Its code failed.", OWN_FAULT),
  TAPE: of("data", "The tape of its feed cannot be written or read.", "Look at the disk."),
  TELEMETRY: of("strategy", "It reports more than it may.", OWN_FAULT),
  TIMER: of("strategy", "It uses timers that it may not.", OWN_FAULT),
  VENUE: of(
    "venue",
    "The venue refused it.",
    "The row of its code on the runbook's page says why.",
    "docs/runbooks/reasons/venue.md",
  ),
};

/** By the category of an error code, where the reason tells nothing. */
export const ERROR_CAUSES: Readonly<Record<string, Cause>> = {
  AUTH: of("permission", "The caller may not do it.", "Ask somebody who may."),
  BOT: of(
    "configuration",
    "The bot is not as the command needs it.",
    "The refusal's own text says what is missing.",
    "docs/runbooks/bots.md",
  ),
  CAP: of(
    "permission",
    "A pack's handler, its grant or its privilege is not as the call needs it.",
    "See GET /api/capability/requests and GET /api/capability/grants; docs/capabilities.md tells the way from scan to grant.",
  ),
  CMD: of(
    "restraint",
    "A rule stands before the command.",
    "The refusal's own text says which.",
    "docs/runbooks/commands.md",
  ),
  DATA: of(
    "permission",
    "A pack's store, its share or its grant is not as the call needs it, or the store is full.",
    "See GET /api/stores, GET /api/stores/shared and GET /api/capability/grants; docs/stores.md.",
  ),
  FLOW: of(
    "configuration",
    "A flow's file, its inputs or one of its steps is not in order.",
    "GET /api/flows names each refused file, GET /api/flows/{flow_id}/runs what became of its blocks; docs/flows.md.",
  ),
  LOG: of("storage", "The audit log is not in order.", "`rumi audit verify` names what is wrong."),
  MKT: of(
    "data",
    "A recording cannot be read.",
    "`rumi recordings inspect` names the line.",
    "docs/runbooks/venues.md",
  ),
  NET: of("runner", "The other side does not answer.", "Look whether it runs."),
  PACK: of(
    "artifact",
    "The pack is not as it was approved.",
    "Look at it and have it approved anew.",
    "docs/runbooks/packs.md",
  ),
  RSK: of(
    "limits",
    "Capital, a limit or a stop condition stands before it.",
    "The refusal's own text says which.",
    "docs/runbooks/risk.md",
  ),
  PIP: of(
    "artifact",
    "The libraries that a pack asks for could not be had, do not fit their lock, or were changed.",
    "See GET /api/pip/requests for the note of each; docs/pip.md tells the way from scan to installed.",
  ),
  RUN: of(
    "configuration",
    "A run's repository, scope or definition of done is not in order, or its evidence is not there yet.",
    "GET /api/runs/{run_id} says how far it is and what stands in the way; docs/runs.md.",
  ),
  SEC: of(
    "storage",
    "A stored secret, or the key that secrets are sealed with, is not as the call needs it.",
    "`rumi doctor` says which secrets cannot be read; docs/secrets.md says where a key comes from.",
  ),
  STO: of("storage", "The store cannot be written.", "Look at the disk and the database."),
  UNIT: of(
    "configuration",
    "A unit, its mode or its grant is not as the call needs it, or its own code failed.",
    "GET /api/units lists what was published; docs/units.md.",
  ),
  REL: of(
    "artifact",
    "A release certificate is missing, revoked, stale, or could not be issued.",
    "The refusal's own text says which and what to do.",
    "docs/runbooks/release.md",
  ),
  SUP: of(
    "artifact",
    "What the pack is made of, or what is known about that, cannot be read or is not accepted.",
    "The refusal's own text says which file and what to do.",
    "docs/runbooks/supply-chain.md",
  ),
  STR: of("strategy", "The strategy failed or was ended.", OWN_FAULT),
  SYS: of("control_plane", "The program itself could not do it.", "Look into its log; collect a support bundle."),
  VAL: of("configuration", "The request is not in order.", "The refusal names the field."),
};

export const UNKNOWN_CAUSE: Cause = of(
  "unknown",
  "The facts tell no cause.",
  "Collect a support bundle: POST /api/support_bundles.",
);
