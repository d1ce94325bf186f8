/** A preflight: how many checks pass, then each that does not with what to do; the others fold. */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import { ScrollX } from "../scroll-x.tsx";
import type { Preflight } from "./known.ts";

const TONE = { PASS: "good", NOTE: "warn", FAIL: "bad", OVERRIDDEN: "warn" } as const;
const SIGN = { PASS: "✓", NOTE: "!", FAIL: "✗", OVERRIDDEN: "!" } as const;

export function PreflightTable({ report: { items } }: { readonly report: Preflight }): JSX.Element {
  const { t } = useConsole();
  const passed = items.filter(({ state }) => state === "PASS");
  const others = items.filter(({ state }) => state !== "PASS");
  const fails = items.some(({ state }) => state === "FAIL");
  return (
    <div data-testid="told-preflight">
      <p className={fails ? "bad" : "good"}>
        {t(fails ? "preflight_fails" : "preflight_passes", { count: passed.length, of: items.length })}
      </p>
      {others.length > 0 && (
        <ScrollX label={t("preflight")}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t("check")}</th>
                <th scope="col">{t("what_it_found")}</th>
                <th scope="col">{t("next_step")}</th>
              </tr>
            </thead>
            <tbody>
              {others.map(({ item, state, error_code, message, next }) => (
                <tr key={item}>
                  <td className={TONE[state]}>
                    {SIGN[state]} {item.replaceAll("_", " ")}
                  </td>
                  <td>
                    {error_code !== null && <span className="mono dim">{error_code} </span>}
                    {message}
                  </td>
                  <td>{next}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      )}
      {passed.length > 0 && (
        <details>
          <summary>{t("checks_passed", { count: passed.length })}</summary>
          <ul className="checks">
            {passed.map(({ item, message }) => (
              <li key={item} title={message}>
                <span className="good">✓</span> {item.replaceAll("_", " ")}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
