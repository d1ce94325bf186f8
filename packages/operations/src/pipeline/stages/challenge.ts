/**
 * Dangerous commands run only when confirmed: an unconfirmed one ends here with a challenge, a confirmed one goes on
 * if it is still what was confirmed. Where nothing can confirm, they do not run.
 */
import { canonicalJson, failure, invariant } from "@rumi/kernel";
import type { ConfirmedDanger, Danger } from "../../operation.ts";
import { guardContext } from "../guard-context.ts";
import { type PipelineContext, type Run, type Stage, type StageEnd, refuse } from "../run.ts";
import { standing } from "../standing.ts";
import { trial } from "../trial.ts";
import { decide } from "./decide.ts";
import { switchedOff } from "./redeem.ts";

export const challenge: Stage = {
  name: "challenge",
  run: (run, context) => {
    const danger = run.operation.definition.danger(run.input, run.facts);
    if (danger.kind === "confirm") return judged(run, danger, context);
    return run.confirmation === null ? undefined : stillTheSame(run, danger, context);
  },
};

async function judged(run: Run, danger: ConfirmedDanger, context: PipelineContext): Promise<StageEnd | undefined> {
  const { definition } = run.operation;
  if (danger.strong === true) {
    const uncovered = await strongRefusal(run, context);
    if (uncovered !== undefined) return uncovered;
  }
  // Also whoever confirms: roles may have changed since it was asked for.
  if (!run.principal.roles.some((role) => (danger.roles ?? ["admin"]).includes(role)))
    return refuse(
      failure(
        "RUMI-AUTH-003",
        { principal: run.principal.id, action: `${definition.name} (dangerous)` },
        { reasonCode: "PERMISSION_DENIED" },
      ),
    );
  if (context.guards.challenge === null) return refuse(switchedOff(run.operation));
  if (run.confirmation !== null) return stillTheSame(run, danger, context);
  if (run.dry_run) return refuse(asks(definition.name, "(none in a dry run)"));
  return ask(run, danger, context);
}

/** Asked when it is asked for and again when it is confirmed: a session ends by itself. */
async function strongRefusal(run: Run, context: PipelineContext): Promise<StageEnd | undefined> {
  const { breakGlass } = context.guards;
  const operation = run.operation.definition.name;
  if (breakGlass === null)
    return refuse(failure("RUMI-CMD-022", { operation }, { reasonCode: "L.BREAK_GLASS.REQUIRED" }));
  const covered = await breakGlass.check(run.reader, guardContext(run, context));
  return covered.ok ? undefined : refuse(covered.error);
}

/** Whatever the wish was made for must be as it was; also when it has stopped being dangerous meanwhile. */
async function stillTheSame(run: Run, danger: Danger, context: PipelineContext): Promise<StageEnd | undefined> {
  const { redeemed } = run.confirmation ?? {};
  invariant(redeemed !== undefined, "a confirmation without its challenge");
  const declared = danger.kind === "none" ? null : danger.base;
  const base = redeemed.kind === "change" ? await standing(run, danger, context) : declared;
  if (base !== null && canonicalJson(base) === canonicalJson(redeemed.base)) return undefined;
  return refuse(
    failure(
      "RUMI-CMD-015",
      { what: redeemed.kind, challenge_id: redeemed.approval_id },
      { reasonCode: "CONFIRMATION_STALE", details: { asked_for: redeemed.base, now: base } },
    ),
  );
}

async function ask(run: Run, danger: ConfirmedDanger, context: PipelineContext): Promise<StageEnd> {
  const { definition } = run.operation;
  const port = context.guards.challenge;
  invariant(port !== null, "asked for confirmation with nowhere to keep it");
  invariant((definition.secret_fields ?? []).length === 0, `${definition.name} has secret fields and cannot be stored`);
  const opened = await port.open(run.reader, {
    ...guardContext(run, context),
    danger,
    fingerprint: run.fingerprint,
    trace_id: run.frame.trace_id,
    run_id: run.frame.run_id,
    reason: run.frame.reason,
    outlook: {
      // Every guard has passed already; whether the decision would, the approver should know.
      refusals: await trial([decide], { ...run, dry_run: true }, { ...context, onStage: () => undefined }),
      preview: definition.preview?.(run.facts, run.input) ?? {},
    },
    newId: context.newId,
  });
  if (!opened.ok) return refuse(opened.error);
  const { challenge: made } = opened.value;
  return { kind: "challenge", failure: asks(definition.name, made.challenge_id, made), opened: opened.value };
}

function asks(operation: string, challenge_id: string, made?: Readonly<Record<string, unknown>>) {
  return failure(
    "RUMI-CMD-004",
    { operation, challenge_id },
    { reasonCode: "CONFIRMATION_REQUIRED", ...(made === undefined ? {} : { details: { challenge: made } }) },
  );
}
