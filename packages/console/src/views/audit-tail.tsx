/** The newest audit events; each can be proven here, against the log that this browser verified. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { AuditEvent } from "../answers/answers.ts";
import type { Api } from "../api.ts";
import { useConsole } from "../context.ts";
import type { Word } from "../i18n.ts";
import { hrefOf } from "../page.ts";
import { saveFile } from "../save-file.ts";
import { messageOf, PROOF_STEPS, verifyEventProof, type ProofStep } from "../verify/event-proof.ts";
import type { LogVerifier } from "../verify/log-verifier.ts";
import { clockText } from "../time.ts";
import { CopyLine } from "./copy-line.tsx";
import { Panel } from "./panel.tsx";

/** `tree` is the last step: the proof's head is one of the very log that the badge stands for. */
type Step = ProofStep | "tree";
const STEPS: readonly Step[] = [...PROOF_STEPS, "tree"];
const STEP_WORD: Readonly<Record<Step, Word>> = {
  signature: "step_signature",
  inclusion: "step_inclusion",
  commitment: "step_commitment",
  story: "step_story",
  tree: "step_tree",
};

type Check =
  | { readonly kind: "checking" }
  | { readonly kind: "proven"; readonly payload: "opened" | "erased" }
  | { readonly kind: "failed"; readonly step: Step | null; readonly problem: string };

export function AuditTail(): JSX.Element {
  const { api, t } = useConsole();
  const tail = useQuery({
    queryKey: ["audit"],
    queryFn: async () => (await api.auditTail()).events,
    refetchInterval: 5_000,
  });
  return (
    <Panel
      title={t("audit")}
      name="audit"
      problem={tail.error}
      line="rumi audit events --order desc"
      aside={
        <a className="end" href={hrefOf({ kind: "audit" })}>
          {t("audit_search")}
        </a>
      }
    >
      <div className="scroll" tabIndex={0} role="group" aria-label={t("audit")}>
        {tail.data === undefined || tail.data.length === 0 ? (
          <p className="empty">{t(tail.data === undefined ? "loading" : "nothing_yet")}</p>
        ) : (
          <EventsTable events={tail.data} />
        )}
      </div>
    </Panel>
  );
}

/** Events, each with the button that proves it. */
export function EventsTable({ events }: { readonly events: readonly AuditEvent[] }): JSX.Element {
  const { api, t, log } = useConsole();
  const [checks, setChecks] = useState<Readonly<Record<string, Check>>>({});
  const check = async (event: AuditEvent): Promise<void> => {
    const put = (result: Check): void => setChecks((before) => ({ ...before, [event.event_id]: result }));
    put({ kind: "checking" });
    put(await prove(event, api, log));
  };
  return (
    <table className="feed" data-testid="audit">
      <thead>
        <tr>
          <th scope="col" className="number">
            {t("entry")}
          </th>
          <th scope="col">{t("time")}</th>
          <th scope="col">{t("event")}</th>
          <th scope="col" className="optional">
            {t("actor")}
          </th>
          <th scope="col">
            <span className="hidden">{t("prove")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {events.map((event) => (
          <EventRows
            key={event.event_id}
            event={event}
            check={checks[event.event_id]}
            onCheck={() => void check(event)}
          />
        ))}
      </tbody>
    </table>
  );
}

async function prove(event: AuditEvent, api: Api, log: LogVerifier): Promise<Check> {
  try {
    const [proof, key] = [await api.proof(event.event_id), await log.key()];
    const verdict = await verifyEventProof(proof, key, event);
    if (verdict.kind === "failed") return verdict;
    if (!(await log.contains(verdict.head)))
      return { kind: "failed", step: "tree", problem: "another tree was signed" };
    return { kind: "proven", payload: verdict.payload };
  } catch (problem) {
    return { kind: "failed", step: null, problem: messageOf(problem) };
  }
}

function EventRows(props: {
  readonly event: AuditEvent;
  readonly check: Check | undefined;
  readonly onCheck: () => void;
}): JSX.Element {
  const { t } = useConsole();
  const { event, check, onCheck } = props;
  const reason = event.details["reason"];
  return (
    <>
      <tr data-event={event.event_id} data-action={event.action}>
        <td className="number mono dim">{event.log_index}</td>
        <td className="mono dim" title={event.occurred_at}>
          {clockText(Date.parse(event.occurred_at))}
        </td>
        <td className="words">
          <span className={`mono ${event.outcome === "SUCCESS" ? "" : "bad"}`}>
            {event.action}
            {event.outcome === "SUCCESS" ? "" : ` ${event.outcome}`}
          </span>{" "}
          <span className="mono dim">
            {event.resource_type}:{event.resource_id}
          </span>
          {typeof reason === "string" && <div className="dim wrap">{reason}</div>}
        </td>
        <td className="mono dim optional">{event.actor}</td>
        <td className="check">
          <button
            type="button"
            className={check === undefined ? "quiet" : `quiet ${toneOf(check)}`}
            onClick={onCheck}
            disabled={check?.kind === "checking"}
            aria-label={`${t("prove")} ${event.log_index}`}
            data-testid="check"
          >
            {check === undefined ? t("prove") : labelOf(check, t)}
          </button>
        </td>
      </tr>
      {check !== undefined && check.kind !== "checking" && (
        <tr className="proof">
          <td />
          <td colSpan={4}>
            <ProofSteps check={check} />
            <ProofLinks event={event} />
          </td>
        </tr>
      )}
    </>
  );
}

function ProofSteps({ check }: { readonly check: Exclude<Check, { kind: "checking" }> }): JSX.Element {
  const { t } = useConsole();
  const failedAt = check.kind === "proven" ? STEPS.length : check.step === null ? 0 : STEPS.indexOf(check.step);
  return (
    <ol className="steps" data-testid="proof">
      {STEPS.slice(0, failedAt).map((step) => (
        <li key={step} className="good">
          ✓ {t(STEP_WORD[step])}
        </li>
      ))}
      {check.kind === "failed" && (
        <li className="bad">
          ✗ {check.step === null ? "" : `${t(STEP_WORD[check.step])}: `}
          {check.problem}
        </li>
      )}
      {check.kind === "proven" && check.payload === "erased" && <li className="dim">{t("payload_erased")}</li>}
    </ol>
  );
}

/** The proof itself, to be checked elsewhere, and what else belongs to the event. */
function ProofLinks({ event }: { readonly event: AuditEvent }): JSX.Element {
  const { api, t } = useConsole();
  const [problem, setProblem] = useState<string | null>(null);
  const trace = event.details["trace_id"];
  const save = (): void =>
    void api.eventProofText(event.event_id).then(
      (text) => saveFile(`event-${event.log_index}-proof.json`, text),
      (cause: unknown) => setProblem(messageOf(cause)),
    );
  return (
    <div className="row-head">
      <CopyLine line={`rumi audit proof ${event.event_id}`} />
      <button type="button" className="link" onClick={save} data-testid="save-proof">
        {t("save_proof")}
      </button>
      {typeof trace === "string" && <a href={hrefOf({ kind: "trace", id: trace })}>{t("trace")}</a>}
      {problem !== null && (
        <span className="bad" role="alert">
          {problem}
        </span>
      )}
    </div>
  );
}

function toneOf(check: Check): string {
  return check.kind === "proven" ? "good" : check.kind === "failed" ? "bad" : "dim";
}

function labelOf(check: Check, t: (word: Word) => string): string {
  switch (check.kind) {
    case "checking":
      return t("proving");
    case "proven":
      return `✓ ${t("proven")}`;
    case "failed":
      return `✗ ${t("not_proven")}`;
  }
}
