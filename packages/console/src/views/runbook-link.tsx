/** Opens the page that says what to do, over whatever is shown. */
import { useEffect, useRef, useState, type JSX } from "react";
import { useConsole } from "../context.ts";
import { blocksOf, spansOf, type Block } from "../runbooks/markdown.ts";
import { ScrollX } from "./scroll-x.tsx";

export function RunbookLink({ page }: { readonly page: string | null }): JSX.Element | null {
  const { t } = useConsole();
  const [isOpen, setIsOpen] = useState(false);
  if (page === null) return null;
  return (
    <>
      <button type="button" className="link" onClick={() => setIsOpen(true)} title={page} data-testid="runbook-link">
        {t("runbook")}: {nameOf(page)}
      </button>
      {isOpen && <RunbookDialog page={page} onClose={() => setIsOpen(false)} />}
    </>
  );
}

const nameOf = (page: string): string => page.split("/").at(-1)?.replace(/\.md$/, "") ?? page;

function RunbookDialog(props: { readonly page: string; readonly onClose: () => void }): JSX.Element {
  const { t } = useConsole();
  const { page, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState<string | null>(null);
  useEffect(() => {
    if (dialog.current?.open === false) dialog.current.showModal();
    let isCurrent = true;
    import("../runbooks/pages.ts").then(
      ({ runbookText }) => {
        if (isCurrent) setText(runbookText(page) ?? page);
      },
      (problem: unknown) => {
        if (isCurrent) setText(String(problem));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [page]);
  return (
    <dialog
      ref={dialog}
      className="runbook"
      aria-label={page}
      data-testid="runbook"
      onClose={(event) => {
        // It may stand inside another dialog, which is not the one that closes.
        event.stopPropagation();
        onClose();
      }}
    >
      {text === null ? (
        <p className="dim">{t("loading")}</p>
      ) : (
        blocksOf(text).map((block, at) => <Part key={at} block={block} />)
      )}
      <div className="buttons">
        <span className="mono dim">{page}</span>
        <button type="button" onClick={onClose}>
          {t("close")}
        </button>
      </div>
    </dialog>
  );
}

function Part({ block }: { readonly block: Block }): JSX.Element {
  switch (block.kind) {
    case "heading":
      return block.level === 1 ? <h2>{block.text}</h2> : <h3>{block.text}</h3>;
    case "paragraph":
      return (
        <p>
          <Spans text={block.text} />
        </p>
      );
    case "list":
      return (
        <ul>
          {block.items.map((item, at) => (
            <li key={at}>
              <Spans text={item} />
            </li>
          ))}
        </ul>
      );
    case "code":
      return <pre className="whole">{block.text}</pre>;
    case "table":
      return (
        <ScrollX label={block.head.join(", ")}>
          <table>
            <thead>
              <tr>
                {block.head.map((cell, at) => (
                  <th key={at} scope="col">
                    <Spans text={cell} />
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {block.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, column) => (
                    <td key={column}>
                      <Spans text={cell} />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollX>
      );
  }
}

function Spans({ text }: { readonly text: string }): JSX.Element {
  return (
    <>
      {spansOf(text).map(({ kind, text: words }, at) => {
        if (kind === "code") return <code key={at}>{words}</code>;
        return kind === "strong" ? <strong key={at}>{words}</strong> : <span key={at}>{words}</span>;
      })}
    </>
  );
}
