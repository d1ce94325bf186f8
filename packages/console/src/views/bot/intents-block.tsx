/** The bot's intents as they happen: what it wished for, what the gate said and why, and where the trace begins. */
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { isHeldBack, mergeNotes, noteOf, notesOf, type IntentNote } from "../../live/intent-notes.ts";
import { paced } from "../../live/paced.ts";
import { hrefOf } from "../../page.ts";
import { clockText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import { Reason } from "./reason.tsx";

/** Read when the page opens, and after the stream was away. */
const FIRST = 50;
/** Rows drawn; a few more are kept for the filter. */
const ROWS_SHOWN = 60;
const ROWS_EVERY_MS = 100;

const VERDICT: Readonly<Record<string, readonly [Word, Tone]>> = {
  forwarded: ["verdict_forwarded", "good"],
  degraded: ["verdict_degraded", "warn"],
  staged: ["verdict_staged", "info"],
  discarded: ["verdict_discarded", "bad"],
  recorded: ["verdict_recorded", "dim"],
};

export function IntentsBlock({ botId }: { readonly botId: string }): JSX.Element {
  const { t } = useConsole();
  const { notes, problem } = useIntents(botId);
  const [held, setHeld] = useState<readonly IntentNote[] | null>(null);
  const [onlyHeldBack, setOnlyHeldBack] = useState(false);
  const shown = (held ?? notes).filter((note) => !onlyHeldBack || isHeldBack(note));
  const missed = held === null ? 0 : notes.filter(({ key }) => held.every((one) => one.key !== key)).length;
  return (
    <div className={`intents-block ${notes.length === 0 ? "is-empty" : ""}`}>
      <div className="block-head">
        <h3>{t("live_intents")}</h3>
        <span className="block-acts">
          <label className="check">
            <input type="checkbox" checked={onlyHeldBack} onChange={() => setOnlyHeldBack(!onlyHeldBack)} />
            {t("only_held_back")}
          </label>
          <button
            type="button"
            className="quiet"
            aria-pressed={held !== null}
            data-testid="hold-intents"
            onClick={() => setHeld(held === null ? notes : null)}
          >
            {held === null ? t("hold") : t("resume_newer", { count: missed })}
          </button>
        </span>
        {problem !== null && <ProblemNote problem={problem} t={t} />}
      </div>
      {shown.length === 0 ? (
        <p className="empty">{t(notes.length === 0 ? "no_intents" : "nothing_matches")}</p>
      ) : (
        <div className="scroll" tabIndex={0} role="group" aria-label={t("live_intents")}>
          <table className="feed" data-testid="intents">
            <thead className="hidden">
              <tr>
                {(["time", "verdict", "wish", "trace"] as const).map((word) => (
                  <th key={word} scope="col">
                    {t(word)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.slice(0, ROWS_SHOWN).map((note) => (
                <IntentRow key={note.key} note={note} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <CopyLine line={commandText("intents list", [], { bot_id: botId })} />
    </div>
  );
}

function IntentRow({ note }: { readonly note: IntentNote }): JSX.Element {
  const { t } = useConsole();
  const { at_ms, verdict, words, reason_code, trace_id } = note;
  const [word, tone] = VERDICT[verdict] ?? (["order_unknown", "warn"] as const);
  return (
    <tr data-verdict={verdict}>
      <td className="mono dim">{clockText(at_ms)}</td>
      <td>
        <Badge tone={tone} text={t(word)} />
      </td>
      <td className="words">
        <span className="mono">{words.join(" ")}</span>
        {reason_code !== null && (
          <div>
            <Reason code={reason_code} tone={verdict === "discarded" ? "bad" : "warn"} look="brief" />
          </div>
        )}
      </td>
      <td className="check">
        {trace_id !== null && <a href={hrefOf({ kind: "trace", id: trace_id })}>{t("trace")}</a>}
      </td>
    </tr>
  );
}

/** From the API once and whenever the stream was away; from the stream as they happen. */
function useIntents(botId: string): { readonly notes: readonly IntentNote[]; readonly problem: Error | null } {
  const { api, listen } = useConsole();
  const [heard, setHeard] = useState<readonly IntentNote[]>([]);
  const read = useQuery({
    queryKey: ["intents", botId],
    queryFn: async () => notesOf(await api.intentsOf(botId, FIRST)),
    refetchInterval: 15_000,
  });
  useEffect(() => {
    let fresh: IntentNote[] = [];
    const soon = paced(() => {
      const batch = fresh;
      fresh = [];
      setHeard((before) => mergeNotes(before, batch));
    }, ROWS_EVERY_MS);
    const stop = listen((event) => {
      const note = noteOf(event, botId, Date.now());
      if (note === null) return;
      fresh.push(note);
      soon.ask();
    });
    return () => {
      stop();
      soon.stop();
    };
  }, [listen, botId]);
  return { notes: mergeNotes(heard, read.data ?? []), problem: read.error };
}
