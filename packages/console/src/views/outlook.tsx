/** What a wish would do and what stands in its way, as the server says; shown before anybody confirms or approves. */
import type { JSX } from "react";
import type { Blocker } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { remainingText } from "../time.ts";
import { useNow } from "../use-now.ts";

type Known = Readonly<Record<string, unknown>>;
type Change = { readonly field: string; readonly before: unknown; readonly after: unknown };

export function Impact({ impact }: { readonly impact: Known | null }): JSX.Element | null {
  const { t } = useConsole();
  if (impact === null || Object.keys(impact).length === 0) return null;
  const { diff, ...rest } = impact;
  return (
    <section className="outlook" data-testid="impact">
      <h3>{t("impact")}</h3>
      {isChanges(diff) && <Changes changes={diff} />}
      <Values of={rest} />
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
          {blockers.map(({ error_code, reason_code, error }) => (
            <li key={`${error_code} ${error}`}>
              <span className="mono bad">{reason_code ?? error_code}</span> {error}
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

function Changes({ changes }: { readonly changes: readonly Change[] }): JSX.Element {
  const { t } = useConsole();
  return (
    <div className="scroll-x">
      <table data-testid="diff">
        <thead>
          <tr>
            <th scope="col">{t("field")}</th>
            <th scope="col">{t("before")}</th>
            <th scope="col">{t("after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ field, before, after }) => (
            <tr key={field}>
              <td className="mono">{field}</td>
              <td className="mono sell">{JSON.stringify(before)}</td>
              <td className="mono buy">{JSON.stringify(after)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function isChanges(value: unknown): value is readonly Change[] {
  return (
    Array.isArray(value) && value.every((one: unknown) => typeof one === "object" && one !== null && "field" in one)
  );
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
