/**
 * Triage: what is wrong with a bot, of which class, why probably, and what to do next (L-28). Pure.
 *
 * How to think: every fact that bears a code becomes one finding. The class comes from the code's family, because who
 * made a code also knows whose trouble it is; the next step is the failure's own where it has one. A finding names its
 * evidence, so that nobody has to believe it. What holds a stop up comes first, then what failed, then what refuses.
 *
 * Invariants (triage.test.ts)
 * - Every family of reason codes and every category of error codes has a class, a probable cause and a next step.
 * - A bot without a failing fact has no finding; a code that nobody knows still gets one.
 */
import { runbookOf } from "../runbooks.ts";
import { ERROR_CAUSES, FAMILY_CAUSES, REASON_CAUSES, UNKNOWN_CAUSE, type Cause, type FailureClass } from "./causes.ts";

export type Finding = {
  readonly subject: {
    readonly kind: "bot" | "instance" | "stop" | "command" | "order" | "intent";
    readonly id: string;
  };
  readonly class: FailureClass;
  readonly error_code: string | null;
  readonly reason_code: string | null;
  /** In words, as far as the facts tell. */
  readonly probable_cause: string;
  readonly next_step: string;
  /** A page of docs/runbooks; null where the next step says it all. */
  readonly runbook: string | null;
  /** Since when, where a fact tells it. */
  readonly since: string | null;
  readonly evidence: readonly { readonly kind: string; readonly id: string }[];
};

export type TriageFacts = {
  readonly bot: {
    readonly bot_id: string;
    readonly state: string;
    readonly reason: string;
    readonly since: string;
    readonly run_id: string | null;
  };
  readonly instances: readonly {
    readonly instance_id: string;
    readonly run_id: string;
    readonly phase: string;
    readonly health_state: string | null;
    readonly reason_code: string | null;
    readonly failure: {
      readonly error_code: string;
      readonly reason_code: string | null;
      readonly error: string;
      readonly suggestion: string;
    } | null;
    readonly updated_at: string;
  }[];
  /** Stops that are not proven. */
  readonly stops: readonly {
    readonly run_id: string;
    readonly blocked: { readonly rung: string; readonly why: string; readonly since: string } | null;
  }[];
  /** STOPPING for longer than it may; the bundle that was made of it, if it is there. */
  readonly stuck: { readonly since: string; readonly bundle_id: string | null } | null;
  /** The newest command that was refused since the bot last moved. */
  readonly refused: {
    readonly command_id: string;
    readonly event_id: string;
    readonly error_code: string | null;
    readonly reason_code: string | null;
    readonly at: string;
  } | null;
  /** The newest of the run's orders that the venue refused, and how many of the newest did so. */
  readonly rejected: {
    readonly client_order_id: string;
    readonly reason_code: string | null;
    readonly at: string;
    readonly count: number;
  } | null;
};

export type Triage = {
  readonly state: "ok" | "failing" | "stuck";
  readonly findings: readonly Finding[];
};

export function triageBot(facts: TriageFacts): Triage {
  const findings = [
    ...stuckFinding(facts),
    ...facts.instances.flatMap((one) => instanceFinding(facts.bot.bot_id, one)),
    ...botFinding(facts),
    ...refusedFinding(facts),
    ...rejectedFinding(facts),
  ];
  return { state: facts.stuck !== null ? "stuck" : findings.length > 0 ? "failing" : "ok", findings };
}

/** What a code means: its reason's family first, which is nearer to the trouble, then its category. */
export function causeOf(error_code: string | null, reason_code: string | null): Cause {
  const family = FAMILY_CAUSES[/^M\.([A-Z]+)/.exec(reason_code ?? "")?.[1] ?? ""];
  if (family !== undefined) return family;
  const words = reason_code?.split(".") ?? [];
  for (let length = words.length; length > 0; length -= 1) {
    const known = REASON_CAUSES[words.slice(0, length).join(".")];
    if (known !== undefined) return known;
  }
  return ERROR_CAUSES[/^RUMI-([A-Z]+)-/.exec(error_code ?? "")?.[1] ?? ""] ?? UNKNOWN_CAUSE;
}

