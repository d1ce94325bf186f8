/**
 * What restrains every bot right now, always in sight: safety mode, kill switch, gates, holds, the emergency spool, and an
 * open break-glass session. What cannot be observed is UNKNOWN, never the last value that was seen.
 */
import type { JSX, ReactNode } from "react";
import type { SafetyMode, SafetyState } from "../../answers/answers.ts";
import {
  scopeText,
  type Gate,
  type Hold,
  type KillLevel,
  type KillSwitch,
  type Session,
} from "../../answers/controls.ts";
import { useConsole } from "../../context.ts";
import { strictestFirst } from "../../control-queries.ts";
import type { Word } from "../../i18n.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";

export const SAFETY_TONE: Readonly<Record<SafetyMode, Tone>> = { NORMAL: "good", SAFE: "warn", EMERGENCY_STOP: "bad" };
export const KILL_TONE: Readonly<Record<KillLevel, Tone>> = {
  ALLOW: "good",
  CLOSE_ONLY: "warn",
  FLATTEN: "bad",
  BLOCK: "bad",
};

export type Observed = {
  readonly safety: SafetyState | undefined;
  readonly kill: KillSwitch | undefined;
  readonly gates: readonly Gate[] | undefined;
  readonly holds: readonly Hold[] | undefined;
  readonly sessions: readonly Session[] | undefined;
};

/** The most urgent of all, for the bar's own edge. */
export function toneOf({ safety, kill, gates, holds }: Observed): Tone {
  if (safety === undefined || kill === undefined || gates === undefined || holds === undefined) return "bad";
  const [strictest] = strictestFirst(kill);
  const tones: readonly Tone[] = [
    SAFETY_TONE[safety.mode],
    strictest === undefined ? "good" : KILL_TONE[strictest.level],
    gates.some(isFailing) || holds.length > 0 ? "warn" : "good",
  ];
  return tones.includes("bad") ? "bad" : tones.includes("warn") ? "warn" : "good";
}

/** Only a gate that is required holds anything up. */
const isFailing = ({ required, state }: Gate): boolean => required && state !== "PASS";

export function Restraints(observed: Observed): JSX.Element {
  return (
    <>
      <SafetyPart safety={observed.safety} />
      <KillPart kill={observed.kill} />
      <GatesPart gates={observed.gates} />
      <HoldsPart holds={observed.holds} />
      <SpoolPart safety={observed.safety} kill={observed.kill} />
      <SessionPart sessions={observed.sessions} />
    </>
  );
}

function SafetyPart({ safety }: Pick<Observed, "safety">): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <span className="labelled" aria-live="polite">
        <span className="label">{t("safety")}</span>
        <Badge
          tone={safety === undefined ? "bad" : SAFETY_TONE[safety.mode]}
          look={safety?.mode === "NORMAL" ? "outline" : "filled"}
          text={safety === undefined ? t("unknown") : safety.mode}
          title={safety === undefined ? t("unknown_safety") : safety.reason}
          testId="safety-mode"
        />
      </span>
      <span className="bar-note dim" data-testid="safety-reason">
        {safety === undefined
          ? t("unknown_safety")
          : safety.mode === "NORMAL"
            ? ""
            : `${safety.reason} — ${safety.activated_by}, ${dayText(safety.activated_at)}`}
      </span>
    </>
  );
}

function KillPart({ kill }: Pick<Observed, "kill">): JSX.Element {
  const { t } = useConsole();
  if (kill === undefined) return <Unseen label="kill_switch" testId="kill-state" />;
  const [strictest, ...more] = strictestFirst(kill);
  const late = kill.runners.filter(({ follows }) => !follows).length;
  const others = more.length === 0 ? "" : ` +${more.length}`;
  const following = late === 0 ? "" : ` · ${t("runners_behind", { count: late })}`;
  return (
    <Labelled label="kill_switch">
      <Badge
        tone={strictest === undefined ? "good" : KILL_TONE[strictest.level]}
        look={strictest === undefined ? "outline" : "filled"}
        text={
          strictest === undefined ? "ALLOW" : `${strictest.level} · ${scopeText(strictest.scope)}${others}${following}`
        }
        title={strictest?.reason ?? t("kill_none")}
        testId="kill-state"
      />
    </Labelled>
  );
}

