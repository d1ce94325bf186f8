/** The permissions that the program itself answers; each is asked only after its grant was found (call.ts). */
import { err, failure, ok, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { listAllows } from "../grants/model.ts";
import type { GrantConfig } from "../grants/permissions.ts";
import type { ReadSecret } from "../secrets/secrets.ts";

/** The run that asks, where one does. */
export type CallTrail = { readonly run_id: string; readonly trace_id: string };
export type BuiltinUse = {
  readonly principal: string;
  readonly pack_id: string;
  /** What is left of the grants of its line. */
  readonly config: GrantConfig;
  readonly args: JsonObject;
  readonly request_id: string | null;
  readonly trail: CallTrail | undefined;
  readonly timeout_seconds: number;
  readonly signal: AbortSignal;
};
export type Builtin = (use: BuiltinUse) => Promise<Result<Json, Failure>>;
/** One that is not here is answered as a capability that there is not. */
export type Builtins = Readonly<Partial<Record<string, Builtin>>>;

/** `{key}` → `{value}`. */
export function secretsGet(readSecret: ReadSecret): Builtin {
  return async ({ pack_id, config, args }) => {
    const members = argsOf("secrets.get", args, { key: "string" });
    if (!members.ok) return members;
    const { key } = members.value;
    const allowed = named(config, "secrets.get", "allowed_keys", key);
    if (!allowed.ok) return allowed;
    const value = await readSecret(pack_id, key);
    return value.ok ? ok({ value: value.value }) : value;
  };
}

/** Runs a flow as the principal and gives its answer; the same `key` is the same run. */
export type RunFlow = (of: {
  readonly principal: string;
  readonly flow_id: string;
  readonly inputs: JsonObject;
  /** Seconds. */
  readonly timeout: number;
  readonly trace_id: string | undefined;
  readonly key: string | null;
}) => Promise<Result<Json, Failure>>;

/** `{flow_id, inputs?}` → `{flow_id, result, execution_time}`; its time is the call's. */
export function flowRun(run: RunFlow): Builtin {
  return async ({ principal, config, args, request_id, trail, timeout_seconds }) => {
    const { inputs = {}, ...rest } = args as { readonly inputs?: Json };
    const members = argsOf("flow.run", rest, { flow_id: "string" });
    if (!members.ok) return members;
    if (typeof inputs !== "object" || inputs === null || Array.isArray(inputs))
      return err(failure("RUMI-CAP-002", { permission_id: "flow.run", problem: "args.inputs must be an object" }));
    const { flow_id } = members.value;
    const allowed = named(config, "flow.run", "allowed_flow_ids", flow_id);
    if (!allowed.ok) return allowed;
    const key = request_id === null ? null : `flow.run:${principal}:${request_id}`;
    const timeout = timeout_seconds;
    return run({ principal, flow_id, inputs: inputs as JsonObject, timeout, trace_id: trail?.trace_id, key });
  };
}

/** RUMI-CAP-013 where the grant's list does not name it. */
export function named(config: GrantConfig, permission_id: string, list: string, item: string): Result<void, Failure> {
  return listAllows(config, list, item)
    ? ok(undefined)
    : err(failure("RUMI-CAP-013", { permission_id, list, item: item.slice(0, 256) }));
}

type Kind = "string";

/** Exactly these members, each of its kind; else RUMI-CAP-002 says which. */
export function argsOf<const Form extends Readonly<Record<string, Kind>>>(
  permission_id: string,
  args: JsonObject,
  form: Form,
): Result<{ readonly [Name in keyof Form]: string }, Failure> {
  const wrong = (problem: string): Result<never, Failure> => err(failure("RUMI-CAP-002", { permission_id, problem }));
  const stray = Object.keys(args).find((name) => !Object.hasOwn(form, name));
  if (stray !== undefined)
    return wrong(`args has no member ${stray.slice(0, 64)}; it has ${Object.keys(form).join(", ")}`);
  for (const [name, kind] of Object.entries(form))
    if (typeof args[name] !== kind) return wrong(`args.${name} must be a ${kind}`);
  return ok(args as { readonly [Name in keyof Form]: string });
}
