/** The home's shared dictionary: what in it names this pack first, everything else behind a fold. */
import type { JSX } from "react";
import type { Meaning } from "../../answers/pack-parts.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

/** A home may hold ten thousand; nobody reads more of them here. */
const SHOWN = 200;

export function MeaningsPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const meanings = useOfPacks(["meanings"], (of) => of.meanings());
  const all = meanings.data ?? [];
  const own = all.filter((one) => isAbout(one, packId));
  const others = all.filter((one) => !isAbout(one, packId));
  return (
    <Panel title={t("meanings")} name="meanings" problem={meanings.error}>
      {meanings.data !== undefined && own.length === 0 && <p className="empty">{t("meanings_teach")}</p>}
      <List meanings={own} />
      {others.length > 0 && (
        <details data-testid="other-meanings">
          <summary>{t("other_meanings", { count: others.length })}</summary>
          <List meanings={others} />
        </details>
      )}
      <CopyLine line={commandText("shared_dict list")} />
    </Panel>
  );
}

function isAbout({ namespace, token, value }: Meaning, packId: string): boolean {
  return [namespace, token, value].some((text) => text.split(/[^A-Za-z0-9_-]+/).includes(packId));
}

function List({ meanings }: { readonly meanings: readonly Meaning[] }): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <ul className="rows" data-testid="meanings">
        {meanings.slice(0, SHOWN).map((one) => (
          <Row key={`${one.namespace} ${one.token}`} meaning={one} />
        ))}
      </ul>
      {meanings.length > SHOWN && <p className="dim">{t("and_more", { count: meanings.length - SHOWN })}</p>}
    </>
  );
}

function Row({ meaning }: { readonly meaning: Meaning }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { namespace, token, value } = meaning;
  return (
    <li className="row-head" data-testid="meaning">
      <span className="mono dim">{namespace}</span>
      <strong className="mono wrap">{token}</strong>
      <span aria-hidden="true">→</span>
      <span className="hidden">{t("stands_for")}</span>
      <span className="mono wrap">{value}</span>
      {may.ask("shared_dict.remove") && (
        <button
          type="button"
          className="danger end"
          onClick={() =>
            ask({
              title: t("ask_forget", { token }),
              detail: t("forget_means"),
              tone: "danger",
              line: (reason) => commandText("shared_dict remove", [], { namespace, token, reason }),
              onYes: (wish) => calls.forgetMeaning(meaning, wish),
            })
          }
        >
          {t("forget")}
        </button>
      )}
      {dialog}
    </li>
  );
}
