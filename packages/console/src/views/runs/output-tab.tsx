/** What a run said, kept current while it goes on: its prompt first, errors marked as such. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import type { CodeRunDetail } from "../../answers/code-runs.ts";
import { object, oneOf, text } from "../../answers/shape.ts";
import { useConsole } from "../../context.ts";
import { ProblemNote } from "../panel.tsx";

const EVERY_MS = 1_000;
/** Of a long log the end is shown; the whole is in the API. */
const SHOWN_LINES = 2_000;

const line = object({ timestamp: text, stream: oneOf("stdout", "stderr", "meta"), data: text });

export function OutputTab({ run }: { readonly run: CodeRunDetail }): JSX.Element {
  const { api, t } = useConsole();
  const log = useQuery({
    queryKey: ["runs", run.run_id, "log"],
    queryFn: async () => (await api.codeRunLog(run.run_id)).split("\n").filter((one) => one !== ""),
    refetchInterval: run.status === "running" ? EVERY_MS : false,
  });
  const lines = log.data ?? [];
  const shown = lines.slice(-SHOWN_LINES).map((one, at) => line(JSON.parse(one), `log[${at}]`));
  return (
    <>
      {log.error !== null && <ProblemNote problem={log.error} t={t} />}
      {lines.length > SHOWN_LINES && <p className="dim">{t("log_cut", { count: lines.length - SHOWN_LINES })}</p>}
      <pre className="output" data-testid="output" tabIndex={0}>
        {shown.map(({ stream, data }, at) => (
          // eslint-disable-next-line react/no-array-index-key -- lines have no other name
          <span key={at} className={stream === "stderr" ? "bad" : stream === "meta" ? "dim" : ""}>
            {stream === "meta" ? `${data}\n` : data}
          </span>
        ))}
      </pre>
    </>
  );
}
