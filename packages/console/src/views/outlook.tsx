/** What a wish would do and what stands in its way, as the server says; shown before anybody confirms or approves. */
import type { JSX } from "react";
import type { Blocker } from "../answers/answers.ts";
import { changesIn, type Change } from "../answers/diff.ts";
import { useConsole } from "../context.ts";
import { remainingText } from "../time.ts";
import { useNow } from "../use-now.ts";
import { Told } from "./outlook/told.tsx";
import { ScrollX } from "./scroll-x.tsx";

type Known = Readonly<Record<string, unknown>>;

export function Impact({ impact }: { readonly impact: Known | null }): JSX.Element | null {
  const { t } = useConsole();
  if (impact === null || Object.keys(impact).length === 0) return null;
  const { diff, ...rest } = impact;
  const changes = changesIn(diff);
  return (
    <section className="outlook" data-testid="impact">
      <h3>{t("impact")}</h3>
      {changes !== null && changes.length > 0 && <Changes changes={changes} />}
      <Told of={changes === null ? impact : rest} />
      <details>
        <summary>{t("as_json")}</summary>
        <Whole of={impact} />
      </details>
    </section>
  );
}

export function Blockers({ blockers }: { readonly blockers: readonly Blocker[] | null }): JSX.Element | null {
  const { t } = useConsole();
  if (blockers === null) return null;
  return (
    <section className="outlook" data-testid="blockers">
      <h3>{t("blockers")}</h3>
      {blockers.length === 0 ? (
        <p className="good">{t("no_blockers")}</p>
      ) : (
        <ul>
          {blockers.map(({ error_code, reason_code, error, suggestion }) => (
            <li key={`${error_code} ${error}`}>
              <span className="mono bad">{reason_code ?? error_code}</span> {error}
              {suggestion !== null && (
                <div>
                  <strong>{t("next_step")}:</strong> {suggestion}
                </div>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

/** Any object of the API, a line for each of its members. */
export function Values({ of }: { readonly of: Known }): JSX.Element {
  return (
    <dl className="facts">
      {Object.entries(of).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="mono">{typeof value === "object" && value !== null ? <Whole of={value} /> : String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Whole({ of }: { readonly of: unknown }): JSX.Element {
  return <pre className="whole">{JSON.stringify(of, null, 2)}</pre>;
}

/** Field by field: what stands there now, and what would. */
export function Changes(props: { readonly changes: readonly Change[]; readonly testId?: string }): JSX.Element {
  const { t } = useConsole();
  return (
    <ScrollX label={t("impact")}>
      <table data-testid={props.testId ?? "diff"}>
        <thead>
          <tr>
            <th scope="col">{t("field")}</th>
            <th scope="col">{t("before")}</th>
            <th scope="col">{t("after")}</th>
          </tr>
        </thead>
        <tbody>
          {props.changes.map(({ field, before, after }) => (
            <tr key={field}>
              <td className="mono">{field}</td>
              <td className="mono sell">{changeText(before) ?? t("withheld")}</td>
              <td className="mono buy">{changeText(after) ?? t("withheld")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

/** Undefined where the values are not for this person. */
function changeText(value: unknown): string | undefined {
  if (value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Counts down to a moment; past it, it says so. */
export function Remaining({ until }: { readonly until: string }): JSX.Element {
  const { t } = useConsole();
  const now = useNow();
  const left_ms = Date.parse(until) - now;
  return (
    <span className={`mono ${left_ms < 30_000 ? "bad" : "dim"}`} title={until} data-testid="remaining">
      {left_ms <= 0 ? t("time_over") : t("time_left", { time: remainingText(left_ms) })}
    </span>
  );
}
