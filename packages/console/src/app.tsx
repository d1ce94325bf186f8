/** The console: what restrains bots is always in sight; below it bots and what they do, controls, approvals, bulks, people. */
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState, type JSX } from "react";
import { createApi, RefusedError } from "./api.ts";
import { Shared, useConsole } from "./context.ts";
import { firstLanguage, translator, type Language } from "./i18n.ts";
import type { FeedRow } from "./live/feed-rows.ts";
import { createTap } from "./live/tap.ts";
import { useLiveFeed } from "./live/use-live-feed.ts";
import { goTo, usePage, type Page } from "./page.ts";
import { dropToken, keepToken, takeToken } from "./token.ts";
import { createLogVerifier, readServedLog } from "./verify/log-verifier.ts";
import { ApprovalsPage } from "./views/approvals/approvals-page.tsx";
import { AuditPage } from "./views/audit/audit-page.tsx";
import { BotsTable } from "./views/bots/bots-table.tsx";
import { BulkPage } from "./views/bulk/bulk-page.tsx";
import { ControlsPage } from "./views/controls/controls-page.tsx";
import { Frame } from "./views/frame.tsx";
import { LiveFeed } from "./views/live-feed.tsx";
import { OverviewPage } from "./views/overview/overview-page.tsx";
import { Boundary } from "./views/panel.tsx";
import { TokenForm } from "./views/token-form.tsx";
import { TracePage } from "./views/trace/trace-page.tsx";

/** Not everybody opens them, and nobody at three in the morning: they come when they are opened. */
const BotDetail = lazy(() => import("./views/bot-detail.tsx").then((page) => ({ default: page.BotDetail })));
const FlowsPage = lazy(() => import("./views/flows/flows-page.tsx").then((page) => ({ default: page.FlowsPage })));
const PeoplePage = lazy(() => import("./views/people/people-page.tsx").then((page) => ({ default: page.PeoplePage })));
const RunsPage = lazy(() => import("./views/runs/runs-page.tsx").then((page) => ({ default: page.RunsPage })));
const SettingsPage = lazy(() =>
  import("./views/settings/settings-page.tsx").then((page) => ({ default: page.SettingsPage })),
);
const PacksPage = lazy(() => import("./views/packs/packs-page.tsx").then((page) => ({ default: page.PacksPage })));

/** A token is tried once before the page begins, so that a wrong one costs one refusal and not ten. */
type Entry =
  | { readonly kind: "none"; readonly was_refused: boolean }
  | { readonly kind: "trying" | "taken"; readonly token: string };

export function App(): JSX.Element {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  const [entry, setEntry] = useState<Entry>(() => {
    const token = takeToken();
    return token === null ? { kind: "none", was_refused: false } : { kind: "trying", token };
  });
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem("rumi.language", language);
  }, [language]);
  const t = useMemo(() => translator(language), [language]);
  const refuse = (): void => {
    dropToken();
    setEntry({ kind: "none", was_refused: true });
  };
  useEffect(() => {
    if (entry.kind !== "trying") return;
    let isCurrent = true;
    createApi(entry.token, "en")
      .safety()
      .then(
        () => true,
        (problem: unknown) => !isUnauthorised(problem),
      )
      .then((isTaken) => {
        if (!isCurrent) return;
        if (isTaken) setEntry({ kind: "taken", token: entry.token });
        else refuse();
      }, refuse);
    return () => {
      isCurrent = false;
    };
  }, [entry]);

  switch (entry.kind) {
    case "trying":
      return <p className="empty waiting">{t("connecting")} …</p>;
    case "none":
      return (
        <TokenForm
          t={t}
          wasRefused={entry.was_refused}
          onToken={(token) => {
            keepToken(token);
            setEntry({ kind: "trying", token });
          }}
        />
      );
    case "taken":
      return (
        <Boundary t={t}>
          <Console
            key={entry.token}
            token={entry.token}
            language={language}
            onLanguage={() => setLanguage(language === "en" ? "ja" : "en")}
            onRejected={refuse}
          />
        </Boundary>
      );
  }
}

function isUnauthorised(problem: unknown): boolean {
  return problem instanceof RefusedError && problem.refusal.status_code === 401;
}

function Console(props: {
  readonly token: string;
  readonly language: Language;
  readonly onLanguage: () => void;
  readonly onRejected: () => void;
}): JSX.Element {
  const { token, language, onLanguage, onRejected } = props;
  const t = useMemo(() => translator(language), [language]);
  const api = useMemo(() => createApi(token, language), [token, language]);
  const log = useMemo(() => createLogVerifier(readServedLog, localStorage), []);
  const queries = useMemo(
    () =>
      new QueryClient({
        queryCache: new QueryCache({
          onError: (problem) => {
            if (isUnauthorised(problem)) onRejected();
          },
        }),
        defaultOptions: {
          queries: {
            retry: (count, problem) => count < 1 && !(problem instanceof RefusedError),
            retryDelay: 500,
            networkMode: "always",
          },
          mutations: { networkMode: "always" },
        },
      }),
    [token],
  );
  const { tell, listen } = useMemo(createTap, []);
  const { live, rows, problem } = useLiveFeed({ token, api, queries, tell });
  const page = usePage();
  const shared = useMemo(() => ({ api, t, language, live, listen, log }), [api, t, language, live, listen, log]);
  return (
    <QueryClientProvider client={queries}>
      <Shared value={shared}>
        <Frame onLanguage={onLanguage}>
          <Suspense fallback={<Opening />}>
            <Shown page={page} rows={rows} problem={problem} />
          </Suspense>
        </Frame>
      </Shared>
    </QueryClientProvider>
  );
}

function Shown(props: {
  readonly page: Page;
  readonly rows: readonly FeedRow[];
  readonly problem: Error | null;
}): JSX.Element {
  const { page, rows, problem } = props;
  switch (page.kind) {
    case "controls":
      return <ControlsPage />;
    case "approvals":
      return <ApprovalsPage key={page.id} id={page.id} />;
    case "bulk":
      return <BulkPage />;
    case "people":
      return <PeoplePage />;
    case "audit":
      return <AuditPage />;
    case "settings":
      return <SettingsPage />;
    case "runs":
      return <RunsPage id={page.id} />;
    case "flows":
      return <FlowsPage name={page.name} run={page.run} />;
    case "packs":
      return <PacksPage name={page.name} />;
    case "trace":
      return <TracePage key={page.id} id={page.id} />;
    case "overview":
      return <OverviewPage rows={rows} problem={problem} />;
    case "bots": {
      const { bot } = page;
      return (
        <>
          <BotsTable
            state={page.state}
            chosen={bot}
            onChoose={(id) => goTo({ kind: "bots", bot: id === bot ? null : id })}
          />
          {bot !== null && (
            <Suspense fallback={<Opening />}>
              <BotDetail key={bot} botId={bot} onClose={() => goTo({ kind: "bots", bot: null })} />
            </Suspense>
          )}
          <LiveFeed rows={rows} problem={problem} />
        </>
      );
    }
  }
}

function Opening(): JSX.Element {
  const { t } = useConsole();
  return (
    <p className="empty" role="status">
      {t("loading")}
    </p>
  );
}
