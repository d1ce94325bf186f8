/** Registered venues; opened, what was found when the recordings were read. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Venue } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { shownDecimal } from "../numbers.ts";
import { useVenues } from "../queries.ts";
import { Badge } from "./badge.tsx";
import { Panel, ProblemNote } from "./panel.tsx";

export function VenuesList(): JSX.Element {
  const { t } = useConsole();
  const [open, setOpen] = useState<string | null>(null);
  const venues = useVenues();
  return (
    <Panel title={t("venues")} name="venues" problem={venues.error} line="rumi venues list">
      {venues.data?.length === 0 && <p className="empty">{t("no_venues")}</p>}
      <ul className="rows" data-testid="venues">
        {(venues.data ?? []).map((venue) => (
          <VenueRow
            key={venue.venue_id}
            venue={venue}
            isOpen={open === venue.venue_id}
            onToggle={() => setOpen(open === venue.venue_id ? null : venue.venue_id)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function VenueRow(props: {
  readonly venue: Venue;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { t } = useConsole();
  const { venue, isOpen, onToggle } = props;
  const { venue_id, kind, instruments, rows_accepted, rows_rejected } = venue;
  return (
    <li>
      <div className="row-head">
        <button type="button" className="name" aria-expanded={isOpen} onClick={onToggle}>
          {venue_id}
        </button>
        <Badge tone="info" text={kind} />
        <span className="mono dim">{instruments.join(", ")}</span>
        <span className="mono end">
          {shownDecimal(String(rows_accepted), 0)} <span className="dim">{t("rows_accepted")}</span>{" "}
          <span className={rows_rejected > 0 ? "warn" : "dim"}>
            {shownDecimal(String(rows_rejected), 0)} {t("rows_rejected")}
          </span>
        </span>
      </div>
      {isOpen && <Report venueId={venue_id} />}
    </li>
  );
}

function Report({ venueId }: { readonly venueId: string }): JSX.Element {
  const { api, t } = useConsole();
  const venue = useQuery({ queryKey: ["venues", venueId], queryFn: () => api.venue(venueId) });
  if (venue.error !== null) return <ProblemNote problem={venue.error} t={t} />;
  if (venue.data === undefined) return <p className="dim">{t("loading")}</p>;
  const { report, pace, fees } = venue.data;
  const facts: readonly (readonly [string, string])[] = [
    [t("rows"), String(report.rows_read)],
    [t("rows_accepted"), String(report.rows_accepted)],
    [t("rows_rejected"), String(report.rows_rejected)],
    [t("report_duplicates"), String(report.duplicates)],
    [t("report_out_of_order"), String(report.out_of_order)],
    [t("report_gaps"), String(report.gaps)],
    [t("report_pace"), pace.factor === null ? pace.kind : `×${pace.factor}`],
    [t("report_fees"), `${fees.maker_ppm} / ${fees.taker_ppm}`],
  ];
  return (
    <div className="report" data-testid="load-report">
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
      </dl>
      {report.first_rejected !== null && (
        <p className="warn wrap">{t("report_first_rejected", report.first_rejected)}</p>
      )}
      {report.files.map(({ path, sha256, format }) => (
        <div key={path} className="mono dim wrap">
          {path} · {format}
          <div className="digest">{sha256}</div>
        </div>
      ))}
    </div>
  );
}
