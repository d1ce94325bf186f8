/** Arguments of a built-in permission, read strictly. Pure. */
import { err, failure, ok, type Failure, type JsonObject, type Result } from "@rumi/kernel";
import type { Static, TObject } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** The arguments as the form says them; RUMI-VAL-008 for a member that it does not have, RUMI-VAL-002 for a wrong one. */
export function strictArgs<Form extends TObject>(form: Form, args: JsonObject): Result<Static<Form>, Failure> {
  const first = Value.Errors(form, args).First();
  if (first === undefined) return ok(args as Static<Form>);
  const field = first.path === "" ? "args" : `args.${first.path.slice(1).replaceAll("/", ".")}`.slice(0, 256);
  return err(
    first.message === "Unexpected property"
      ? failure("RUMI-VAL-008", { field })
      : failure("RUMI-VAL-002", { field, problem: first.message }),
  );
}
