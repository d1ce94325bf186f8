/** Units that a pack put into stores, and executing one of them as a principal that was granted it. */
import { useState, type JSX } from "react";
import type { Unit, UnitRun } from "../../answers/pack-parts.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Whole } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { configIn } from "./grant-form.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

export function UnitsPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const units = useOfPacks(["units"], (of) => of.units());
  const own = (units.data ?? []).filter(({ declared_by_pack_id }) => declared_by_pack_id === packId);
  return (
    <Panel title={t("units")} name="units" problem={units.error}>
      {units.data !== undefined && own.length === 0 && (
        <div className="empty">
          <p>{t("units_teach")}</p>
          <CopyLine
            line={commandText("units publish", [], {
              store_id: "STORE",
              source_dir: `ecosystem/${packId}/UNIT`,
              namespace: packId,
              name: "UNIT",
              version: "1.0.0",
            })}
          />
        </div>
      )}
      <ul className="rows" data-testid="units">
        {own.map((one) => (
          <Row key={`${one.store_id} ${one.unit_id} ${one.version}`} unit={one} packId={packId} />
        ))}
      </ul>
      <CopyLine line={commandText("units list")} />
    </Panel>
  );
}

function Row({ unit, packId }: { readonly unit: Unit; readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <li data-testid="unit" data-id={unit.unit_id}>
      <div className="row-head">
        <strong className="mono">{unit.unit_id}</strong>
        <span className="mono">{unit.version}</span>
        <span className="dim small">
          {unit.kind} · {t("in_store", { store: unit.store_id })} · {unit.exec_modes_allowed.join(", ")} ·{" "}
          {dayText(unit.published_at)}
        </span>
        {may.ask("units.execute") && unit.exec_modes_allowed.length > 0 && (
          <button type="button" className="end" aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {t("execute")}
          </button>
        )}
      </div>
      <div className="small">
        {t("permission")} <span className="mono">{unit.permission_id}</span>
      </div>
      <div className="mono dim digest" title={unit.digest}>
        {unit.digest}
      </div>
      {isOpen && <ExecuteForm unit={unit} packId={packId} />}
    </li>
  );
}

function ExecuteForm({ unit, packId }: { readonly unit: Unit; readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { store_id, unit_id, version, exec_modes_allowed } = unit;
  const [principal_id, setPrincipal] = useState(packId);
  const [mode, setMode] = useState(exec_modes_allowed[0] ?? "");
  const [text, setText] = useState("");
  const [ran, setRan] = useState<UnitRun | null>(null);
  const args = configIn(text);
  const unit_ref = { store_id, unit_id, version };
  return (
    <>
      <form
        className="inline-form"
        data-testid="unit-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (args === null) return;
          ask({
            title: t("ask_execute", { unit: unit_id, version }),
            detail: t("execute_means", { who: principal_id }),
            tone: "primary",
            line: (reason) =>
              commandText("units execute", [], {
                principal_id,
                unit_ref: JSON.stringify(unit_ref),
                mode,
                args: JSON.stringify(args),
                reason,
              }),
            onYes: async (wish) => setRan(await calls.executeUnit({ principal_id, unit_ref, mode, args }, wish)),
          });
        }}
      >
        <label>
          {t("as_principal")}
          <input
            className="mono"
            value={principal_id}
            spellCheck={false}
            onChange={(event) => setPrincipal(event.target.value)}
          />
        </label>
        <label>
          {t("exec_mode")}
          <select value={mode} onChange={(event) => setMode(event.target.value)}>
            {exec_modes_allowed.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <label className="grow">
          {t("args_json")}
          <input
            className="mono wide"
            value={text}
            placeholder="{}"
            spellCheck={false}
            aria-invalid={args === null}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <button type="submit" disabled={args === null || principal_id === ""}>
          {t("execute")}
        </button>
        {args === null && <span className="bad">{t("no_json")}</span>}
      </form>
      {ran !== null && (
        <div role="status" data-testid="unit-ran">
          <p className="good">{t("unit_ran", { seconds: ran.execution_time.toFixed(2), mode: ran.mode })}</p>
          <Whole of={ran.output} />
        </div>
      )}
      {dialog}
    </>
  );
}
