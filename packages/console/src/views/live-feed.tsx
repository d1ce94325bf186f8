/** Intents, orders and fills as they happen, newest first. */
import type { JSX } from "react";
import type { LiveEvent } from "../live.ts";
import type { Translate } from "../i18n.ts";

const KIND_TONE: Readonly<Record<string, string>> = { fill: "good", order: "info", intent: "dim" };

export function LiveFeed(props: {
  readonly events: readonly LiveEvent[];
  readonly t: Translate;
}): JSX.Element {
  const { events, t } = props;
  return (
    <section aria-label={t("live_feed")}>
      <h2>{t("live_feed")}</h2>
      {events.length === 0 ? (
        <p className="empty">{t("nothing_yet")}</p>
      ) : (
        <div className="scroll">
          <table data-testid="live">
            <tbody>
              {events.map((event) => (
                <tr key={event.id}>
                  <td className={`mono ${KIND_TONE[event.kind] ?? ""}`}>{event.kind}</td>
                  <td className="mono">{field(event, "bot_id")}</td>
                  <td className="mono">{summary(event)}</td>
                  <td className="mono dim number">{clock(event)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function summary(event: LiveEvent): string {
  const words = [
    "side",
    "quantity",
    "instrument_id",
    "price",
    "kind",
    "verdict",
    "liquidity",
    "reason_code",
  ] as const;
  return words
    .map((word) => field(event, word))
    .filter((text) => text !== "")
    .join(" ");
}

function clock(event: LiveEvent): string {
  return field(event, "event_time").slice(11, 23);
}

function field(event: LiveEvent, name: string): string {
  const value = event.data[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
