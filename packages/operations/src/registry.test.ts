import { Type } from "@sinclair/typebox";
import { describe, expect, it } from "vitest";
import { addToCounter, gated, readCounter, SAMPLES, setSecret } from "../test/kit.ts";
import { cliCommands } from "./derive/cli.ts";
import { openApiDocument } from "./derive/openapi.ts";
import { permissionMatrix } from "./derive/permissions.ts";
import { compileSchemas, createRegistry, describeRegistry, type Declaration } from "./registry.ts";

describe("declarations", () => {
  const refused: readonly (readonly [string, readonly Declaration[]])[] = [
    ["declared twice", [gated, { ...gated, http: { method: "POST", path: "/api/other" } }]],
    ["route POST /api/gated is declared twice", [gated, { ...gated, name: "gated.other" }]],
    [
      "route POST /api/counters/{}/add is declared twice",
      [
        addToCounter,
        {
          ...addToCounter,
          name: "counters.plus",
          http: { method: "POST", path: "/api/counters/{note}/add" },
        },
      ],
    ],
    ["open object", [{ ...gated, input: Type.Object({}) }]],
    ["no field for {x}", [{ ...gated, http: { method: "POST", path: "/api/gated/{x}" } }]],
    ["not below /api/", [{ ...gated, http: { method: "POST", path: "/gated" } }]],
    ["is a GET", [{ ...gated, http: { method: "GET", path: "/api/gated" } }]],
    ["not a GET", [{ ...readCounter, http: { method: "POST", path: "/api/counters/{counter_id}" } }]],
    ["no command_id", [{ ...gated, key: "command_id" }]],
    ["no field other", [{ ...setSecret, secret_fields: ["other"] }]],
    ["not a dotted name", [{ ...gated, name: "gated" }]],
  ];
  for (const [why, declarations] of refused)
    it(`[L-0.1] refuses: ${why}`, () => {
      expect(() => createRegistry(declarations)).toThrow(why);
      expect(() => describeRegistry(declarations)).toThrow(why);
    });

  it("a wrong schema is refused where it is registered, compiled ahead of its use, or validated by", async () => {
    const wrong = [
      { ...gated, input: Type.Object({ n: Type.Any({ minimum: "low" }) }, { additionalProperties: false }) },
    ];
    expect(() => createRegistry(wrong)).toThrow("minimum");
    const described = describeRegistry(wrong);
    await expect(compileSchemas(described, () => Promise.resolve())).rejects.toThrow("minimum");
    expect(() => described.operations.get("gated.run")?.validate({})).toThrow("minimum");
  });

  it("what is described validates as what is registered", () => {
    const [registered, described] = [createRegistry(SAMPLES), describeRegistry(SAMPLES)].map(
      (registry) => registry.operations,
    );
    for (const [name, { validate }] of registered?.entries() ?? [])
      for (const input of [{}, { by: "1" }, { counter_id: "c", command_id: "x", reason: "r" }])
        expect(described?.get(name)?.validate({ ...input })).toEqual(validate({ ...input }));
  });
});

describe("what is derived", () => {
  const registry = createRegistry(SAMPLES);
  it("[G-1.1] the command line", () => {
    const add = cliCommands(registry).find(({ name }) => name === "counters.add");
    expect(add).toMatchObject({
      noun: "counters",
      verb: "add",
      method: "POST",
      path: "/api/counters/{counter_id}/add",
      mintsCommandId: true,
      waits: false,
      arguments: [{ field: "counter_id", required: true }],
    });
    expect(add?.flags.map(({ flag, type, required }) => [flag, type, required])).toEqual([
      ["--command-id", "string", true],
      ["--reason", "string", true],
      ["--by", "integer", false],
      ["--mode", "string", false],
      ["--note", "string", false],
      ["--extra", "json", false],
      ["--dry-run", "boolean", false],
    ]);
    expect(add?.flags.find(({ field }) => field === "by")?.default).toBe(1);
    expect(add?.flags.find(({ field }) => field === "mode")?.choices).toEqual(["paper", "live"]);
  });
  it("[L-04] the permission matrix: default deny", () => {
    expect(permissionMatrix(registry).find(({ action }) => action === "counters.add")?.roles).toEqual({
      view_only: false,
      operator: true,
      admin: true,
      break_glass: false,
    });
  });
  it("the OpenAPI document: aliases, parameters, bodies, security", () => {
    const document = openApiDocument(registry, "1.0.0") as {
      paths: Record<
        string,
        Record<
          string,
          {
            operationId: string;
            parameters: { name: string; in: string }[];
            requestBody?: {
              content: Record<string, { schema: { properties: object; required: string[] } }>;
            };
          }
        >
      >;
    };
    const add = document.paths["/api/counters/{counter_id}/add"]?.["post"];
    expect(add?.parameters.map(({ name }) => name)).toEqual(["counter_id", "Idempotency-Key"]);
    expect(Object.keys(add?.requestBody?.content["application/json"]?.schema.properties ?? {})).not.toContain(
      "counter_id",
    );
    expect(document.paths["/counters/{counter_id}/add"]?.["post"]?.operationId).not.toBe(add?.operationId);
    expect(
      document.paths["/api/counters/{counter_id}"]?.["get"]?.parameters.map(({ name, in: place }) => [name, place]),
    ).toEqual([
      ["counter_id", "path"],
      ["limit", "query"],
    ]);
    // What has a default need not be sent.
    expect(add?.requestBody?.content["application/json"]?.schema.required).toEqual(["command_id", "reason"]);
  });
  it("a path of its own tells also what it is as one of a template's", () => {
    const scan: Declaration = { ...gated, http: { method: "POST", path: "/api/counters/scan" } };
    const { paths } = openApiDocument(createRegistry([scan, readCounter]), "1.0.0") as {
      paths: Record<string, Record<string, { operationId: string; parameters: { name: string }[] }>>;
    };
    expect(Object.keys(paths["/api/counters/scan"] ?? {}).toSorted()).toEqual(["get", "post"]);
    const { operationId, parameters } = paths["/api/counters/scan"]?.["get"] ?? {};
    expect([operationId, parameters?.map(({ name }) => name)]).toEqual([
      "counters.get.of_api_counters_scan",
      ["limit"],
    ]);
    expect(Object.keys(paths["/api/counters/{counter_id}"] ?? {})).toEqual(["get"]);
  });
});
