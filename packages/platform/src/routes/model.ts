/**
 * HTTP routes that packs bring: `routes.json` read strictly, which pack has a path, and what its flow is given. Pure.
 *
 * Think of one table for all packs. The program's own paths are never in it: they are asked first, and a route that would lie
 * on one is refused. Of two packs that want one path the one that was approved earlier has it.
 *
 * Invariants (model.test.ts): a refused route is listed with its reason and never silently another's; a written segment
 * is matched before a parameter.
 */
import { err, failure, ok, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { parseStrictJson } from "@rumi/operations";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { FLOW_LIMITS } from "../flows/limits.ts";
import { isObject } from "../flows/model.ts";
import { FLOW_ID_PATTERN } from "../flows/schema.ts";

export const ROUTES_FILE = "routes.json";
export const ROUTE_METHODS = ["GET", "POST", "PUT", "DELETE"] as const;
export type RouteMethod = (typeof ROUTE_METHODS)[number];
export const ROUTE_LIMITS = { file_bytes: 262_144, per_pack: 100, path_characters: 256 } as const;

const closed = { additionalProperties: false } as const;
const SEGMENT = "([A-Za-z0-9_~-][A-Za-z0-9_.~-]*|\\{[a-z_][a-z0-9_]{0,63}\\})";
const FILE = Type.Object(
  {
    routes: Type.Array(
      Type.Object(
        {
          method: Type.Union(ROUTE_METHODS.map((method) => Type.Literal(method))),
          path: Type.String({ pattern: `^(/${SEGMENT})+$`, maxLength: ROUTE_LIMITS.path_characters }),
          flow_id: Type.String({ pattern: FLOW_ID_PATTERN }),
          description: Type.Optional(Type.String({ maxLength: 1_024 })),
          timeout: Type.Optional(Type.Integer({ minimum: 1, maximum: FLOW_LIMITS.timeout_seconds })),
        },
        closed,
      ),
      { maxItems: ROUTE_LIMITS.per_pack },
    ),
  },
  closed,
);

export type PackRoute = {
  readonly pack_id: string;
  readonly method: RouteMethod;
  readonly path: string;
  readonly flow_id: string;
  readonly description: string;
  readonly timeout_seconds: number;
};
export type RouteProblem = {
  readonly pack_id: string;
  readonly method: RouteMethod | null;
  readonly path: string | null;
  readonly failure: Failure;
};
export type RouteTable = { readonly routes: readonly PackRoute[]; readonly problems: readonly RouteProblem[] };
export const NO_ROUTES: RouteTable = { routes: [], problems: [] };

/** The routes of one pack; RUMI-PACK-030 with the field. */
export function parseRoutes(pack_id: string, text: string): Result<readonly PackRoute[], Failure> {
  const wrong = (field: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-PACK-030", { pack_id, field, problem }));
  const json = parseStrictJson(text);
  if (!json.ok) return wrong("(file)", String(json.error.params["problem"] ?? "it is not JSON"));
  const first = Value.Errors(FILE, json.value).First();
  if (first !== undefined) {
    const field = first.path === "" ? "(file)" : first.path.slice(1).replaceAll("/", ".");
    return wrong(field, first.message === "Unexpected property" ? "there is no such field" : first.message);
  }
  const routes: PackRoute[] = [];
  for (const [index, one] of (json.value as Static<typeof FILE>).routes.entries()) {
    const names = segmentsOf(one.path).filter(isParameter);
    if (new Set(names).size !== names.length) return wrong(`routes.${index}.path`, "a parameter appears twice");
    if (routes.some((other) => other.method === one.method && isSamePath(other.path, one.path)))
      return wrong(`routes.${index}.path`, `${one.method} ${one.path} is there twice`);
    routes.push({
      pack_id,
      method: one.method,
      path: one.path,
      flow_id: one.flow_id,
      description: one.description ?? "",
      timeout_seconds: one.timeout ?? FLOW_LIMITS.default_timeout_seconds,
    });
  }
  return ok(routes);
}

/** `packs` in the order in which they were approved; `isOurs` says which paths are the program's own. */
export function routeTable(
  packs: readonly { readonly pack_id: string; readonly routes: Result<readonly PackRoute[], Failure> }[],
  isOurs: (path: string) => boolean,
): RouteTable {
  const routes: PackRoute[] = [];
  const problems: RouteProblem[] = [];
  for (const { pack_id, routes: read } of packs) {
    if (!read.ok) {
      problems.push({ pack_id, method: null, path: null, failure: read.error });
      continue;
    }
    for (const route of read.value) {
      const { method, path } = route;
      const other = routes.find((one) => one.method === method && isSamePath(one.path, path));
      const owner = isOurs(exampleOf(path)) ? "the program itself" : other?.pack_id;
      if (owner === undefined) routes.push(route);
      else
        problems.push({ pack_id, method, path, failure: failure("RUMI-PACK-032", { pack_id, method, path, owner }) });
    }
  }
  return { routes: routes.toSorted(byWrittenSegments), problems };
}

export type RouteMatch =
  | { readonly kind: "route"; readonly route: PackRoute; readonly params: Readonly<Record<string, string>> }
  /** The path is known under other methods. */
  | { readonly kind: "methods"; readonly allowed: readonly RouteMethod[] }
  | { readonly kind: "none" };

/** `path` as it was sent, without its query. */
export function matchRoute({ routes }: RouteTable, method: string, path: string): RouteMatch {
  const sent = decoded(path);
  if (sent === undefined) return { kind: "none" };
  const fitting = routes.flatMap((route) => {
    const params = paramsOf(route.path, sent);
    return params === undefined ? [] : [{ route, params }];
  });
  const found = fitting.find(({ route }) => route.method === method);
  if (found !== undefined) return { kind: "route", ...found };
  const allowed = [...new Set(fitting.map(({ route }) => route.method))].toSorted();
  return allowed.length === 0 ? { kind: "none" } : { kind: "methods", allowed };
}

/** One request to a pack's route. */
export type RouteCall = {
  readonly method: RouteMethod;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly raw_body?: string;
};

/**
 * What the flow of a route is given: the members of a JSON object in the body, and what the request was. A flow that declares
 * its inputs gets of the latter only what it declares. RUMI-VAL-* where the body is no JSON although it says so.
 */
export function routeInputs(
  call: RouteCall,
  params: Readonly<Record<string, string>>,
  declared: Readonly<Record<string, unknown>> | null,
): Result<JsonObject, Failure> {
  const { method, path, headers = {}, raw_body = "" } = call;
  const members = bodyMembers(headers["content-type"] ?? "", raw_body);
  if (!members.ok) return members;
  const reserved = Object.keys(members.value).find((name) => name.startsWith("_"));
  if (reserved !== undefined)
    return err(
      failure("RUMI-VAL-002", {
        field: reserved.slice(0, 128),
        problem: "names that begin with _ are the route's own",
      }),
    );
  const own: JsonObject = {
    _path_params: { ...params },
    _method: method,
    _path: path,
    _raw_body: raw_body,
    _headers: { ...headers },
  };
  const wanted = Object.entries(own).filter(([name]) => declared === null || Object.hasOwn(declared, name));
  return ok({ ...members.value, ...Object.fromEntries(wanted) });
}

function bodyMembers(type: string, text: string): Result<JsonObject, Failure> {
  if (text === "" || !/^application\/([a-z0-9.+-]+\+)?json\s*(;|$)/i.test(type)) return ok({});
  const parsed = parseStrictJson(text);
  if (!parsed.ok) return parsed;
  const value = parsed.value as Json;
  return ok(isObject(value) ? value : {});
}

function segmentsOf(path: string): readonly string[] {
  return path.split("/").slice(1);
}

function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

/** Whether two patterns stand for the same requests, whatever their parameters are called. */
function isSamePath(a: string, b: string): boolean {
  const shape = (path: string): string =>
    segmentsOf(path)
      .map((segment) => (isParameter(segment) ? "{}" : segment))
      .join("/");
  return shape(a) === shape(b);
}

/** A path that the pattern matches. */
function exampleOf(path: string): string {
  return `/${segmentsOf(path)
    .map((segment) => (isParameter(segment) ? "x" : segment))
    .join("/")}`;
}

/** Where two patterns match one path, the one with the earlier written segment comes first. */
function byWrittenSegments(a: PackRoute, b: PackRoute): number {
  const [left, right] = [a, b].map(({ path }) =>
    segmentsOf(path)
      .map((segment) => (isParameter(segment) ? "1" : "0"))
      .join(""),
  );
  return (left ?? "") < (right ?? "") ? -1 : (left ?? "") > (right ?? "") ? 1 : a.path < b.path ? -1 : 1;
}

function decoded(path: string): readonly string[] | undefined {
  try {
    return segmentsOf(path.replace(/(?<=.)\/$/, "")).map(decodeURIComponent);
  } catch {
    return undefined; // no path that anything was registered under
  }
}

function paramsOf(pattern: string, sent: readonly string[]): Readonly<Record<string, string>> | undefined {
  const segments = segmentsOf(pattern);
  if (segments.length !== sent.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, segment] of segments.entries()) {
    const part = sent[at] ?? "";
    if (isParameter(segment) && part !== "") params[segment.slice(1, -1)] = part;
    else if (segment !== part) return undefined;
  }
  return params;
}
