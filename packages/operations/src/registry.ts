/**
 * All declarations of a program, compiled once: the only place from which routes, commands, schemas and the
 * permission matrix are made.
 *
 * Invariants (registry.test.ts)
 * - No name and no route appears twice; an open or coercing schema is refused.
 * - A path's parameters and the input's fields agree.
 */
import { Type, type TObject } from "@sinclair/typebox";
import { invariant } from "@rumi/kernel";
import type {
  Base,
  FieldChange,
  HttpBinding,
  ObservationDefinition,
  OperationDefinition,
  QueryDefinition,
} from "./operation.ts";
import { RECEIVED } from "./validate/raw-input.ts";
import { type Validator, compileValidator, validatorOnUse } from "./validate/validator.ts";

/** A declaration whose own types are forgotten: the pipeline treats input and facts as opaque. */
export type AnyOperation = Omit<
  OperationDefinition,
  "risk" | "danger" | "target" | "bot" | "load" | "decide" | "preview" | "diff" | "base"
> & {
  readonly risk: (input: never, facts: never) => ReturnType<OperationDefinition["risk"]>;
  readonly danger: (input: never, facts: never) => ReturnType<OperationDefinition["danger"]>;
  readonly target: (input: never) => ReturnType<OperationDefinition["target"]>;
  readonly bot?: (input: never, facts: never) => string | null;
  readonly load: (
    reader: Parameters<OperationDefinition["load"]>[0],
    input: never,
    context: Parameters<OperationDefinition["load"]>[2],
  ) => Promise<unknown>;
  readonly decide: (
    facts: never,
    input: never,
    context: Parameters<OperationDefinition["decide"]>[2],
  ) => ReturnType<OperationDefinition["decide"]>;
  readonly preview?: (facts: never, input: never) => Readonly<Record<string, unknown>>;
  readonly diff?: (facts: never, input: never) => readonly FieldChange[];
  readonly base?: (facts: never, input: never) => Base;
};
export type AnyQuery = Omit<QueryDefinition, "read" | "leaves"> & {
  readonly leaves?: NonNullable<QueryDefinition["leaves"]>;
  readonly read: (
    reader: Parameters<QueryDefinition["read"]>[0],
    input: never,
    context: Parameters<QueryDefinition["read"]>[2],
  ) => ReturnType<QueryDefinition["read"]>;
};
export type AnyObservation = Omit<ObservationDefinition, "load" | "decide"> & {
  readonly load: (
    reader: Parameters<ObservationDefinition["load"]>[0],
    input: never,
    context: Parameters<ObservationDefinition["load"]>[2],
  ) => Promise<unknown>;
  readonly decide: (
    facts: never,
    input: never,
    context: Parameters<ObservationDefinition["decide"]>[2],
  ) => ReturnType<ObservationDefinition["decide"]>;
};
export type Declaration = AnyOperation | AnyQuery | AnyObservation;

export type RegisteredOperation = {
  /** With its input and facts opened up, as the stages call it. */
  readonly definition: OperationDefinition;
  /** The declared input, and `dry_run` where there is a preview. */
  readonly schema: TObject;
  readonly validate: Validator;
  /** Names of the path's parameters. */
  readonly params: readonly string[];
  /** `dry_run` is the pipeline's own field, taken off before the operation sees the input. */
  readonly ownsDryRun: boolean;
};
export type RegisteredQuery = {
  readonly definition: QueryDefinition;
  readonly schema: TObject;
  readonly validate: Validator;
};
export type RegisteredObservation = {
  readonly definition: ObservationDefinition;
  readonly validate: Validator;
};

export interface Registry {
  readonly operations: ReadonlyMap<string, RegisteredOperation>;
  readonly queries: ReadonlyMap<string, RegisteredQuery>;
  readonly observations: ReadonlyMap<string, RegisteredObservation>;
}

/** Throws for a declaration that is wrong in itself: a program must not start with one. */
export function createRegistry(declarations: readonly Declaration[]): Registry {
  return register(declarations, compileValidator);
}

/**
 * What was declared, without a compiled schema before somebody validates by it: for the command line, the documents, and a
 * program that wants to be there first ({@link compileSchemas}).
 */
export function describeRegistry(declarations: readonly Declaration[]): Registry {
  return register(declarations, validatorOnUse);
}

