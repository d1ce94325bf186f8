/**
 * Asks for the reason before anything changes, and shows a refusal where the wish was made.
 *
 * What is dangerous is done in two steps that nobody can skip: the first is answered with a challenge, which shows what
 * it would do and what stands in its way; the second needs what the challenge asks for typed.
 */
import { useEffect, useRef, useState, type JSX, type ReactNode } from "react";
import { RefusedError, type Wish } from "../api.ts";
import type { Challenge, DryRun, Refusal } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { dayText } from "../time.ts";
import { CopyLine } from "./copy-line.tsx";
import { Blockers, Impact, Remaining } from "./outlook.tsx";
import { fieldsOf, isTyped, TypedFields, type Field, type Typed } from "./typed-fields.tsx";
import { TroubleBox, troubleOf, type Trouble } from "./trouble-box.tsx";

export type Question = {
  readonly title: string;
  readonly detail?: ReactNode;
  readonly tone: "primary" | "danger" | "live";
  /** To be typed beside the reason. */
  readonly fields?: readonly Field[];
  /** The same on the command line. */
  readonly line?: (reason: string, typed: Typed) => string;
  /** Asks what it would do, and changes nothing. */
  readonly onTry?: (wish: Wish) => Promise<DryRun>;
  readonly onYes: (wish: Wish, typed: Typed) => Promise<unknown>;
  /** After it was accepted. */
  readonly onDone: () => void;
};

const REASON_CHARACTERS = 500;

export function ReasonDialog(props: { readonly question: Question; readonly onClose: () => void }): JSX.Element {
  const { api, t } = useConsole();
  const { question, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [isSending, setIsSending] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  const [typed, setTyped] = useState<Typed>({});
  const [tried, setTried] = useState<DryRun | null>(null);
  // A wish that got no answer keeps its id, so that sending it again cannot act twice; a refused one is over.
  const [id, setId] = useState(() => crypto.randomUUID());
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const fields = challenge === null ? (question.fields ?? []) : fieldsOf(challenge, t);
  const isComplete = reason.trim() !== "" && isTyped(fields, typed);
  const send = async (): Promise<void> => {
    setIsSending(true);
    setTrouble(null);
    try {
      const wish = { id, reason: reason.trim() };
      await (challenge === null ? question.onYes(wish, typed) : api.confirmChallenge(challenge, typed, wish));
      question.onDone();
      onClose();
    } catch (problem) {
      setTrouble(troubleOf(problem));
      if (problem instanceof RefusedError) {
        setId(crypto.randomUUID());
        setChallenge(confirmable(problem.refusal));
        setTyped({});
      }
      setIsSending(false);
    }
  };
  const tryIt = async (ask: NonNullable<Question["onTry"]>): Promise<void> => {
    setIsSending(true);
    setTrouble(null);
    try {
      setTried(await ask({ id: crypto.randomUUID(), reason: reason.trim() }));
    } catch (problem) {
      setTrouble(troubleOf(problem));
    }
    setIsSending(false);
  };
  const { line, onTry } = question;
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="question" className={question.tone}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h3 id="question">{question.title}</h3>
        {question.detail !== undefined && <div className="dim detail">{question.detail}</div>}
        <label>
          {t("reason_hint")}
          <input
            autoFocus
            required
            value={reason}
            maxLength={REASON_CHARACTERS}
            onChange={(event) => setReason(event.target.value)}
            aria-label={t("reason")}
          />
        </label>
        {trouble !== null && <TroubleBox trouble={trouble} onLeave={onClose} />}
        {tried !== null && challenge === null && <Tried of={tried} />}
        {challenge !== null && (
          <>
            <Impact impact={challenge.preview} />
            <Blockers blockers={challenge.blocked_by} />
          </>
        )}
        <TypedFields fields={fields} typed={typed} onType={setTyped} />
        {line !== undefined && challenge === null && reason.trim() !== "" && (
          <CopyLine line={line(reason.trim(), typed)} />
        )}
        <div className="buttons">
          {onTry !== undefined && challenge === null && (
            <button
              type="button"
              className="first"
              disabled={reason.trim() === "" || isSending}
              onClick={() => void tryIt(onTry)}
            >
              {t("dry_run")}
            </button>
          )}
          {challenge !== null && <Remaining until={challenge.expiry} />}
          <button type="button" onClick={onClose}>
            {trouble === null ? t("cancel") : t("close")}
          </button>
          <button type="submit" className={question.tone} disabled={!isComplete || isSending}>
            {t("confirm")}
          </button>
        </div>
      </form>
    </dialog>
  );
}

const WOULD = { apply: "would_apply", challenge: "would_challenge", refuse: "would_refuse" } as const;

/** What a dry run answered: nothing of it was done. */
function Tried({ of: { would, refusals, preview, guardrail } }: { readonly of: DryRun }): JSX.Element {
  const { t } = useConsole();
  return (
    <div data-testid="tried" role="status">
      <p className={would === "refuse" ? "bad" : would === "challenge" ? "warn" : "good"}>{t(WOULD[would])}</p>
      {guardrail !== null && <Guardrail of={guardrail} />}
      <Impact impact={preview} />
      {refusals.length > 0 && <Blockers blockers={refusals} />}
    </div>
  );
}

function Guardrail({ of }: { readonly of: NonNullable<DryRun["guardrail"]> }): JSX.Element {
  const { t } = useConsole();
  const { warnings, dry_run_counts_until } = of;
  // What was just done counts.
  const missing = of.missing.filter((step) => step !== "dry_run" || dry_run_counts_until === null);
  return (
    <div data-testid="guardrail">
      {warnings.map((warning) => (
        <p key={warning} className="warn wrap">
          {t("guardrail_warns", { warning })}
        </p>
      ))}
      {missing.length > 0 && (
        <p className="warn">
          {t("guardrail_missing", { steps: missing.map((one) => one.replaceAll("_", " ")).join(", ") })}
        </p>
      )}
      {dry_run_counts_until !== null && (
        <p className="good">{t("guardrail_counts", { time: dayText(dry_run_counts_until) })}</p>
      )}
    </div>
  );
}

/** A second person works elsewhere: then the next step says what to do, and nothing can be typed here. */
function confirmable({ challenge }: Refusal): Challenge | null {
  return challenge === null || challenge.requires.includes("second_person") ? null : challenge;
}
