import { useEffect, useRef, useState, type JSX } from "react";
import type { Translate } from "../i18n.ts";

export type Question = {
  readonly title: string;
  readonly isDangerous: boolean;
  readonly onYes: (reason: string) => Promise<void>;
};

/** Asks for the reason before anything changes; an empty reason is no reason. */
export function ReasonDialog(props: {
  readonly question: Question;
  readonly t: Translate;
  readonly onClose: () => void;
}): JSX.Element {
  const { question, t, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState("");
  const [isSending, setIsSending] = useState(false);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
  }, []);
  const send = async (): Promise<void> => {
    setIsSending(true);
    await question.onYes(reason.trim());
    onClose();
  };
  return (
    <dialog ref={dialog} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <h3>{question.title}</h3>
        <label>
          {t("reason_hint")}
          <input
            autoFocus
            value={reason}
            maxLength={500}
            onChange={(event) => setReason(event.target.value)}
            aria-label={t("reason")}
          />
        </label>
        <div className="buttons">
          <button type="button" onClick={onClose}>
            {t("cancel")}
          </button>
          <button
            type="submit"
            className={question.isDangerous ? "danger" : "primary"}
            disabled={reason.trim() === "" || isSending}
          >
            {t("confirm")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
