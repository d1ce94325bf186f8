/** Finding bots among many, putting them into groups, and what was chosen of them. */
import { useMemo, type JSX } from "react";
import { BOT_STATES, type Bot } from "../../answers/answers.ts";
import { choose, useChosen } from "../../chosen-bots.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useMay } from "../../may.ts";
import { goTo } from "../../page.ts";
import { GROUPINGS, valuesOf, type Filter, type Grouping } from "./rows.ts";

/** As many as one bulk takes. */
export const CHOSEN_AT_MOST = 1_000;

const GROUP_WORD: Readonly<Record<Grouping, Word>> = {
  none: "group_none",
  state: "state",
  venue: "venue",
  strategy: "strategy",
  pack: "pack",
};

export function BotsToolbar(props: {
  readonly bots: readonly Bot[];
  readonly shown: readonly Bot[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  readonly grouping: Grouping;
  readonly onGrouping: (by: Grouping) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { bots, shown, filter, onFilter, grouping, onGrouping } = props;
  const venues = useMemo(() => valuesOf(bots, ({ spec }) => spec.venue), [bots]);
  const strategies = useMemo(() => valuesOf(bots, ({ spec }) => spec.strategy.strategy_id), [bots]);
  return (
    <div className="filters" role="search" aria-label={t("filter_bots")}>
      <input
        type="search"
        value={filter.words}
        placeholder={t("filter_words")}
        aria-label={t("filter_words")}
        onChange={(event) => onFilter({ ...filter, words: event.target.value })}
        data-testid="filter-words"
      />
      <Choice
        label={t("state")}
        value={filter.state}
        values={BOT_STATES}
        onChoose={(state) => onFilter({ ...filter, state: BOT_STATES.find((one) => one === state) ?? "" })}
      />
      <Choice
        label={t("venue")}
        value={filter.venue}
        values={venues}
        onChoose={(venue) => onFilter({ ...filter, venue })}
      />
      <Choice
        label={t("strategy")}
        value={filter.strategy}
        values={strategies}
        onChoose={(strategy) => onFilter({ ...filter, strategy })}
      />
      <label className="labelled">
        <span className="label">{t("group_by")}</span>
        <select
          value={grouping}
          onChange={(event) => onGrouping(GROUPINGS.find((by) => by === event.target.value) ?? "none")}
        >
          {GROUPINGS.map((by) => (
            <option key={by} value={by}>
              {t(GROUP_WORD[by])}
            </option>
          ))}
        </select>
      </label>
      <span className="mono dim" role="status" data-testid="bots-shown">
        {t("shown_of", { count: shown.length, of: bots.length })}
      </span>
      <span className="spacer" />
      <Chosen shown={shown} />
    </div>
  );
}

function Choice(props: {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onChoose: (value: string) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { label, value, values, onChoose } = props;
  return (
    <select value={value} aria-label={label} onChange={(event) => onChoose(event.target.value)}>
      <option value="">
        {label}: {t("filter_any")}
      </option>
      {values.map((one) => (
        <option key={one}>{one}</option>
      ))}
    </select>
  );
}

function Chosen({ shown }: { readonly shown: readonly Bot[] }): JSX.Element | null {
  const { t } = useConsole();
  const may = useMay();
  const chosen = useChosen();
  if (!may.tighten("bulk.start")) return null;
  if (chosen.size === 0)
    return (
      <button
        type="button"
        className="quiet"
        disabled={shown.length === 0 || shown.length > CHOSEN_AT_MOST}
        title={shown.length > CHOSEN_AT_MOST ? t("choose_at_most", { count: CHOSEN_AT_MOST }) : undefined}
        onClick={() => choose(new Set(shown.map(({ bot_id }) => bot_id)))}
      >
        {t("choose_shown")}
      </button>
    );
  return (
    <span className="labelled" data-testid="chosen">
      <strong>{t("chosen", { count: chosen.size })}</strong>
      <button type="button" className="primary" onClick={() => goTo({ kind: "bulk" })}>
        {t("to_bulk")}
      </button>
      <button type="button" className="quiet" onClick={() => choose(new Set())}>
        {t("choose_none")}
      </button>
    </span>
  );
}
