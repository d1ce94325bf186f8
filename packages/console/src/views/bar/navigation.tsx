/** The pages that one may see, beside whatever is shown, with how many things wait on each. */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import { isWaiting, useChallenges, useChanges, useStaged } from "../../control-queries.ts";
import type { Word } from "../../i18n.ts";
import { useMay } from "../../may.ts";
import { hrefOf, usePage, type Page } from "../../page.ts";
import { waitsOf } from "../approvals/judged.ts";

/** `query`: what one has to be allowed to read for the page to make sense; null where everybody may. */
type Entry = { readonly page: Page; readonly word: Word; readonly query: string | null };
type Group = { readonly word: Word; readonly entries: readonly Entry[] };

const GROUPS: readonly Group[] = [
  {
    word: "group_operate",
    entries: [
      { page: { kind: "overview" }, word: "overview", query: null },
      { page: { kind: "bots", bot: null }, word: "bots", query: null },
      { page: { kind: "controls" }, word: "controls", query: "killswitch.show" },
      { page: { kind: "approvals", id: null }, word: "approvals", query: "challenges.list" },
      { page: { kind: "bulk" }, word: "bulk", query: "bulk.list" },
    ],
  },
  {
    word: "group_build",
    entries: [
      { page: { kind: "packs", name: null }, word: "packs", query: "packs.list" },
      { page: { kind: "flows", name: null, run: null }, word: "flows", query: "flows.list" },
      { page: { kind: "runs", id: null }, word: "code_runs", query: "runs.list" },
    ],
  },
  {
    word: "group_house",
    entries: [
      { page: { kind: "audit" }, word: "audit_page", query: null },
      { page: { kind: "people" }, word: "people", query: "users.list" },
      { page: { kind: "settings" }, word: "settings", query: null },
    ],
  },
];

export function Navigation(): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const isSeen = ({ query }: Entry): boolean => query === null || may.ask(query);
  return (
    <nav aria-label={t("pages")} data-testid="pages">
      {GROUPS.filter(({ entries }) => entries.some(isSeen)).map(({ word, entries }) => (
        <div key={word} role="group" aria-label={t(word)}>
          <span className="group" aria-hidden="true">
            {t(word)}
          </span>
          {entries.filter(isSeen).map((entry) => (
            <PageLink key={entry.word} entry={entry} />
          ))}
        </div>
      ))}
    </nav>
  );
}

function PageLink({ entry: { page, word } }: { readonly entry: Entry }): JSX.Element {
  const { t } = useConsole();
  const { kind } = usePage();
  return (
    <a href={hrefOf(page)} aria-current={page.kind === kind ? "page" : undefined}>
      {t(word)}
      {page.kind === "approvals" && <Waiting />}
    </a>
  );
}

function Waiting(): JSX.Element | null {
  const waiting = (useChallenges().data ?? []).filter(isWaiting).length;
  const staged = (useStaged().data ?? []).filter(({ state }) => state === "staged").length;
  const changes = (useChanges().data ?? []).filter((change) => waitsOf(change) !== null).length;
  const all = waiting + staged + changes;
  if (all === 0) return null;
  return (
    <span className="count" data-testid="waiting-count">
      {all}
    </span>
  );
}
