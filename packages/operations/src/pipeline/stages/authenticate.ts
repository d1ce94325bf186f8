/** Who asks. Tokens were compared at the rim; a command without a principal goes no further. */
import { failure } from "@rumi/kernel";
import { type Stage, turnAway } from "../run.ts";

export const authenticate: Stage = {
  name: "authenticate",
  run: (run) => {
    if (run.request.principal === null) return turnAway(failure("RUMI-AUTH-001"));
    run.principal = run.request.principal;
    return undefined;
  },
};
