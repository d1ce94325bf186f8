/** The newest audit events; each can be checked against the log that this browser verified. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Api, AuditEvent } from "../api.ts";
import type { Translate } from "../i18n.ts";
import { verifyInclusion, verifyLog, type EventProof } from "../verify/log-verifier.ts";

type Check = "in_log" | "not_in_log";

export function AuditTail(props: { readonly api: Api; readonly t: Translate }): JSX.Element {
  const { api, t } = props;
  const [checks, setChecks] = useState<Readonly<Record<string, Check>>>({});
  const tail = useQuery({
    queryKey: ["audit", api],
    queryFn: () =>
      api.get<{ readonly events: readonly AuditEvent[] }>(
        "/api/audit/events?limit=40&order=newest",
      ),
    refetchInterval: 5_000,
  });
  const check = async (event: AuditEvent): Promise<void> => {
    const proof = await api.get<EventProof>(`/api/audit/proof/${event.event_id}`);
    const verdict = await verifyLog();
    const isInside = verdict.kind === "verified" && (await verifyInclusion(proof, verdict));
    setChecks((before) => ({ ...before, [event.event_id]: isInside ? "in_log" : "not_in_log" }));
  };
  const rows = tail.data?.events ?? [];
  return (
    <section aria-label={t("audit")}>
      <h2>{t("audit")}</h2>
      {rows.length === 0 ? (
        <p className="empty">{t("nothing_yet")}</p>
      ) : (
        <div className="scroll">
          <table data-testid="audit">
            <thead>
              <tr>
                <th className="number">{t("entry")}</th>
                <th>{t("event")}</th>
                <th>{t("actor")}</th>
                <th>{t("subject")}</th>
                <th>{t("time")}</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {rows.map((event) => (
                <tr key={event.event_id}>
                  <td className="number mono dim">{event.log_index}</td>
                  <td className={`mono ${event.outcome === "SUCCESS" ? "" : "bad"}`}>
                    {event.action}
                  </td>
                  <td className="mono dim">{event.actor}</td>
                  <td className="mono">
                    {event.resource_type}:{event.resource_id}
                  </td>
                  <td className="mono dim">{event.occurred_at.slice(11, 23)}</td>
                  <td>
                    <CheckCell
                      state={checks[event.event_id]}
                      t={t}
                      onCheck={() => void check(event)}
                    />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function CheckCell(props: {
  readonly state: Check | undefined;
  readonly t: Translate;
  readonly onCheck: () => void;
}): JSX.Element {
  const { state, t, onCheck } = props;
  if (state === undefined)
    return (
      <button type="button" onClick={onCheck}>
        {t("check")}
      </button>
    );
  return (
    <span className={state === "in_log" ? "good" : "bad"} data-testid="inclusion">
      {state === "in_log" ? "✓ " : "✗ "}
      {t(state)}
    </span>
  );
}
