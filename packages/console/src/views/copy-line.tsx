/** A line of the command line, and a button that copies it. */
import { useState, type JSX } from "react";
import { useConsole } from "../context.ts";

type State = "ready" | "copied" | "refused";
const WORD = { ready: "copy", copied: "copied", refused: "copy_refused" } as const;

export function CopyLine(props: { readonly line: string; readonly testId?: string }): JSX.Element {
  const { line, testId = "rumi-line" } = props;
  const { t } = useConsole();
  const [state, setState] = useState<State>("ready");
  return (
    <div className="copy-line">
      <code data-testid={testId}>{line}</code>
      <button
        type="button"
        className="quiet"
        onClick={() =>
          // Not offered over plain HTTP from elsewhere; then the line can still be marked and copied by hand.
          void (navigator.clipboard?.writeText(line) ?? Promise.reject(new Error("no clipboard"))).then(
            () => setState("copied"),
            () => setState("refused"),
          )
        }
      >
        <span role="status">{t(WORD[state])}</span>
      </button>
    </div>
  );
}
