/** Dangerous operations, or proposed changes, that wait for a second person or for whoever asked, and the newest others. */
import { useEffect, useRef, useState, type JSX } from "react";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useMay, useMe } from "../../may.ts";
import { Badge } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { RunbookLink } from "../runbook-link.tsx";
import type { Row } from "./judged.ts";
import { JudgedDetail } from "./judged-detail.tsx";

const SETTLED_SHOWN = 10;
const OF = {
  challenges: { title: "challenges", none: "no_challenges", test: "challenge", runbook: "docs/runbooks/challenges.md" },
  changes: { title: "changes", none: "no_changes", test: "change", runbook: null },
} as const satisfies Readonly<
  Record<
    Row["kind"],
    { readonly title: Word; readonly none: Word; readonly test: string; readonly runbook: string | null }
  >
>;

export function JudgedPanel(props: {
  readonly kind: Row["kind"];
  readonly rows: readonly Row[] | undefined;
  readonly problem: Error | null;
  /** The one that the address names. */
  readonly named: string | null;
}): JSX.Element {
  const { t } = useConsole();
  const { kind, rows, problem, named } = props;
  const { title, none, runbook } = OF[kind];
  const [open, setOpen] = useState<string | null>(named);
  const toggle = (id: string): void => setOpen(id === open ? null : id);
  const all = rows ?? [];
  const shown = [
    ...all.filter(({ waits }) => waits !== null),
    ...all.filter(({ waits }) => waits === null).slice(0, SETTLED_SHOWN),
  ];
  return (
    <Panel
      title={t(title)}
      name={kind}
      problem={problem}
      line={kind === "challenges" ? "rumi challenges list" : "rumi changes list --state OPEN"}
      aside={
        <span className="end">
          <RunbookLink page={runbook} />
        </span>
      }
    >
      {rows?.length === 0 && <p className="empty">{t(none)}</p>}
      <ul className="rows" data-testid={kind}>
        {shown.map((row) => (
          <JudgedRow
            key={row.id}
            row={row}
            isOpen={open === row.id}
            isNamed={named === row.id}
            onToggle={() => toggle(row.id)}
          />
        ))}
      </ul>
    </Panel>
  );
}

function JudgedRow(props: {
  readonly row: Row;
  readonly isOpen: boolean;
  readonly isNamed: boolean;
  readonly onToggle: () => void;
}): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const me = useMe().data?.user_id;
  const { row, isOpen, isNamed, onToggle } = props;
  const { kind, operation, resource, state, tone, waits, requester, reason, expiry, settled_by } = row;
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isNamed) item.current?.scrollIntoView({ block: "nearest" });
  }, [isNamed]);
  const name = `${operation} · ${resource}`;
  const mayShow = may.ask(`${kind}.show`);
  return (
    <li ref={item} data-testid={OF[kind].test} data-operation={operation} data-state={state}>
      <div className="row-head">
        {mayShow ? (
          <button type="button" className="name" aria-expanded={isOpen} onClick={onToggle}>
            {name}
          </button>
        ) : (
          <strong>{name}</strong>
        )}
        <Badge tone={tone} text={state} look={waits === null ? "outline" : "filled"} />
        {row.training && <Badge tone="warn" text={t("training")} title={t("training_means")} testId="rehearsed" />}
        {waits !== null && <Remaining until={expiry} />}
      </div>
      <div className="wrap">{reason}</div>
      <div className="mono dim wrap">
        {requester}
        {requester === me ? ` (${t("you")})` : ""}
        {settled_by === null ? "" : ` → ${settled_by}`}
      </div>
      {isOpen && mayShow && <JudgedDetail row={row} />}
    </li>
  );
}
