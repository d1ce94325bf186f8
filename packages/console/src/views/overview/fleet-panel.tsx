/** How many bots are in each state; each number leads to those bots. */
import type { JSX } from "react";
import { BOT_STATES } from "../../answers/answers.ts";
import { useConsole } from "../../context.ts";
import { grouped } from "../../grouped.ts";
import { hrefOf } from "../../page.ts";
import { useBots } from "../../queries.ts";
import { STATE_TONE } from "../bots/states.ts";
import { Panel } from "../panel.tsx";

export function FleetPanel(): JSX.Element {
  const { t } = useConsole();
  const bots = useBots();
  const byState = grouped(bots.data ?? [], ({ state }) => state);
  return (
    <Panel
      title={t("fleet")}
      name="fleet"
      problem={bots.error}
      line="rumi bots list"
      aside={<span className="mono dim end">{bots.data === undefined ? "" : bots.data.length}</span>}
    >
      {bots.data === undefined ? (
        <p className="empty">{t("loading")}</p>
      ) : bots.data.length === 0 ? (
        <p className="empty">{t("no_bots")}</p>
      ) : (
        <ul className="tiles" data-testid="fleet">
          {BOT_STATES.filter((state) => byState.has(state)).map((state) => (
            <li key={state}>
              <a
                href={hrefOf({ kind: "bots", bot: null, state })}
                className={`tile ${STATE_TONE[state]}`}
                data-testid={`fleet-${state}`}
              >
                <strong>{byState.get(state)?.length ?? 0}</strong> {state}
              </a>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
