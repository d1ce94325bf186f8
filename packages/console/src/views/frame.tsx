/**
 * What is around every page: the bar, the ways to the others, and a title that says where one is.
 *
 * The first stop of the tabulator key leads past all of it. Another page takes the focus, so that who does not see it
 * hears it; the address' own changes within a page (one bot after another) leave the focus where it is.
 */
import { useEffect, useRef, type JSX, type ReactNode } from "react";
import { useConsole } from "../context.ts";
import type { Word } from "../i18n.ts";
import { usePage, type Page } from "../page.ts";
import { environmentOf, useLogVerdict } from "../queries.ts";
import { Navigation } from "./bar/navigation.tsx";
import { SafetyBar } from "./safety-bar.tsx";

const TITLE: Readonly<Record<Page["kind"], Word>> = {
  overview: "overview",
  bots: "bots",
  controls: "controls",
  approvals: "approvals",
  bulk: "bulk",
  packs: "packs",
  flows: "flows",
  runs: "code_runs",
  people: "people",
  audit: "audit",
  settings: "settings",
  trace: "trace",
};

export function Frame(props: { readonly onLanguage: () => void; readonly children: ReactNode }): JSX.Element {
  const { t } = useConsole();
  const page = usePage();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(page.kind);
  const environment = environmentOf(useLogVerdict().data);
  useEffect(() => {
    document.title = [t(TITLE[page.kind]), "Rumi", ...(environment === null ? [] : [environment])].join(" · ");
  }, [page.kind, environment, t]);
  useEffect(() => {
    if (shown.current === page.kind) return;
    shown.current = page.kind;
    main.current?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [page.kind]);
  return (
    <>
      <a
        className="skip"
        href="#content"
        onClick={(event) => {
          // The address names the page, so it cannot name a place on it as well.
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t("skip")}
      </a>
      <SafetyBar onLanguage={props.onLanguage} />
      <div className="frame">
        <Navigation />
        <main id="content" ref={main} tabIndex={-1} data-page={page.kind} aria-label={t(TITLE[page.kind])}>
          {props.children}
        </main>
      </div>
    </>
  );
}
