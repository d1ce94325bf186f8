/**
 * How this home is set up and mended. A program that runs cannot set itself up: the tool of its own does, in a browser too,
 * and these are the lines that open it.
 */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";

const LINES: readonly (readonly [Word, string])[] = [
  ["setup_web", "rumi setup --web"],
  ["setup_check", "rumi setup check"],
  ["setup_doctor", "rumi doctor"],
  ["setup_recover", "rumi setup recover"],
  ["setup_backup", "rumi backup --to DIR"],
];

export function SetupPanel(): JSX.Element {
  const { t } = useConsole();
  return (
    <Panel title={t("setup")} name="setup">
      <dl data-testid="setup">
        {LINES.map(([word, line]) => (
          <div key={word}>
            <dt className="dim">{t(word)}</dt>
            <dd>
              <CopyLine line={line} />
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
