/** Any answer laid out by its shape: a line for each member, a list in one line, records of one kind as a table. */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import { ScrollX } from "../scroll-x.tsx";
import { columnsOf, isRecord, isScalar, namesOf, type Known } from "./shape-of.ts";

/** Deeper than this it is shown behind the fold only. */
const DEPTH = 4;

export function Laid({ of, depth = 0 }: { readonly of: Known; readonly depth?: number }): JSX.Element {
  return (
    <dl className={depth === 0 ? "facts laid" : "laid inner"}>
      {Object.entries(of).map(([name, value]) => (
        <div key={name}>
          <dt>{namesOf(name)}</dt>
          <dd>
            <Value of={value} label={name} depth={depth} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value(props: { readonly of: unknown; readonly label: string; readonly depth: number }): JSX.Element {
  const { t } = useConsole();
  const { of, label, depth } = props;
  if (isScalar(of)) return <Scalar of={of} />;
  if (depth >= DEPTH) return <span className="dim">{t("in_json")}</span>;
  if (Array.isArray(of)) {
    const items: readonly unknown[] = of;
    if (items.length === 0) return <span className="dim">{t("none")}</span>;
    if (items.every(isScalar)) return <span className="mono">{items.map(String).join(", ")}</span>;
    if (items.every(isRecord)) return <Rows rows={items} label={label} depth={depth} />;
    return (
      <ol>
        {items.map((one, at) => (
          <li key={at}>
            <Value of={one} label={label} depth={depth + 1} />
          </li>
        ))}
      </ol>
    );
  }
  return isRecord(of) ? <Laid of={of} depth={depth + 1} /> : <span className="dim">{t("in_json")}</span>;
}

function Scalar({ of }: { readonly of: string | number | boolean | null | undefined }): JSX.Element {
  const { t } = useConsole();
  if (of === null || of === undefined || of === "") return <span className="dim">–</span>;
  if (typeof of === "boolean") return <span>{t(of ? "yes" : "no")}</span>;
  return <span className="mono">{of}</span>;
}

function Rows(props: { readonly rows: readonly Known[]; readonly label: string; readonly depth: number }): JSX.Element {
  const { t } = useConsole();
  const { rows, label, depth } = props;
  const { columns, more } = columnsOf(rows);
  return (
    <>
      <ScrollX label={namesOf(label)}>
        <table>
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col">
                  {namesOf(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {columns.map((name) => (
                  <td key={name}>
                    <Value of={row[name]} label={name} depth={depth + 1} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollX>
      {more > 0 && <p className="dim">{t("columns_more", { count: more })}</p>}
    </>
  );
}
