/** The OpenAPI 3.1 document of a registry: the reference of the API, served at /openapi.json. */
import type { TSchema } from "@sinclair/typebox";
import type { HttpBinding, Role } from "../operation.ts";
import { pathParams, type Registry } from "../registry.ts";

type Document = Readonly<Record<string, unknown>>;
type Declared = {
  readonly name: string;
  readonly summary: string;
  readonly http: HttpBinding;
  readonly output: TSchema;
  readonly permission: readonly Role[];
  readonly envelope?: "flat";
};

export function openApiDocument(registry: Registry, version: string): Document {
  const paths: Record<string, Record<string, unknown>> = {};
  const add = (http: HttpBinding, entry: (path: string, alias: boolean) => Document): void => {
    [http.path, ...(http.aliases ?? [])].forEach((path, at) => {
      paths[path] = { ...paths[path], [http.method.toLowerCase()]: entry(path, at > 0) };
    });
  };
  for (const { definition, schema } of registry.operations.values()) {
    const base = describe(definition);
    add(definition.http, (path, alias) => ({
      ...base,
      operationId: alias ? `${definition.name}.alias${path.replaceAll(/[^a-z0-9]+/gi, "_")}` : definition.name,
      parameters: [...pathParameters(path, schema.properties), IDEMPOTENCY_HEADER],
      requestBody: {
        required: mustSend(schema).some((name) => !pathParams(path).includes(name)),
        content: { "application/json": { schema: bodySchema(schema, path) } },
      },
    }));
  }
  for (const { definition, schema } of registry.queries.values()) {
    const base = describe(definition);
    add(definition.http, (path) => {
      const inPath = pathParams(path);
      const query = Object.entries(schema.properties)
        .filter(([name]) => !inPath.includes(name))
        .map(([name, of]) => ({
          name,
          in: "query",
          required: mustSend(schema).includes(name),
          schema: of,
          ...described(of),
        }));
      return {
        ...base,
        operationId: path === definition.http.path ? definition.name : `${definition.name}.alias`,
        parameters: [...pathParameters(path, schema.properties), ...query],
      };
    });
  }
  return {
    openapi: "3.1.0",
    jsonSchemaDialect: "https://json-schema.org/draft/2020-12/schema",
    info: { title: "Rumi", version, license: { name: "Apache-2.0", identifier: "Apache-2.0" } },
    security: [{ bearer: [] }],
    paths: Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: { Error: ERROR_SCHEMA },
      responses: { Error: ERROR_RESPONSE },
    },
  };
}

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
    "Same key and same request: one effect. Minted and returned where none is sent and the body has no command_id.",
};
const ERROR_SCHEMA = {
  type: "object",
  required: ["success", "error", "error_code", "suggestion", "status_code", "trace_id"],
  properties: {
    success: { const: false },
    error: { type: "string" },
    error_code: { type: "string", pattern: "^RUMI-[A-Z]{2,4}-\\d{3}$" },
    reason_code: { type: "string" },
    suggestion: { type: "string" },
    runbook: { type: "string", description: "The page that says what to do." },
    status_code: { type: "integer" },
    trace_id: { type: "string" },
    details: { type: "object" },
    command_id: { type: "string" },
    duplicate_suppressed: { const: true },
  },
};
const ERROR_RESPONSE = {
  description: "Refused, with code and next step.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
};

function describe({ name, summary, output, permission, envelope }: Declared): Document {
  const success = {
    type: "object",
    required: ["success", "data"],
    properties: { success: { const: true }, data: output, duplicate_suppressed: { const: true } },
  };
  return {
    summary,
    tags: [name.split(".")[0] ?? name],
    "x-rumi-roles": permission,
    responses: {
      "200": {
        description: "Done.",
        content: { "application/json": { schema: envelope === "flat" ? output : success } },
      },
      default: { $ref: "#/components/responses/Error" },
    },
  };
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