function GatesPart({ gates }: Pick<Observed, "gates">): JSX.Element {
  const { t } = useConsole();
  if (gates === undefined) return <Unseen label="gates" testId="gates-state" />;
  const required = gates.filter((gate) => gate.required);
  const count = (state: Gate["state"]): number => required.filter((gate) => gate.state === state).length;
  const [failing, unknown] = [count("FAIL"), count("UNKNOWN")];
  const words = [
    ...(failing > 0 ? [t("gates_failing", { count: failing })] : []),
    ...(unknown > 0 ? [t("gates_unknown", { count: unknown })] : []),
  ];
  return (
    <Labelled label="gates">
      <Badge
        tone={failing > 0 ? "bad" : unknown > 0 ? "warn" : required.length === 0 ? "dim" : "good"}
        look={words.length === 0 ? "outline" : "filled"}
        text={
          required.length === 0
            ? t("gates_none")
            : words.length === 0
              ? t("gates_pass", { count: required.length })
              : words.join(" · ")
        }
        title={required.map(({ gate, state }) => `${gate} ${state}`).join("\n")}
        testId="gates-state"
      />
    </Labelled>
  );
}

const HOLD_WORD = { freeze: "holds_freeze", incident: "holds_incident", lock: "holds_lock" } as const;

function HoldsPart({ holds }: Pick<Observed, "holds">): JSX.Element {
  const { t } = useConsole();
  if (holds === undefined) return <Unseen label="holds_label" testId="holds-state" />;
  const words = (["lock", "incident", "freeze"] as const).flatMap((kind) => {
    const count = holds.filter((hold) => hold.kind === kind).length;
    return count === 0 ? [] : [t(HOLD_WORD[kind], { count })];
  });
  return (
    <Labelled label="holds_label">
      <Badge
        tone={words.length === 0 ? "good" : "warn"}
        look={words.length === 0 ? "outline" : "filled"}
        text={words.length === 0 ? t("holds_none") : words.join(" · ")}
        title={holds.map(({ kind, scope, reason }) => `${kind} ${scopeText(scope)}: ${reason}`).join("\n")}
        testId="holds-state"
      />
    </Labelled>
  );
}

/** Tightenings that are in force and that the log could not take yet. */
function SpoolPart({ safety, kill }: Pick<Observed, "safety" | "kill">): JSX.Element {
  const { t } = useConsole();
  if (safety === undefined || kill === undefined) return <Unseen label="spool" testId="spool-state" />;
  const count = Number(safety.spooled === true) + kill.rules.filter(({ spooled }) => spooled === true).length;
  return (
    <Labelled label="spool">
      <Badge
        tone={count === 0 ? "good" : "bad"}
        look={count === 0 ? "outline" : "filled"}
        text={count === 0 ? t("spool_empty") : t("spool_waiting", { count })}
        title={t("spool_hint")}
        testId="spool-state"
      />
    </Labelled>
  );
}

function SessionPart({ sessions }: Pick<Observed, "sessions">): JSX.Element | null {
  const session = sessions?.find(({ state, training }) => state !== "REVIEWED" && !training);
  if (session === undefined) return null;
  return (
    <Labelled label="break_glass">
      <Badge
        tone="bad"
        look="filled"
        text={`${session.state} · ${session.holder}`}
        title={session.reason}
        testId="session-state"
      />
      {session.state === "OPEN" && <Remaining until={session.ends_at} />}
    </Labelled>
  );
}

function Unseen({ label, testId }: { readonly label: Word; readonly testId: string }): JSX.Element {
  const { t } = useConsole();
  return (
    <Labelled label={label}>
      <Badge tone="bad" look="filled" text={t("unknown")} title={t("unknown_state")} testId={testId} />
    </Labelled>
  );
}

function Labelled(props: { readonly label: Word; readonly children: ReactNode }): JSX.Element {
  const { t } = useConsole();
  return (
    <a className="labelled" href={hrefOf({ kind: "controls" })}>
      <span className="label">{t(props.label)}</span>
      {props.children}
    </a>
  );
}
