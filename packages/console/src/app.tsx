/** The console's one page: safety, bots, what they do right now, and the log that proves it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState, type JSX } from "react";
import { createApi, type Refusal } from "./api.ts";
import { firstLanguage, translator, type Language } from "./i18n.ts";
import { followEvents, type LiveEvent, type LiveState } from "./live.ts";
import { dropToken, keepToken, takeToken } from "./token.ts";
import { AuditTail } from "./views/audit-tail.tsx";
import { BotsTable } from "./views/bots-table.tsx";
import { LiveFeed } from "./views/live-feed.tsx";
import { ProfitChart } from "./views/profit-chart.tsx";
import { RefusalBox } from "./views/refusal-box.tsx";
import { SafetyBar } from "./views/safety-bar.tsx";
import { TokenForm } from "./views/token-form.tsx";

/** Rows kept on the page; older ones are one API call away. */
const LIVE_ROWS = 300;
const TRADING_KINDS: ReadonlySet<string> = new Set(["intent", "order", "fill"]);

export function App(): JSX.Element {
  const [token, setToken] = useState(takeToken);
  const [language, setLanguage] = useState<Language>(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem("rumi.language", language);
  }, [language]);
  const t = useMemo(() => translator(language), [language]);
  if (token === null) {
    return (
      <TokenForm
        t={t}
        onToken={(given) => {
          keepToken(given);
          setToken(given);
        }}
      />
    );
  }
  return (
    <Console
      key={token}
      token={token}
      language={language}
      onLanguage={() => setLanguage(language === "en" ? "ja" : "en")}
      onRejected={() => {
        dropToken();
        setToken(null);
      }}
    />
  );
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
  const queries = useQueryClient();
  const [live, setLive] = useState<LiveState>("connecting");
  const [events, setEvents] = useState<readonly LiveEvent[]>([]);
  const [chosen, setChosen] = useState<string | null>(null);
  const [refusal, setRefusal] = useState<Refusal | null>(null);

  useEffect(() => {
    let waiting: LiveEvent[] = [];
    const touched = new Set<string>();
    const flush = setInterval(() => {
      if (waiting.length > 0) {
        const fresh = waiting;
        waiting = [];
        setEvents((before) => [...fresh.toReversed(), ...before].slice(0, LIVE_ROWS));
      }
      for (const key of touched) void queries.invalidateQueries({ queryKey: [key] });
      touched.clear();
    }, 400);
    const stop = followEvents({
      token,
      onState: setLive,
      onEvent: (event) => {
        if (TRADING_KINDS.has(event.kind)) waiting.push(event);
        for (const key of queriesTouchedBy(event.kind)) touched.add(key);
      },
    });
    return () => {
      clearInterval(flush);
      stop();
    };
  }, [token, queries]);

  const onRefusal = (of: Refusal): void => {
    if (of.status_code === 401) onRejected();
    else setRefusal(of);
  };
  return (
    <>
      <SafetyBar api={api} t={t} live={live} onLanguage={onLanguage} onRefusal={onRefusal} />
      <div className="refusal-slot">
        {refusal !== null && (
          <RefusalBox refusal={refusal} t={t} onClose={() => setRefusal(null)} />
        )}
      </div>
      <main>
        <BotsTable api={api} t={t} chosen={chosen} onChoose={setChosen} onRefusal={onRefusal} />
        <LiveFeed events={events} t={t} />
        <ProfitChart api={api} t={t} botId={chosen} />
        <AuditTail api={api} t={t} />
      </main>
    </>
  );
}

function queriesTouchedBy(kind: string): readonly string[] {
  switch (kind) {
    case "fill":
      return ["positions", "fills"];
    case "position":
      return ["positions"];
    case "bot":
    case "health":
    case "instance":
      return ["bots"];
    case "safety":
      return ["safety", "bots"];
    case "audit":
      return ["audit"];
    default:
      return [];
  }
}