/** Compiles what nobody has validated by yet, with a `pause` after each; throws for a schema that is wrong. */
export async function compileSchemas(
  { operations, queries, observations }: Registry,
  pause: () => Promise<unknown>,
): Promise<void> {
  const inputs = Array.from(observations.values(), ({ definition }) => definition.input);
  const schemas = Array.from([...operations.values(), ...queries.values()], ({ schema }) => schema);
  for (const schema of [...schemas, ...inputs]) {
    compileValidator(schema);
    await pause();
  }
}

function register(declarations: readonly Declaration[], compile: (schema: TObject) => Validator): Registry {
  const operations = new Map<string, RegisteredOperation>();
  const queries = new Map<string, RegisteredQuery>();
  const observations = new Map<string, RegisteredObservation>();
  const names = new Set<string>();
  const routes = new Set<string>();
  for (const declaration of declarations) {
    const { name, input } = declaration;
    invariant(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/.test(name), `${name} is not a dotted name`);
    invariant(!names.has(name), `the name ${name} is declared twice`);
    invariant(input.additionalProperties === false, `the input of ${name} is an open object`);
    names.add(name);
    if (declaration.kind !== "observation") claimRoutes(routes, name, declaration.http, input);
    switch (declaration.kind) {
      case "operation":
        operations.set(name, registerOperation(declaration, compile));
        break;
      case "query":
        invariant(declaration.http.method === "GET", `the query ${name} is not a GET`);
        queries.set(name, {
          definition: declaration as QueryDefinition,
          schema: input,
          validate: compile(input),
        });
        break;
      case "observation":
        observations.set(name, {
          definition: declaration as ObservationDefinition,
          validate: compile(input),
        });
        break;
    }
  }
  return { operations, queries, observations };
}

/** Names of the parameters of `/api/bots/{bot_id}`. */
export function pathParams(path: string): readonly string[] {
  return [...path.matchAll(/\{([a-z_][a-z0-9_]*)\}/g)].map((match) => match[1] ?? "");
}

function claimRoutes(routes: Set<string>, name: string, http: HttpBinding, input: TObject): void {
  invariant(http.path.startsWith("/api/"), `${name} is not below /api/`);
  for (const path of [http.path, ...(http.aliases ?? [])]) {
    // Two names for one parameter would be one route to the router.
    const route = `${http.method} ${path.replace(/\{[^}]+\}/g, "{}")}`;
    invariant(!routes.has(route), `the route ${route} is declared twice`);
    routes.add(route);
    for (const param of pathParams(path))
      invariant(Object.hasOwn(input.properties, param), `${name} has no field for {${param}}`);
  }
}

function registerOperation(declared: AnyOperation, compile: (schema: TObject) => Validator): RegisteredOperation {
  const definition = declared as OperationDefinition;
  const { name, input } = definition;
  invariant(definition.http.method !== "GET", `the operation ${name} is a GET`);
  invariant(definition.key === "header" || Object.hasOwn(input.properties, "command_id"), `${name} has no command_id`);
  invariant(
    definition.claimed === undefined || (definition.emergency !== true && definition.redeems !== true),
    `${name} may not be claimed with its outcome`,
  );
  if (definition.upload !== undefined) {
    invariant(definition.key === "header", `the upload ${name} has its key in no header`);
    invariant(Object.hasOwn(input.properties, RECEIVED), `the upload ${name} has no field for what was received`);
  }
  for (const field of definition.secret_fields ?? [])
    invariant(Object.hasOwn(input.properties, field), `${name} has no field ${field}`);
  const ownsDryRun = definition.preview !== undefined && !Object.hasOwn(input.properties, "dry_run");
  const { properties, ...rest } = input;
  const schema = ownsDryRun
    ? ({
        ...Type.Object({
          ...properties,
          dry_run: Type.Optional(Type.Boolean({ description: "Show what it would do; change nothing." })),
        }),
        ...withoutShape(rest),
      } as TObject)
    : input;
  return {
    definition,
    schema,
    validate: compile(schema),
    params: pathParams(definition.http.path),
    ownsDryRun,
  };
}

/** The object's own options (title, additionalProperties …) without the parts that the fields determine. */
function withoutShape(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => name !== "type" && name !== "required"));
}
