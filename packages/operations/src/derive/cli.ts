/** The command line of a program as data: `rumi NOUN VERB`, its arguments and flags, from the declarations. */
import type { TObject, TSchema } from "@sinclair/typebox";
import { pathParams, type Registry } from "../registry.ts";
import { RECEIVED } from "../validate/raw-input.ts";

export type CliFlag = {
  /** The field of the request; the flag is `--` and this name with hyphens. */
  readonly field: string;
  readonly flag: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "json" | "string[]";
  readonly required: boolean;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly default?: unknown;
  /** Its value is a secret, so it may come over standard input instead of standing in a list of processes. */
  readonly secret?: true;
};
export type CliCommand = {
  readonly noun: string;
  readonly verb: string;
  readonly name: string;
  readonly summary: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  /** Path parameters, in order: the positional arguments. */
  readonly arguments: readonly CliFlag[];
  readonly flags: readonly CliFlag[];
  /** The caller need not give `command_id`: the command line makes one. */
  readonly mintsCommandId: boolean;
  /** Its answer comes when its effect has ended, which may be long after. */
  readonly waits: boolean;
  /** Its body is a file of this type; its fields go into the query string. */
  readonly uploads?: string;
};

export function cliCommands(registry: Registry): readonly CliCommand[] {
  const queries = [...registry.queries.values()].filter(({ definition }) => definition.document === undefined);
  return [...registry.operations.values(), ...queries]
    .map(({ definition, schema }): CliCommand => {
      const secret = definition.kind === "operation" ? (definition.secret_fields ?? []) : [];
      const [noun = "", ...verb] = definition.name.split(".");
      const positional = pathParams(definition.http.path);
      const upload = definition.kind === "operation" ? definition.upload?.media_types[0] : undefined;
      const all = Object.entries(schema.properties)
        .filter(([field]) => upload === undefined || field !== RECEIVED)
        .map(([field, of]) => ({
          ...flag(field, of, schema),
          ...(secret.includes(field) ? ({ secret: true } as const) : {}),
        }));
      return {
        noun,
        verb: verb.join("-").replaceAll("_", "-"),
        name: definition.name,
        summary: definition.summary,
        method: definition.http.method,
        path: definition.http.path,
        arguments: positional.flatMap((name) => all.filter(({ field }) => field === name)),
        flags: all.filter(({ field }) => !positional.includes(field)),
        mintsCommandId: definition.kind === "operation" && definition.key === "command_id",
        waits: definition.kind === "operation" && definition.settle !== undefined,
        ...(upload === undefined ? {} : { uploads: upload }),
      };
    })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function flag(field: string, of: TSchema, { required = [] }: TObject): CliFlag {
  const choices = choicesOf(of);
  return {
    field,
    flag: `--${field.replaceAll("_", "-")}`,
    type: typeOf(of),
    required: required.includes(field) && of["default"] === undefined,
    description: of.description ?? "",
    ...(choices === undefined ? {} : { choices }),
    ...(of["default"] === undefined ? {} : { default: of["default"] as unknown }),
  };
}

function typeOf(of: TSchema): CliFlag["type"] {
  const type: unknown = of["type"];
  if (type === "string" || type === "integer" || type === "number" || type === "boolean") return type;
  if (choicesOf(of) !== undefined) return "string";
  const items = of["items"] as TSchema | undefined;
  if (type === "array" && items !== undefined && (items["type"] === "string" || choicesOf(items) !== undefined))
    return "string[]";
  return "json";
}

function choicesOf(of: TSchema): readonly string[] | undefined {
  const union = of["anyOf"] as readonly TSchema[] | undefined;
  const values = (of["enum"] as readonly unknown[] | undefined) ?? union?.map((member) => member["const"] as unknown);
  return values !== undefined && values.length > 0 && values.every((value) => typeof value === "string")
    ? values
    : undefined;
}
