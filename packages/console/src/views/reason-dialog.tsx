/**
 * Asks for the reason before anything changes, and shows a refusal where the wish was made.
 *
 * What is dangerous is done in two steps that nobody can skip: the first is answered with a challenge, the second needs
 * its phrase typed.
 */
import { useEffect, useRef, useState, type JSX, type ReactNode } from "react";
import { RefusedError, type Wish } from "../api.ts";
import { ShapeError } from "../answers/shape.ts";
import type { Challenge, Refusal } from "../answers/answers.ts";
import { useConsole } from "../context.ts";

export type Question = {
  readonly title: string;
  readonly detail?: ReactNode;
  readonly tone: "primary" | "danger";
  readonly onYes: (wish: Wish) => Promise<unknown>;
  /** After it was accepted. */
  readonly onDone: () => void;
};

type Trouble =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "other"; readonly message: string };

const REASON_CHARACTERS = 500;

export function ReasonDialog(props: { readonly question: Question; readonly onClose: () => void }): JSX.Element {
  const { api, t } = useConsole();
  const { question, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [isSending, setIsSending] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [challenge, setChallenge] = useState<Challenge | null>(null);
  const [phrase, setPhrase] = useState("");
  // A wish that got no answer keeps its id, so that sending it again cannot act twice; a refused one is over.
  const [id, setId] = useState(() => crypto.randomUUID());
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const isComplete = reason.trim() !== "" && (challenge === null || phrase === challenge.phrase);
  const send = async (): Promise<void> => {
    setIsSending(true);
    setTrouble(null);
    try {
      const wish = { id, reason: reason.trim() };
      await (challenge === null ? question.onYes(wish) : api.confirmChallenge(challenge, phrase, wish));
      question.onDone();
      onClose();
    } catch (problem) {
      setTrouble(troubleOf(problem));
      if (problem instanceof RefusedError) {
        setId(crypto.randomUUID());
        setChallenge(confirmable(problem.refusal));
        setPhrase("");
      }
      setIsSending(false);
    }
  };
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="question">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h3 id="question">{question.title}</h3>
        {question.detail !== undefined && <p className="dim detail">{question.detail}</p>}
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
        {trouble !== null && <TroubleBox trouble={trouble} />}
        {challenge !== null && (
          <label>
            {t("type_phrase", { phrase: challenge.phrase })}
            <input
              autoFocus
              required
              value={phrase}
              onChange={(event) => setPhrase(event.target.value)}
              aria-label={t("phrase")}
              data-testid="phrase"
            />
          </label>
        )}
        <div className="buttons">
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

function TroubleBox({ trouble }: { readonly trouble: Trouble }): JSX.Element {
  const { t } = useConsole();
  if (trouble.kind === "other")
    return (
      <div className="refusal" role="alert" data-testid="refusal">
        <strong className="bad">{trouble.message}</strong>
      </div>
    );
  const { error, error_code, reason_code, suggestion, trace_id } = trouble.refusal;
  return (
    <div className="refusal" role="alert" data-testid="refusal">
      <div>
        <strong className="bad">{t("refused")}</strong>{" "}
        <span className="mono" data-testid="refusal-code">
          {error_code}
          {reason_code === null ? "" : ` · ${reason_code}`}
        </span>
      </div>
      <div>{error}</div>
      <div data-testid="next-step">
        <strong>{t("next_step")}:</strong> {suggestion}
      </div>
      {trace_id !== null && <div className="mono dim">trace {trace_id}</div>}
    </div>
  );
}

/** A second person works elsewhere: then the next step says what to do, and nothing can be typed here. */
function confirmable({ challenge }: Refusal): Challenge | null {
  return challenge === null || challenge.requires.includes("second_person") ? null : challenge;
}

function troubleOf(problem: unknown): Trouble {
  if (problem instanceof RefusedError) return { kind: "refused", refusal: problem.refusal };
  if (problem instanceof ShapeError || problem instanceof Error) return { kind: "other", message: problem.message };
  return { kind: "other", message: String(problem) };
}
