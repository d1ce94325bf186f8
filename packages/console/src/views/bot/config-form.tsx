/**
 * Another configuration for a bot: what changes is shown while it is typed, with the moment at which what runs takes it.
 * Where nothing runs there is no moment to choose: it holds from the next start.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Bot } from "../../answers/answers.ts";
import { record } from "../../answers/shape.ts";
import type { ConfigMoment } from "../../api/bots.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { Changes, Impact } from "../outlook.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { MOMENTS, momentOf } from "./config-moments.ts";

export function ConfigForm({ bot, onClose }: { readonly bot: Bot; readonly onClose: () => void }): JSX.Element {
  const { api, t } = useConsole();
  const queries = useQueryClient();
  const [text, setText] = useState(() => JSON.stringify(bot.spec.config, null, 2));
  const [at, setAt] = useState<ConfigMoment>("next_checkpoint");
  const [question, setQuestion] = useState<Question | null>(null);
  const config = configIn(text);
  const diff = config === null ? [] : changesOf(bot.spec.config, config);
  const isLive = bot.state === "RUNNING_LIVE";
  const isResting = bot.state === "IDLE";
  const timing = t(isResting ? "means_next_start" : MOMENTS[at].means);
  // The question stands beside the form: a form inside another is none.
  return (
    <>
      <form
        className="config-form"
        data-testid="config-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (config === null) return;
          setQuestion({
            title: t("ask_config", { bot: bot.bot_id }),
            detail: (
              <>
                <Impact impact={{ diff }} />
                <p data-testid="config-timing">{timing}</p>
              </>
            ),
            tone: isLive ? "live" : "primary",
            line: (reason) =>
              commandText("bots config-apply", [bot.bot_id], { config: JSON.stringify(config), at, reason }),
            onTry: (wish) => api.tryConfig(bot.bot_id, config, at, wish),
            onYes: (wish) => api.applyConfig(bot.bot_id, config, at, wish),
            onDone: () => {
              for (const key of ["bot", "bots"]) void queries.invalidateQueries({ queryKey: [key] });
              onClose();
            },
          });
        }}
      >
        <textarea
          className="mono"
          rows={Math.min(16, text.split("\n").length + 1)}
          value={text}
          aria-label={t("config")}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
        {diff.length > 0 && <Changes changes={diff} testId="config-diff" />}
        <p className="dim wrap">{timing}</p>
        <div className="buttons">
          {config === null && <span className="bad">{t("no_json")}</span>}
          {!isResting && (
            <select
              value={at}
              aria-label={t("applied_at")}
              onChange={(event) => setAt(momentOf(event.target.value) ?? at)}
            >
              {Object.entries(MOMENTS).map(([moment, { word }]) => (
                <option key={moment} value={moment}>
                  {t(word)}
                </option>
              ))}
            </select>
          )}
          <button type="button" onClick={onClose}>
            {t("cancel")}
          </button>
          <button type="submit" className={isLive ? "live" : "primary"} disabled={diff.length === 0}>
            {t("apply")}
          </button>
        </div>
      </form>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

/** null while the text is no JSON object. */
function configIn(text: string): Readonly<Record<string, unknown>> | null {
  try {
    return record(JSON.parse(text), "config");
  } catch {
    return null; // said beside the button
  }
}

function changesOf(before: Readonly<Record<string, unknown>>, after: Readonly<Record<string, unknown>>) {
  return Object.keys({ ...before, ...after })
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((field) => ({ field, before: before[field] ?? null, after: after[field] ?? null }));
}
