/** Whom a restraint is about: everybody, or a venue, group, bot or strategy by name. */
import { useId, type JSX } from "react";
import { SCOPE_KINDS, type Scope, type ScopeKind } from "../../answers/controls.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useBots, useVenues } from "../../queries.ts";

export type Picked = { readonly kind: ScopeKind; readonly name: string };
export const EVERYBODY: Picked = { kind: "all", name: "" };

const WORD = {
  all: "scope_all",
  venue: "scope_venue",
  group_id: "scope_group",
  bot_id: "scope_bot",
  strategy_id: "scope_strategy",
} as const satisfies Readonly<Record<ScopeKind, Word>>;

/** null while the name is missing. */
export function scopeOf({ kind, name }: Picked): Scope | null {
  if (kind === "all") return { all: true };
  return name.trim() === "" ? null : { [kind]: name.trim() };
}

export function ScopePicker(props: {
  readonly picked: Picked;
  readonly onPick: (picked: Picked) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { picked, onPick } = props;
  const names = useId();
  const bots = useBots().data ?? [];
  const venues = useVenues().data ?? [];
  const known: Readonly<Record<ScopeKind, readonly string[]>> = {
    all: [],
    venue: venues.map(({ venue_id }) => venue_id),
    group_id: [],
    bot_id: bots.map(({ bot_id }) => bot_id),
    strategy_id: [...new Set(bots.map(({ spec }) => spec.strategy.strategy_id))],
  };
  return (
    <>
      <select
        value={picked.kind}
        aria-label={t("scope")}
        onChange={(event) => {
          const kind = SCOPE_KINDS.find((one) => one === event.target.value) ?? "all";
          onPick({ kind, name: "" });
        }}
      >
        {SCOPE_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {t(WORD[kind])}
          </option>
        ))}
      </select>
      {picked.kind !== "all" && (
        <>
          <input
            list={names}
            value={picked.name}
            placeholder={t(WORD[picked.kind])}
            aria-label={t("scope_name")}
            onChange={(event) => onPick({ ...picked, name: event.target.value })}
          />
          <datalist id={names}>
            {known[picked.kind].map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </>
  );
}
