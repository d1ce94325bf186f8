/** Makes declarations; each is checked when the registry takes it. */
import type { TObject } from "@sinclair/typebox";
import type { ObservationDefinition, OperationDefinition, QueryDefinition } from "./operation.ts";

export function defineOperation<Input extends TObject, Facts>(
  definition: Omit<OperationDefinition<Input, Facts>, "kind">,
): OperationDefinition<Input, Facts> {
  return Object.freeze({ kind: "operation", ...definition });
}

export function defineQuery<Input extends TObject>(
  definition: Omit<QueryDefinition<Input>, "kind">,
): QueryDefinition<Input> {
  return Object.freeze({ kind: "query", ...definition });
}

export function defineObservation<Input extends TObject, Facts>(
  definition: Omit<ObservationDefinition<Input, Facts>, "kind">,
): ObservationDefinition<Input, Facts> {
  return Object.freeze({ kind: "observation", ...definition });
}
