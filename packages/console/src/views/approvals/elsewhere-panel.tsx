/** What else waits for a word, each with the way to the page where it is said. */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useInbox } from "../../inbox/use-inbox.ts";
import { InboxRow } from "../overview/inbox-panel.tsx";
import { Panel } from "../panel.tsx";

/** They have a panel of their own on this page. */
const HERE: ReadonlySet<Word> = new Set([
  "inbox_approve",
  "inbox_confirm",
  "inbox_intent",
  "inbox_change",
  "inbox_flow",
]);

export function ElsewherePanel(): JSX.Element | null {
  const { t } = useConsole();
  const items = useInbox().items.filter(({ kind }) => !HERE.has(kind));
  if (items.length === 0) return null;
  return (
    <Panel title={t("elsewhere")} name="elsewhere">
      <ul className="rows" data-testid="elsewhere">
        {items.map((item) => (
          <InboxRow key={`${item.kind} ${item.key}`} item={item} />
        ))}
      </ul>
    </Panel>
  );
}
