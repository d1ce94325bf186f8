/** What a challenge wants typed beside the reason; what is typed wrongly cannot be sent. */
import type { JSX } from "react";
import { useConsole } from "../context.ts";
import type { Translate } from "../i18n.ts";

export type Typed = { readonly phrase?: string; readonly ticket?: string };
export type Field = {
  readonly name: keyof Typed;
  readonly label: string;
  /** The one text that is right; null where any is. */
  readonly expected: string | null;
};

const TICKET = /^\S{2,64}$/;

export function fieldsOf(
  challenge: { readonly phrase: string; readonly requires: readonly string[] },
  t: Translate,
): readonly Field[] {
  const { phrase, requires } = challenge;
  return [
    ...(requires.includes("phrase")
      ? [{ name: "phrase", label: t("type_phrase", { phrase }), expected: phrase } as const]
      : []),
    ...(requires.includes("ticket") ? [{ name: "ticket", label: t("type_ticket"), expected: null } as const] : []),
  ];
}

export function isTyped(fields: readonly Field[], typed: Typed): boolean {
  return fields.every(({ name, expected }) =>
    expected === null ? TICKET.test(typed[name] ?? "") : typed[name] === expected,
  );
}

export function TypedFields(props: {
  readonly fields: readonly Field[];
  readonly typed: Typed;
  readonly onType: (typed: Typed) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { fields, typed, onType } = props;
  return (
    <>
      {fields.map(({ name, label }, at) => (
        <label key={name}>
          {label}
          <input
            autoFocus={at === 0}
            required
            autoComplete="off"
            spellCheck={false}
            value={typed[name] ?? ""}
            onChange={(event) => onType({ ...typed, [name]: event.target.value })}
            aria-label={name === "phrase" ? t("phrase") : t("ticket")}
            data-testid={name}
          />
        </label>
      ))}
    </>
  );
}
