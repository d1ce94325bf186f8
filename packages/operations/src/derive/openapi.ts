/** The OpenAPI 3.1 document of a registry: the reference of the API, served at /openapi.json. */
import type { TSchema } from "@sinclair/typebox";
import type { HttpBinding, Role } from "../operation.ts";
import { pathParams, type Registry } from "../registry.ts";
import { RECEIVED } from "../validate/raw-input.ts";
import { operationResponses, queryResponses, sharedComponents } from "./openapi-answers.ts";

type Document = Readonly<Record<string, unknown>>;
type Declared = { readonly name: string; readonly summary: string; readonly permission: readonly Role[] };
/** Entries by path and method of routes that no declaration makes. */
export type OtherPaths = Readonly<Record<string, Readonly<Record<string, Document>>>>;

export function openApiDocument(registry: Registry, version: string, others: OtherPaths = {}): Document {
  const paths: Record<string, Record<string, unknown>> = { ...others };
  const add = (http: HttpBinding, entry: (path: string, alias: boolean) => Document): void => {
    [http.path, ...(http.aliases ?? [])].forEach((path, at) => {
      paths[path] = { ...paths[path], [http.method.toLowerCase()]: entry(path, at > 0) };
    });
  };
  for (const operation of registry.operations.values()) {
    const { definition, schema } = operation;
    const base = { ...describe(definition), responses: operationResponses(operation) };
    const { upload } = definition;
    add(definition.http, (path, alias) => ({
      ...base,
      operationId: alias ? `${definition.name}.alias${path.replaceAll(/[^a-z0-9]+/gi, "_")}` : definition.name,
      parameters: [
        ...pathParameters(path, schema.properties),
        ...(upload === undefined ? [] : queryParameters(path, schema)),
        IDEMPOTENCY_HEADER,
      ],
      requestBody:
        upload === undefined
          ? {
              required: mustSend(schema).some((name) => !pathParams(path).includes(name)),
              content: { "application/json": { schema: bodySchema(schema, path) } },
            }
          : { required: true, content: fileContent(upload.media_types), "x-rumi-limit-bytes": upload.limit_bytes },
    }));
  }
  for (const query of registry.queries.values()) {
    const { definition, schema } = query;
    const base = { ...describe(definition), responses: queryResponses(query) };
    add(definition.http, (path) => ({
      ...base,
      operationId: path === definition.http.path ? definition.name : `${definition.name}.alias`,
      parameters: [...pathParameters(path, schema.properties), ...queryParameters(path, schema)],
    }));
  }
  return {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: { title: "Rumi", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    security: [{ bearer: [] }],
    paths: Object.fromEntries(Object.entries(withShadowed(paths)).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" } }, ...sharedComponents() },
  };
}

type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
/** A path of its own is also one of a template's: `DELETE /api/packs/scan` is about the pack that is called scan. */
function withShadowed(paths: Paths): Paths {
  const templates = Object.entries(paths).filter(([path]) => path.includes("{"));
  const under = (path: string): Paths[string] =>
    Object.assign(
      {},
      ...templates
        .filter(([template]) => new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`).test(path))
        .map(([, entries]) => mapValues(entries as Readonly<Record<string, Entry>>, (entry) => ofOnePath(entry, path))),
    ) as Paths[string];
  return Object.fromEntries(
    Object.entries(paths).map(([path, own]) => [path, path.includes("{") ? own : { ...under(path), ...own }]),
  );
}

type Entry = { readonly operationId: string; readonly parameters?: readonly { readonly in: string }[] };
const mapValues = <A, B>(of: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(of).map(([name, value]) => [name, to(value)]));
const ofOnePath = ({ operationId, parameters = [], ...entry }: Entry, path: string): Entry => ({
  ...entry,
  operationId: `${operationId}.of${path.replaceAll(/[^a-z0-9]+/gi, "_")}`,
  parameters: parameters.filter((parameter) => parameter.in !== "path"),
});

/** JSON Schema of each operation's and query's input, by name. */
export function inputSchemas(registry: Registry): Readonly<Record<string, TSchema>> {
  return Object.fromEntries([...registry.operations, ...registry.queries].map(([name, { schema }]) => [name, schema]));
}

const IDEMPOTENCY_HEADER = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[\\x21-\\x7e]+$" },
  description:
    "Same key and same request: one effect. Minted and returned where none is sent and the body has no command_id; equal to the body's command_id where both are sent.",
};
function describe({ name, summary, permission }: Declared): Document {
  return { summary, tags: [name.split(".")[0] ?? name], "x-rumi-roles": permission };
}

function pathParameters(path: string, properties: Readonly<Record<string, TSchema>>): readonly Document[] {
  return pathParams(path).map((name) => ({
    name,
    in: "path",
    required: true,
    schema: properties[name] ?? { type: "string" },
    ...described(properties[name]),
  }));
}

function queryParameters(path: string, schema: ObjectSchema): readonly Document[] {
  const inPath = pathParams(path);
  return Object.entries(schema.properties)
    .filter(([name]) => !inPath.includes(name) && name !== RECEIVED)
    .map(([name, of]) => ({
      name,
      in: "query",
      required: mustSend(schema).includes(name),
      schema: of,
      ...described(of),
    }));
}

function fileContent(media_types: readonly string[]): Document {
  return Object.fromEntries(media_types.map((type) => [type, { schema: { type: "string", format: "binary" } }]));
}

function described(of: TSchema | undefined): Document {
  return of?.description === undefined ? {} : { description: of.description };
}

type ObjectSchema = {
  readonly properties: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[] | undefined;
};

/** What a caller must send: a field with a default is filled in. */
function mustSend({ properties, required }: ObjectSchema): readonly string[] {
  return (required ?? []).filter((name) => properties[name]?.["default"] === undefined);
}

function bodySchema(schema: ObjectSchema, path: string): Document {
  const inPath = pathParams(path);
  const properties = Object.fromEntries(Object.entries(schema.properties).filter(([name]) => !inPath.includes(name)));
  return {
    ...schema,
    properties,
    required: mustSend(schema).filter((name) => !inPath.includes(name)),
  };
}
