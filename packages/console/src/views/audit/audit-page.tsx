/** The audit log: what this browser verified of it, searching in it, and the proof of any of its events. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { AUDIT_FIELDS, type AuditField, type AuditSearch } from "../../answers/audit.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useLogVerdict } from "../../queries.ts";
import { rumiLine } from "../../rumi-line.ts";
import { EventsTable } from "../audit-tail.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import type { LogVerdict } from "../../verify/log-verifier.ts";
import { VerificationBadge } from "../verification-badge.tsx";

const FIELD_WORD: Readonly<Record<AuditField, Word>> = {
  action: "audit_action",
  actor: "actor",
  resource_type: "audit_kind",
  resource_id: "audit_target",
  outcome: "audit_outcome",
  trace_id: "trace",
  since: "audit_since",
  until: "audit_until",
};
const TIMES: readonly AuditField[] = ["since", "until"];

export function AuditPage(): JSX.Element {
  const [search, setSearch] = useState<AuditSearch>({});
  return (
    <>
      <LogPanel />
      <Found key={JSON.stringify(search)} search={search} onSearch={setSearch} />
    </>
  );
}

/** What the badge in the bar stands for, in full, and asked for again at a click. */
function LogPanel(): JSX.Element {
  const { t } = useConsole();
  const verdict = useLogVerdict();
  return (
    <Panel
      title={t("audit_verification")}
      name="log"
      problem={verdict.error}
      line="rumi audit verify"
      aside={
        <button
          type="button"
          className="end"
          disabled={verdict.isFetching}
          onClick={() => void verdict.refetch()}
          data-testid="verify-log"
        >
          {t("audit_verify")}
        </button>
      }
    >
      <p className="wrap" data-testid="log-verdict" role="status">
        <VerificationBadge />{" "}
        {verdict.data?.kind === "verified" && (
          <>
            {t("verified_detail", { size: verdict.data.size, remembered: verdict.data.remembered })}{" "}
            <span className="mono dim">{verdict.data.origin}</span>
          </>
        )}
      </p>
      {verdict.data?.kind === "verified" && verdict.data.instead_of !== null && (
        <OtherLog
          origin={verdict.data.origin}
          former={verdict.data.instead_of}
          onMeant={() => void verdict.refetch()}
        />
      )}
      {verdict.data !== undefined && verdict.data.kind !== "verified" && <NotVerified verdict={verdict.data} />}
    </Panel>
  );
}

/** It is a sound log, and not the one that was here before. */
function OtherLog(props: {
  readonly origin: string;
  readonly former: string;
  readonly onMeant: () => void;
}): JSX.Element {
  const { t, log } = useConsole();
  const { origin, former, onMeant } = props;
  return (
    <div className="refusal" role="alert" data-testid="log-other">
      <p className="warn wrap">{t("log_other_means")}</p>
      <p className="mono dim wrap">
        {former} → {origin}
      </p>
      <button
        type="button"
        onClick={() => {
          log.accept(origin);
          onMeant();
        }}
      >
        {t("log_other_meant")}
      </button>
    </div>
  );
}

/** What it means that this browser could not verify the log, and what to do about it. */
function NotVerified({ verdict }: { readonly verdict: Exclude<LogVerdict, { kind: "verified" }> }): JSX.Element | null {
  const { t } = useConsole();
  switch (verdict.kind) {
    case "broken":
      return (
        <div className="refusal" role="alert" data-testid="log-alarm">
          <strong className="bad wrap">{verdict.problem}</strong>
          <p className="wrap">{t("log_broken_means")}</p>
          <p className="wrap">
            <strong>{t("next_step")}:</strong> {t("log_broken_do")}
          </p>
        </div>
      );
    case "empty":
      return null;
    case "unreachable":
    case "unsupported":
      return (
        <p className="warn wrap" data-testid="log-unknown">
          {verdict.problem} {t(verdict.kind === "unreachable" ? "log_unreachable_means" : "log_unsupported_means")}
        </p>
      );
  }
}

function Found(props: { readonly search: AuditSearch; readonly onSearch: (search: AuditSearch) => void }): JSX.Element {
  const { api, t } = useConsole();
  const { search, onSearch } = props;
  const found = useInfiniteQuery({
    queryKey: ["audit", "search", search],
    queryFn: ({ pageParam }) => api.findEvents(search, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
  const events = found.data?.pages.flatMap((page) => page.events);
  return (
    <Panel title={t("audit")} name="search" problem={found.error}>
      <SearchForm search={search} onSearch={onSearch} />
      {events === undefined ? (
        <p className="empty">{t(found.error === null ? "loading" : "nothing_matches")}</p>
      ) : events.length === 0 ? (
        <p className="empty" data-testid="nothing-found">
          {t("audit_nothing")}
        </p>
      ) : (
        <EventsTable events={events} />
      )}
      {found.hasNextPage && (
        <button type="button" disabled={found.isFetching} onClick={() => void found.fetchNextPage()}>
          {t(found.isFetching ? "loading" : "audit_older")}
        </button>
      )}
      <CopyLine line={rumiLine("audit events", search)} />
    </Panel>
  );
}

function SearchForm(props: {
  readonly search: AuditSearch;
  readonly onSearch: (search: AuditSearch) => void;
}): JSX.Element {
  const { t } = useConsole();
  const [typed, setTyped] = useState<AuditSearch>(props.search);
  return (
    <form
      className="search-form"
      role="search"
      aria-label={t("audit")}
      data-testid="audit-form"
      onSubmit={(event) => {
        event.preventDefault();
        const given = AUDIT_FIELDS.flatMap((field) => {
          const text = typed[field]?.trim() ?? "";
          return text === "" ? [] : [[field, text] as const];
        });
        props.onSearch(Object.fromEntries(given));
      }}
    >
      {AUDIT_FIELDS.map((field) => (
        <label key={field}>
          <span className="label">{t(FIELD_WORD[field])}</span>
          <input
            className="mono"
            value={typed[field] ?? ""}
            placeholder={TIMES.includes(field) ? "2026-02-24T12:00:00Z" : ""}
            onChange={(event) => setTyped({ ...typed, [field]: event.target.value })}
          />
        </label>
      ))}
      <span className="buttons">
        <button type="button" onClick={() => props.onSearch({})}>
          {t("audit_all")}
        </button>
        <button type="submit" className="primary">
          {t("audit_search")}
        </button>
      </span>
    </form>
  );
}
