/** Intents, orders, fills and what happens to bots, newest first, filtered by bot and kind. */
import { useState, type JSX } from "react";
import { useConsole } from "../context.ts";
import type { Word } from "../i18n.ts";
import { FEED_KINDS, type FeedKind, type FeedRow } from "../live/feed-rows.ts";
import { useBots } from "../queries.ts";
import { rumiLine } from "../rumi-line.ts";
import { clockText } from "../time.ts";
import { Panel } from "./panel.tsx";

/** Rows drawn at once; the filter looks at all that are kept. */
const ROWS_SHOWN = 150;
/** More bots than this are not chosen from a list; their id is typed. */
const BOTS_LISTED = 200;

const KIND_WORD: Readonly<Record<FeedKind, Word>> = {
  fill: "kind_fill",
  order: "kind_order",
  intent: "kind_intent",
  bot: "kind_bot",
  run: "kind_run",
  health: "kind_health",
  safety: "kind_safety",
};

export function LiveFeed(props: { readonly rows: readonly FeedRow[]; readonly problem: Error | null }): JSX.Element {
  const { rows, problem } = props;
  const { t } = useConsole();
  const bots = useBots().data ?? [];
  const [bot, setBot] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<FeedKind>>(new Set());
  const [held, setHeld] = useState<readonly FeedRow[] | null>(null);
  const shown = (held ?? rows).filter(
    ({ kind, bot_id }) => !hidden.has(kind) && (bot === "" || bot_id === null || bot_id === bot),
  );
  const toggle = (kind: FeedKind): void => {
    const next = new Set(hidden);
    if (!next.delete(kind)) next.add(kind);
    setHidden(next);
  };
  return (
    <Panel
      title={t("live_feed")}
      name="live"
      problem={problem}
      line={bot === "" ? "rumi fills list" : rumiLine("fills list", { bot_id: bot })}
      aside={
        <button
          type="button"
          className="quiet end"
          aria-pressed={held !== null}
          onClick={() => setHeld(held === null ? rows : null)}
        >
          {held === null ? t("hold") : t("resume")}
        </button>
      }
    >
      <div className="filters">
        {bots.length > BOTS_LISTED ? (
          <input
            type="search"
            value={bot}
            aria-label={t("filter_bot")}
            placeholder={t("filter_all")}
            onChange={(event) => setBot(event.target.value.trim())}
          />
        ) : (
          <select value={bot} aria-label={t("filter_bot")} onChange={(event) => setBot(event.target.value)}>
            <option value="">{t("filter_all")}</option>
            {bots.map(({ bot_id, display_name }) => (
              <option key={bot_id} value={bot_id}>
                {display_name}
              </option>
            ))}
          </select>
        )}
        <span role="group" aria-label={t("filter_kind")} className="chips">
          {FEED_KINDS.map((kind) => (
            <button
              key={kind}
              type="button"
              className="chip"
              aria-pressed={!hidden.has(kind)}
              onClick={() => toggle(kind)}
              data-testid={`kind-${kind}`}
            >
              {t(KIND_WORD[kind])}
            </button>
          ))}
        </span>
      </div>
      <div className="scroll" tabIndex={0} role="group" aria-label={t("live_feed")}>
        {shown.length === 0 ? (
          <p className="empty">{t(rows.length === 0 ? "nothing_yet" : "nothing_matches")}</p>
        ) : (
          <table className="feed" data-testid="live">
            <tbody>
              {shown.slice(0, ROWS_SHOWN).map((row) => (
                <tr key={row.key} data-kind={row.kind}>
                  <td className="mono dim">{clockText(row.at_ms)}</td>
                  <td className={`mono kind ${row.kind}`}>{row.kind}</td>
                  <td className="mono dim bot">{row.bot_id ?? ""}</td>
                  <td className={`mono words ${row.tone}`} title={row.words.join(" ")}>
                    {row.words.join(" ")}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Panel>
  );
}
