/**
 * Runs a flow: a field for each input that it declares, of its type, with what is wrong said beside it.
 *
 * An answer may take minutes, so nobody waits for it here: as soon as the run is known, its page is shown.
 */
import { useState, type JSX } from "react";
import type { FlowDefinition, FlowInput } from "../../answers/flows.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { goTo } from "../../page.ts";
import { CopyLine } from "../copy-line.tsx";
import { TroubleBox, troubleOf, type Trouble } from "../trouble-box.tsx";
import { readInputs, type Typed } from "./flow-inputs.ts";
import { useFlowCalls } from "./flow-queries.ts";

const SECONDS = 300;
const MOST_SECONDS = 600;
const LOOK_MS = 300;
/** Without declared inputs whatever is given is taken. */
const ALL = "inputs";
const UNDECLARED = { [ALL]: { type: "object", required: false, default: null } } as const;

export function RunForm({ flow }: { readonly flow: FlowDefinition }): JSX.Element {
  const { t } = useConsole();
  const calls = useFlowCalls();
  const declared = flow.inputs ?? UNDECLARED;
  const [typed, setTyped] = useState<Typed>({});
  const [seconds, setSeconds] = useState(String(SECONDS));
  const [reason, setReason] = useState("");
  const [wasSent, setWasSent] = useState(false);
  const [isAsking, setIsAsking] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { inputs: read, problems } = readInputs(declared, typed);
  const inputs = flow.inputs === null ? ((read[ALL] ?? {}) as Readonly<Record<string, unknown>>) : read;
  const timeout = Number(seconds);
  const isTime = Number.isInteger(timeout) && timeout >= 1 && timeout <= MOST_SECONDS;
  const { flow_id } = flow;

  const run = async (): Promise<void> => {
    setIsAsking(true);
    setTrouble(null);
    const id = crypto.randomUUID();
    const asked = { over: null as Trouble | "ended" | null };
    void calls.start(flow_id, { inputs, timeout }, { id, reason: reason.trim() }).then(
      () => (asked.over = "ended"),
      (problem: unknown) => (asked.over = troubleOf(problem)),
    );
    for (;;) {
      const { over } = asked;
      // What failed before there was a run has none; what failed as a run is told on the run's page.
      const found = await calls.runs(flow_id).then(
        ({ runs }) => runs.find(({ command_id }) => command_id === id),
        () => undefined,
      );
      if (found !== undefined) return goTo({ kind: "flows", name: flow_id, run: found.run_id });
      if (over !== null && over !== "ended") {
        setTrouble(over);
        setIsAsking(false);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  return (
    <>
      <form
        className="run-form"
        data-testid="run-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setWasSent(true);
          if (Object.keys(problems).length === 0 && isTime) void run();
        }}
      >
        {flow.inputs === null && <p className="dim">{t("inputs_any")}</p>}
        {flow.inputs !== null && Object.keys(flow.inputs).length === 0 && <p className="dim">{t("inputs_none")}</p>}
        {Object.entries(declared).map(([name, input]) => {
          const problem = problems[name];
          const isWrong = problem !== undefined && (wasSent || (typed[name] ?? "") !== "");
          return (
            <Field
              key={name}
              name={name}
              input={input}
              text={typed[name] ?? ""}
              problem={isWrong ? t(problem) : null}
              onType={(text) => setTyped({ ...typed, [name]: text })}
            />
          );
        })}
        <div className="inline-form">
          <label>
            {t("time_limit")}
            <input
              className="mono"
              type="number"
              min={1}
              max={MOST_SECONDS}
              value={seconds}
              aria-invalid={!isTime}
              onChange={(event) => setSeconds(event.target.value)}
            />
          </label>
          <label className="grow">
            {t("reason")}
            <input
              className="wide"
              value={reason}
              maxLength={500}
              placeholder={t("reason_hint")}
              onChange={(event) => setReason(event.target.value)}
            />
          </label>
          <button type="submit" className="primary" disabled={isAsking}>
            {t(isAsking ? "run_asked" : "run_now")}
          </button>
        </div>
      </form>
      {trouble !== null && <TroubleBox trouble={trouble} onLeave={() => undefined} />}
      <CopyLine
        line={commandText("flows run", [flow_id], {
          inputs: Object.keys(inputs).length === 0 ? null : JSON.stringify(inputs),
          timeout: timeout === SECONDS || !isTime ? null : seconds,
          reason: reason.trim() === "" ? null : reason.trim(),
        })}
      />
    </>
  );
}

function Field(props: {
  readonly name: string;
  readonly input: FlowInput;
  readonly text: string;
  readonly problem: string | null;
  readonly onType: (text: string) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { name, input, text, problem, onType } = props;
  const { type, required, default: fallback } = input;
  const id = `input-${name}`;
  const shared = {
    id,
    value: text,
    "aria-invalid": problem !== null,
    "aria-describedby": `${id}-note`,
    "aria-required": required,
    onChange: (event: { readonly target: { readonly value: string } }) => onType(event.target.value),
  } as const;
  const placeholder = fallback === null || fallback === undefined ? "" : JSON.stringify(fallback);
  return (
    <div className="field">
      <label htmlFor={id}>
        <span className="mono">{name}</span>{" "}
        <span className="dim">
          {type}
          {required ? ` · ${t("required")}` : ""}
        </span>
      </label>
      {type === "boolean" ? (
        <select {...shared}>
          <option value="">{placeholder === "" ? "–" : t("default_is", { value: placeholder })}</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      ) : ["object", "array", "any"].includes(type) ? (
        <textarea {...shared} className="mono" rows={3} spellCheck={false} placeholder={placeholder} />
      ) : (
        <input
          {...shared}
          className="mono"
          inputMode={type === "integer" ? "numeric" : type === "number" ? "decimal" : "text"}
          spellCheck={false}
          placeholder={placeholder}
        />
      )}
      <span id={`${id}-note`} className="bad small" role={problem === null ? undefined : "alert"}>
        {problem}
      </span>
    </div>
  );
}
