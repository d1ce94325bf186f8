/** Another configuration for a bot, applied at a moment that the person chooses; what changes is shown before it is sent. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Bot } from "../../answers/answers.ts";
import { record } from "../../answers/shape.ts";
import type { ConfigMoment } from "../../api/bots.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { Impact } from "../outlook.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

const MOMENTS: Readonly<Record<ConfigMoment, Word>> = {
  next_tick: "at_next_tick",
  next_bar: "at_next_bar",
  next_checkpoint: "at_next_checkpoint",
};

export function ConfigForm({ bot, onClose }: { readonly bot: Bot; readonly onClose: () => void }): JSX.Element {
  const { api, t } = useConsole();
  const queries = useQueryClient();
  const [text, setText] = useState(() => JSON.stringify(bot.spec.config, null, 2));
  const [at, setAt] = useState<ConfigMoment>("next_checkpoint");
  const [question, setQuestion] = useState<Question | null>(null);
  const config = configIn(text);
  const diff = config === null ? [] : changesOf(bot.spec.config, config);
  const isLive = bot.state === "RUNNING_LIVE";
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
            detail: <Impact impact={{ diff }} />,
            tone: isLive ? "live" : "primary",
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
        <div className="buttons">
          {config === null && <span className="bad">{t("no_json")}</span>}
          <select
            value={at}
            aria-label={t("applied_at")}
            onChange={(event) =>
              setAt((Object.keys(MOMENTS) as ConfigMoment[]).find((one) => one === event.target.value) ?? at)
            }
          >
            {Object.entries(MOMENTS).map(([moment, word]) => (
              <option key={moment} value={moment}>
                {t(word)}
              </option>
            ))}
          </select>
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
