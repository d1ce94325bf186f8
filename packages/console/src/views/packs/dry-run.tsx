/** What an act would do, asked from the server while its question stands open: in words, and what stands in its way. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import type { DryRun as Answer } from "../../answers/answers.ts";
import { permissionDiffIn } from "../../answers/packs.ts";
import { useConsole } from "../../context.ts";
import { Blockers, Whole } from "../outlook.tsx";
import { ProblemNote } from "../panel.tsx";
import { ScrollX } from "../scroll-x.tsx";
import { bytesText, DiffList } from "./pack-words.tsx";
import { toldOf, type Change, type Sentence } from "./told.ts";

const VERDICT = { apply: "would_apply", challenge: "would_challenge", refuse: "would_refuse" } as const;
const TONE = { apply: "good", challenge: "warn", refuse: "bad" } as const;

export function DryRun(props: { readonly name: string; readonly ask: () => Promise<Answer> }): JSX.Element {
  const { t } = useConsole();
  const { name, ask } = props;
  const answer = useQuery({ queryKey: ["dry-run", name], queryFn: ask, gcTime: 0, staleTime: 0 });
  if (answer.error !== null) return <ProblemNote problem={answer.error} t={t} />;
  if (answer.data === undefined) return <p role="status">{t("dry_run_under_way")}</p>;
  const { would, refusals, preview } = answer.data;
  const diff = permissionDiffIn(preview["permission_diff"]);
  const { changes, sentences, lost } = toldOf(preview);
  return (
    <div data-testid="dry-run">
      <p className={TONE[would]}>{t(VERDICT[would])}</p>
      {refusals.length > 0 && would === "refuse" && <Blockers blockers={refusals} />}
      {changes.length > 0 && <Changes changes={changes} />}
      {sentences.map((one) => (
        <Said key={one.word} sentence={one} />
      ))}
      {lost !== null && <Lost lost={lost} />}
      {diff !== null && (
        <section className="outlook">
          <h3>{t("diff")}</h3>
          <DiffList diff={diff} />
        </section>
      )}
      {Object.keys(preview).length > 0 && (
        <details data-testid="dry-run-whole">
          <summary>{t("whole_answer")}</summary>
          <Whole of={preview} />
        </details>
      )}
    </div>
  );
}

function Changes({ changes }: { readonly changes: readonly Change[] }): JSX.Element {
  const { t } = useConsole();
  return (
    <ScrollX label={t("impact")}>
      <table data-testid="dry-run-changes">
        <thead>
          <tr>
            <th scope="col">
              <span className="hidden">{t("field")}</span>
            </th>
            <th scope="col">{t("before")}</th>
            <th scope="col">{t("after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ word, before, after }) => (
            <tr key={word}>
              <th scope="row">{t(word)}</th>
              <td className="mono wrap">{before ?? "–"}</td>
              <td className="mono wrap">{after ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollX>
  );
}

function Said({ sentence: { word, values, isGrave } }: { readonly sentence: Sentence }): JSX.Element {
  const { t } = useConsole();
  const { bytes } = values;
  const shown = typeof bytes === "number" ? { ...values, bytes: bytesText(bytes) } : values;
  return <p className={isGrave ? "warn wrap" : "wrap"}>{t(word, shown)}</p>;
}

function Lost({ lost }: { readonly lost: readonly string[] }): JSX.Element {
  const { t } = useConsole();
  if (lost.length === 0) return <p>{t("told_nothing_lost")}</p>;
  return (
    <section className="outlook">
      <h3>{t("told_lost", { count: lost.length })}</h3>
      <ul className="plain mono small" data-testid="dry-run-lost">
        {lost.map((one) => (
          <li key={one} className="wrap">
            {one}
          </li>
        ))}
      </ul>
    </section>
  );
}
