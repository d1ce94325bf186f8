/** A state as colour and word together; never as colour alone. */
import type { JSX } from "react";
import type { Mode } from "../answers/answers.ts";
import { useConsole } from "../context.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "dim" | "paper" | "shadow" | "live";

export function Badge(props: {
  readonly tone: Tone;
  readonly text: string;
  /** Filled draws the eye: for what must not be overlooked. */
  readonly look?: "outline" | "filled";
  readonly title?: string;
  readonly testId?: string;
}): JSX.Element {
  const { tone, text, look = "outline", title, testId } = props;
  return (
    <span className={`badge ${tone} ${look}`} title={title} data-testid={testId}>
      {text}
    </span>
  );
}

const MODE_WORD = { paper: "mode_paper", shadow: "mode_shadow", live: "mode_live" } as const;

export function ModeBadge({ mode }: { readonly mode: Mode }): JSX.Element {
  const { t } = useConsole();
  return <Badge tone={mode} text={t(MODE_WORD[mode])} look={mode === "live" ? "filled" : "outline"} testId="mode" />;
}
