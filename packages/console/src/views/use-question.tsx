/** One question at a time beside whatever asks it; what it changed is read again. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { QueryKey } from "../queries.ts";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";

export type Asked = Omit<Question, "onDone"> & { readonly onDone?: () => void };

export function useQuestion(touched: QueryKey): {
  readonly ask: (question: Asked) => void;
  readonly dialog: JSX.Element | null;
} {
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const again = (): void => void queries.invalidateQueries({ queryKey: [touched] });
  return {
    ask: (asked) =>
      setQuestion({
        ...asked,
        onDone: () => {
          again();
          asked.onDone?.();
        },
      }),
    dialog:
      question === null ? null : (
        <ReasonDialog
          question={question}
          onClose={() => {
            again();
            setQuestion(null);
          }}
        />
      ),
  };
}
