/** What routes answer, for the OpenAPI document: the declared success, and every refusal by its status with its codes. */
import { ERROR_CATALOGUE } from "@rumi/kernel";
import { Type, type TSchema } from "@sinclair/typebox";
import type { RegisteredOperation, RegisteredQuery } from "../registry.ts";

type Document = Readonly<Record<string, unknown>>;

const TRACE_HEADER = { "x-trace-id": { required: true, schema: { type: "string" } } };
const RETRY_HEADER = { "retry-after": { required: false, schema: { type: "string" } } };

/** Whatever is asked may be answered so: not understood, no token, not allowed, not here, too often, not now. */
const OF_ALL: readonly number[] = [400, 401, 403, 421, 429, 503];
const OF_READS: readonly number[] = [...OF_ALL, 404, 409, 422, 504];
const OF_CHANGES: readonly number[] = [...OF_ALL, 404, 408, 409, 413, 415, 422, 502, 504, 507];

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
    training: { const: true, description: "Whoever asked is in training: nothing was done." },
    challenge: { type: "object", description: "With reason_code CONFIRMATION_REQUIRED: what is to be confirmed." },
  },
};

/** Schemas and responses that entries refer to. */
export function sharedComponents(): Document {
  const statuses = [...new Set(Object.values(ERROR_CATALOGUE).map(({ status }) => status))].toSorted((a, b) => a - b);
  const responses = [...statuses.filter((status) => status < 500 || OF_CHANGES.includes(status)), 500].map((status) => [
    `Error${status}`,
    errorResponse(status === 500 ? (one) => one >= 500 : (one) => one === status),
  ]);
  return { schemas: { Error: ERROR_SCHEMA }, responses: Object.fromEntries(responses) as Document };
}

function errorResponse(isOfIt: (status: number) => boolean): Document {
  const codes = Object.entries(ERROR_CATALOGUE)
    .filter(([, { status }]) => isOfIt(status))
    .map(([code]) => code)
    .toSorted();
  return {
    description: "Refused, with code, reason and next step (docs/reference/errors.md).",
    headers: { ...TRACE_HEADER, ...RETRY_HEADER },
    "x-rumi-error-codes": codes,
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
}

/** Refusals of a route; `5XX` is a fault of ours, and has a code too. */
export function refusals(statuses: readonly number[]): Document {
  const listed = statuses.map((status) => [String(status), { $ref: `#/components/responses/Error${status}` }]);
  return { ...Object.fromEntries(listed), "5XX": { $ref: "#/components/responses/Error500" } };
}

export function queryResponses({ definition: { output, envelope, document } }: RegisteredQuery): Document {
  if (document !== undefined) {
    const content = { [document]: { schema: output } };
    return { "200": { ...success("The document itself.", output), content }, ...refusals(OF_READS) };
  }
  return {
    "200": success("Read.", envelope === "flat" ? flattened(output) : enveloped(output)),
    ...refusals(OF_READS),
  };
}

export function operationResponses(operation: RegisteredOperation): Document {
  const { output, envelope, success: statuses = [200], emergency, preview } = operation.definition;
  const done =
    envelope === "flat" ? flattened(output) : enveloped(operation.definition.redeems === true ? ANYTHING : output);
  const forms: Readonly<Record<string, readonly TSchema[]>> = {
    ...Object.fromEntries(statuses.map((status) => [String(status), [done]])),
    ...(preview === undefined ? {} : { "200": [...(statuses.includes(200) ? [done] : []), enveloped(DRY_RUN)] }),
    ...(emergency === true ? { "202": [...(statuses.includes(202) ? [done] : []), enveloped(SPOOLED)] } : {}),
  };
  const answers = Object.entries(forms).map(([status, schemas]) => {
    const [first, ...others] = schemas;
    const schema = first !== undefined && others.length === 0 ? first : { anyOf: schemas };
    return [status, success(status === "202" ? "Accepted; it goes on by itself." : "Done.", schema as TSchema)];
  });
  return { ...(Object.fromEntries(answers) as Document), ...refusals(OF_CHANGES) };
}

const OPEN = { additionalProperties: true } as const;
const ANYTHING = Type.Object({}, OPEN);
const DRY_RUN = Type.Object(
  {
    dry_run: Type.Literal(true),
    would: Type.Union(["apply", "challenge", "refuse"].map((word) => Type.Literal(word))),
    refusals: Type.Array(ANYTHING),
    preview: ANYTHING,
  },
  OPEN,
);
/** A tightening that the log could not take yet. */
const SPOOLED = Type.Object({ command_id: Type.String(), spooled: Type.Literal(true), durable: Type.Boolean() }, OPEN);

function enveloped(data: TSchema): TSchema {
  return {
    type: "object",
    required: ["success", "data"],
    properties: { success: { const: true }, data, duplicate_suppressed: { const: true }, training: { const: true } },
  } as unknown as TSchema;
}

/** The data's own members beside `success`. */
function flattened(data: TSchema): TSchema {
  const { required = [], properties = {} } = data as {
    readonly required?: readonly string[];
    readonly properties?: object;
  };
  const marks = { duplicate_suppressed: { const: true }, training: { const: true } };
  return {
    ...data,
    required: ["success", ...required],
    properties: { success: { const: true }, ...properties, ...marks },
  };
}

function success(description: string, schema: TSchema): Document {
  return { description, headers: TRACE_HEADER, content: { "application/json": { schema } } };
}
