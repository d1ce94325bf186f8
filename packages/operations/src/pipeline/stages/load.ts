/** Reads everything the decision needs and, from it, which way the command moves risk. */
import { refuse, type Stage } from "../run.ts";
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
      examine: (command) => context.examine(run.reader, command),
      forbidden: async ({ operation, principal, target }) => {
        const known = context.registry.operations.get(operation);
        return known === undefined ? undefined : permissionRefusal(known.definition, principal, target, context);
      },
    });
    run.risk = definition.risk(run.input, run.facts);
    return run.forbidden !== null && run.risk !== "tighten" ? refuse(run.forbidden) : undefined;
  },
};
