/** One list of everything that waits for a person; each line leads to where it is dealt with. */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import type { Item } from "../../inbox/items.ts";
import { useInbox } from "../../inbox/use-inbox.ts";
import { hrefOf } from "../../page.ts";
import { sinceText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { Panel } from "../panel.tsx";

/** More than a person works through before the list is read again. */
const SHOWN = 50;

export function InboxPanel(): JSX.Element {
  const { t } = useConsole();
  const { items, isWhole, problem } = useInbox();
  return (
    <Panel
      title={t("inbox")}
      name="inbox"
      problem={problem}
      aside={
        items.length > 0 && (
          <span className="mono dim end" data-testid="inbox-count">
            {items.length}
          </span>
        )
      }
    >
      {items.length === 0 && (
        <p className="empty" data-testid="inbox-empty">
          {t(isWhole ? "inbox_empty" : "loading")}
        </p>
      )}
      <ul className="rows" data-testid="inbox">
        {items.slice(0, SHOWN).map((item) => (
          <InboxRow key={`${item.kind} ${item.key}`} item={item} />
        ))}
      </ul>
      {items.length > SHOWN && <p className="dim">{t("and_more", { count: items.length - SHOWN })}</p>}
    </Panel>
  );
}

export function InboxRow({ item }: { readonly item: Item }): JSX.Element {
  const { t } = useConsole();
  const { kind, name, detail, since, urgency, page } = item;
  return (
    <li className="inbox-row" data-testid="inbox-item" data-kind={kind}>
      <Badge tone={urgency === "now" ? "bad" : "warn"} text={t(kind)} />
      <a href={hrefOf(page)}>{name}</a>
      <span className="dim wrap">{detail}</span>
      {since !== null && (
        <span className="mono dim end" title={since}>
          {sinceText(since, Date.now())}
        </span>
      )}
    </li>
  );
}
