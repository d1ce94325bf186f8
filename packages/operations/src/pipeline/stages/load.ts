/** Reads everything the decision needs and, from it, which way the command moves risk. */
import { type Failure, failure } from "@rumi/kernel";
import { refuse, type Run, type Stage } from "../run.ts";
import { permissionRefusal } from "./authorise.ts";

export const load: Stage = {
  name: "load",
  run: async (run, context) => {
    const { definition } = run.operation;
    run.fences = [];
    run.decision = null;
    run.facts = await definition.load(run.reader, run.input, {
      store: context.store,
      now: context.now(),
      principal: run.principal,
      training: run.training !== null,
      examine: (command) => context.examine(run.reader, command),
      forbidden: async ({ operation, principal, target }) => {
        const known = context.registry.operations.get(operation);
        return known === undefined ? undefined : permissionRefusal(known.definition, principal, target, context);
      },
    });
    run.risk = definition.risk(run.input, run.facts);
    if (run.forbidden !== null && run.risk !== "tighten") return refuse(run.forbidden);
    return isFalseComfort(run) ? refuse(notStopped(run)) : undefined;
  },
};

/** A tightening that would only be rehearsed: whoever really means it would believe that something stops. */
const isFalseComfort = ({ training, risk, operation }: Run): boolean =>
  training !== null && risk === "tighten" && operation.definition.rehearsal === undefined;

export const notStopped = ({ operation, principal }: Run): Failure =>
  failure(
    "RUMI-CMD-033",
    { operation: operation.definition.name, principal: principal.id },
    { reasonCode: "L.TRAINING.NOT_REAL" },
  );
