/** The pages that one may see, with how many things wait on each. */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import { isWaiting, useChallenges, useStaged } from "../../control-queries.ts";
import type { Word } from "../../i18n.ts";
import { useMay } from "../../may.ts";
import { hrefOf, usePage, type Page } from "../../page.ts";

type Entry = { readonly page: Page; readonly word: Word; readonly query: string };

/** `query`: what one has to be allowed to read for the page to make sense. */
const ENTRIES: readonly Entry[] = [
  { page: { kind: "home", bot: null }, word: "bots", query: "bots.list" },
  { page: { kind: "controls" }, word: "controls", query: "killswitch.show" },
  { page: { kind: "approvals" }, word: "approvals", query: "challenges.list" },
  { page: { kind: "bulk" }, word: "bulk", query: "bulk.list" },
  { page: { kind: "runs", id: null }, word: "code_runs", query: "runs.list" },
  { page: { kind: "people" }, word: "people", query: "users.list" },
];

export function Navigation(): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const { kind } = usePage();
  const waiting = (useChallenges().data ?? []).filter(isWaiting).length;
  const staged = (useStaged().data ?? []).filter(({ state }) => state === "staged").length;
  return (
    <nav aria-label={t("pages")} data-testid="pages">
      {ENTRIES.filter(({ page, query }) => page.kind === "home" || may.ask(query)).map(({ page, word }) => (
        <a key={word} href={hrefOf(page)} aria-current={page.kind === kind ? "page" : undefined}>
          {t(word)}
          {word === "approvals" && waiting + staged > 0 && (
            <span className="count" data-testid="waiting-count">
              {waiting + staged}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}
