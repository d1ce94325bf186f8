/**
 * Asks for the reason before anything changes, and shows a refusal where the wish was made.
 *
 * What is dangerous is done in two steps that nobody can skip: the first is answered with a challenge, which shows what
 * it would do and what stands in its way; the second needs what the challenge asks for typed.
 */
import { useEffect, useRef, useState, type JSX, type ReactNode } from "react";
import { RefusedError, type Wish } from "../api.ts";
import { ShapeError } from "../answers/shape.ts";
import type { Challenge, Refusal } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { Blockers, Impact, Remaining } from "./outlook.tsx";
import { fieldsOf, isTyped, TypedFields, type Field, type Typed } from "./typed-fields.tsx";
import { TroubleBox, type Trouble } from "./trouble-box.tsx";

export type Question = {
  readonly title: string;
  readonly detail?: ReactNode;
  readonly tone: "primary" | "danger" | "live";
  /** To be typed beside the reason. */
  readonly fields?: readonly Field[];
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
        {challenge !== null && (
          <>
            <Impact impact={challenge.preview} />
            <Blockers blockers={challenge.blocked_by} />
          </>
        )}
        <TypedFields fields={fields} typed={typed} onType={setTyped} />
        <div className="buttons">
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

/** A second person works elsewhere: then the next step says what to do, and nothing can be typed here. */
function confirmable({ challenge }: Refusal): Challenge | null {
  return challenge === null || challenge.requires.includes("second_person") ? null : challenge;
}

function troubleOf(problem: unknown): Trouble {
  if (problem instanceof RefusedError) return { kind: "refused", refusal: problem.refusal };
  if (problem instanceof ShapeError || problem instanceof Error) return { kind: "other", message: problem.message };
  return { kind: "other", message: String(problem) };
}
