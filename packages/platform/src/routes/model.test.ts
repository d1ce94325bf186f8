import { ok } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { matchRoute, parseRoutes, ROUTE_LIMITS, routeInputs, routeTable, type PackRoute } from "./model.ts";

const one = (over: Readonly<Record<string, unknown>> = {}) => ({ method: "GET", path: "/a", flow_id: "f", ...over });
const codeOf = (routes: unknown): string => {
  const parsed = parseRoutes("p", JSON.stringify({ routes }));
  return parsed.ok ? "taken" : `${parsed.error.code} ${parsed.error.params["field"] ?? ""}`;
};
const of = (path: string, method = "GET"): PackRoute => {
  const parsed = parseRoutes("p", JSON.stringify({ routes: [one({ path, method })] }));
  if (!parsed.ok || parsed.value[0] === undefined) throw new Error(path);
  return parsed.value[0];
};

describe("[R-28.1] routes.json", () => {
  const rows: readonly (readonly [string, unknown, string])[] = [
    ["no routes", [], "taken"],
    ["every method", ["GET", "POST", "PUT", "DELETE"].map((method) => one({ method })), "taken"],
    ["another method", [one({ method: "PATCH" })], "RUMI-PACK-030 routes.0.method"],
    ["an unknown field", [one({ auth: false })], "RUMI-PACK-030 routes.0.auth"],
    ["a path without its slash", [one({ path: "a" })], "RUMI-PACK-030 routes.0.path"],
    ["a path that climbs", [one({ path: "/a/../b" })], "RUMI-PACK-030 routes.0.path"],
    ["a path with an escape", [one({ path: "/a%2fb" })], "RUMI-PACK-030 routes.0.path"],
    ["a wildcard", [one({ path: "/*" })], "RUMI-PACK-030 routes.0.path"],
    ["a parameter twice", [one({ path: "/{x}/{x}" })], "RUMI-PACK-030 routes.0.path"],
    ["the same under another parameter", [one({ path: "/{x}" }), one({ path: "/{y}" })], "RUMI-PACK-030 routes.1.path"],
    ["the longest timeout", [one({ timeout: 600 })], "taken"],
    ["a longer timeout", [one({ timeout: 601 })], "RUMI-PACK-030 routes.0.timeout"],
    ["the longest path", [one({ path: `/${"a".repeat(ROUTE_LIMITS.path_characters - 1)}` })], "taken"],
    ["a longer path", [one({ path: `/${"a".repeat(ROUTE_LIMITS.path_characters)}` })], "RUMI-PACK-030 routes.0.path"],
    ["as many as may be", Array.from({ length: ROUTE_LIMITS.per_pack }, (_, n) => one({ path: `/a${n}` })), "taken"],
    [
      "one more",
      Array.from({ length: ROUTE_LIMITS.per_pack + 1 }, (_, n) => one({ path: `/a${n}` })),
      "RUMI-PACK-030 routes",
    ],
  ];
  for (const [name, routes, expected] of rows) it(name, () => expect(codeOf(routes)).toBe(expected));
  it("no JSON, and a repeated key", () => {
    expect(parseRoutes("p", "{").ok).toBe(false);
    expect(parseRoutes("p", '{"routes": [], "routes": []}').ok).toBe(false);
  });
});

describe("[R-28.1] matching", () => {
  const table = routeTable(
    [{ pack_id: "p", routes: ok([of("/a/{x}"), of("/a/b"), of("/{y}/b/c"), of("/a/{x}/c"), of("/only", "POST")]) }],
    () => false,
  );
  const matched = (path: string, method = "GET"): string => {
    const match = matchRoute(table, method, path);
    return match.kind === "route" ? `${match.route.path} ${JSON.stringify(match.params)}` : match.kind;
  };
  it("takes the written segment before the parameter, and decodes parameters", () => {
    expect(matched("/a/b")).toBe("/a/b {}");
    expect(matched("/a/b/")).toBe("/a/b {}");
    expect(matched("/a/c%20d")).toBe('/a/{x} {"x":"c d"}');
    expect(matched("/a/b/c")).toBe('/a/{x}/c {"x":"b"}');
    expect(matched("/z/b/c")).toBe('/{y}/b/c {"y":"z"}');
  });
  it("knows nothing of other paths, empty segments and broken escapes", () => {
    for (const path of ["/", "/a", "/a//", "/a/b/c/d", "/a/%zz", "/A/b"]) expect(matched(path), path).toBe("none");
    expect(matched("/only")).toBe("methods");
  });
  it("the earlier approved pack keeps a path; the program's own are nobody's", () => {
    const both = routeTable(
      [
        { pack_id: "first", routes: ok([{ ...of("/a/{x}"), pack_id: "first" }]) },
        {
          pack_id: "second",
          routes: ok([
            { ...of("/a/{z}"), pack_id: "second" },
            { ...of("/ours"), pack_id: "second" },
          ]),
        },
      ],
      (path) => path === "/ours",
    );
    expect(both.routes.map(({ pack_id }) => pack_id)).toEqual(["first"]);
    expect(both.problems.map(({ failure }) => failure.params["owner"])).toEqual(["first", "the program itself"]);
  });
});

describe("[R-28.1] what a flow is given", () => {
  const call = { method: "POST", path: "/a", headers: { "content-type": "application/json" } } as const;
  it("members of a JSON object, and of the request what a flow declares", () => {
    const given = routeInputs({ ...call, raw_body: '{"x": 1}' }, { id: "7" }, { x: {}, _path_params: {} });
    expect(given).toEqual(ok({ x: 1, _path_params: { id: "7" } }));
    expect(routeInputs({ ...call, raw_body: "[1]" }, {}, { x: {} })).toEqual(ok({}));
    expect(routeInputs({ ...call, raw_body: "" }, {}, {})).toEqual(ok({}));
    expect(routeInputs({ ...call, headers: { "content-type": "text/plain" }, raw_body: "{" }, {}, {})).toEqual(ok({}));
    expect(routeInputs({ ...call, raw_body: "{" }, {}, {}).ok).toBe(false);
    expect(routeInputs({ ...call, raw_body: '{"_headers": 1}' }, {}, {}).ok).toBe(false);
  });
});