/** One finding from codes alone, for whatever bears them: an intent that was refused, an order that was rejected. */
export function findingOf(of: {
  readonly subject: Finding["subject"];
  readonly error_code?: string | null;
  readonly reason_code: string | null;
  readonly said?: string;
  readonly next_step?: string;
  readonly since?: string | null;
  readonly evidence?: Finding["evidence"];
}): Finding {
  const { subject, error_code = null, reason_code, said, since = null, evidence = [] } = of;
  const cause = causeOf(error_code, reason_code);
  return {
    subject,
    class: cause.class,
    error_code,
    reason_code,
    probable_cause: said === undefined ? cause.cause : `${cause.cause} ${said}`,
    next_step: of.next_step ?? cause.next,
    runbook: runbookOf(error_code ?? "", reason_code ?? undefined) ?? cause.runbook ?? null,
    since,
    evidence: [{ kind: subject.kind, id: subject.id }, ...evidence],
  };
}

function stuckFinding({ bot, stops, stuck }: TriageFacts): readonly Finding[] {
  if (stuck === null) return [];
  const bundle = stuck.bundle_id === null ? [] : [{ kind: "support_bundle", id: stuck.bundle_id }];
  const offer =
    stuck.bundle_id === null
      ? `POST /api/support_bundles {"bot_id": "${bot.bot_id}"} collects the evidence.`
      : `GET /api/support_bundles/${stuck.bundle_id} has the evidence.`;
  const base = {
    subject: { kind: "bot", id: bot.bot_id },
    reason_code: "STOPPING_TOO_LONG",
    next_step: `Follow the runbook; ${offer}`,
  } as const;
  const blocked = stops.filter((stop) => stop.blocked !== null);
  if (blocked.length === 0)
    return [findingOf({ ...base, said: "No rung of the stop is known yet.", since: stuck.since, evidence: bundle })];
  return blocked.map(({ run_id, blocked: by }) =>
    findingOf({
      ...base,
      said: `${by?.rung ?? ""} is waited for since ${by?.since ?? ""}: ${by?.why ?? ""}.`,
      since: stuck.since,
      evidence: [{ kind: "stop", id: run_id }, ...bundle],
    }),
  );
}

function instanceFinding(bot_id: string, one: TriageFacts["instances"][number]): readonly Finding[] {
  const subject = { kind: "instance", id: `${bot_id}/${one.instance_id}` } as const;
  const evidence = [{ kind: "run", id: one.run_id }];
  if (one.failure !== null) {
    const { error_code, reason_code, error, suggestion } = one.failure;
    return [
      findingOf({
        subject,
        error_code,
        reason_code: reason_code ?? one.reason_code,
        said: error,
        next_step: suggestion,
        since: one.updated_at,
        evidence,
      }),
    ];
  }
  const unwell = one.health_state === "degraded" || one.health_state === "halted" || one.phase === "failed";
  if (!unwell) return [];
  return [findingOf({ subject, reason_code: one.reason_code, since: one.updated_at, evidence })];
}

/** ERROR and QUARANTINED that no instance explains: what the bot's own row says. */
function botFinding({ bot, instances }: TriageFacts): readonly Finding[] {
  if (bot.state === "QUARANTINED" || (bot.state === "ERROR" && instances.every(({ failure }) => failure === null))) {
    const evidence = bot.run_id === null ? [] : [{ kind: "run", id: bot.run_id }];
    const reason_code = bot.state === "QUARANTINED" && bot.reason === "COMMANDED" ? "QUARANTINED" : bot.reason;
    return [findingOf({ subject: { kind: "bot", id: bot.bot_id }, reason_code, since: bot.since, evidence })];
  }
  return [];
}

function refusedFinding({ refused }: TriageFacts): readonly Finding[] {
  if (refused === null) return [];
  const { command_id, event_id, error_code, reason_code, at } = refused;
  const evidence = [{ kind: "event", id: event_id }];
  return [findingOf({ subject: { kind: "command", id: command_id }, error_code, reason_code, since: at, evidence })];
}

function rejectedFinding({ bot, rejected }: TriageFacts): readonly Finding[] {
  if (rejected === null) return [];
  const { client_order_id, reason_code, at, count } = rejected;
  return [
    findingOf({
      subject: { kind: "order", id: client_order_id },
      reason_code: reason_code ?? "M.VENUE.REJECTED",
      said: count > 1 ? `${count} of the newest orders of ${bot.bot_id} were refused.` : "",
      since: at,
      evidence: bot.run_id === null ? [] : [{ kind: "run", id: bot.run_id }],
    }),
  ];
}
