/** The published contracts as this very program keeps them (docs/contracts holds the same). */
import { ok } from "@rumi/kernel";
import { contractSchemas } from "@rumi/ledger";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { OPEN } from "../shared/answers.ts";
import { CLOSED, EVERYONE } from "../shared/fields.ts";

const SUFFIX = ".schema.json";
const NAMES = Object.keys(contractSchemas()).map((file) => file.slice(0, -SUFFIX.length));

export const contractDeclarations = (): readonly Declaration[] => [
  defineQuery({
    name: "contracts.list",
    summary: "Names of the published contracts",
    http: { method: "GET", path: "/api/contracts" },
    input: Type.Object({}, CLOSED),
    output: Type.Object({ contracts: Type.Array(Type.String()), count: Type.Integer() }, OPEN),
    permission: EVERYONE,
    read: () => Promise.resolve(ok({ contracts: NAMES, count: NAMES.length })),
  }),
  defineQuery({
    name: "contracts.show",
    summary: "One contract as JSON Schema (2020-12)",
    http: { method: "GET", path: "/api/contracts/{contract}" },
    input: Type.Object({ contract: Type.Union(NAMES.map((name) => Type.Literal(name))) }, CLOSED),
    output: Type.Object({ $schema: Type.String(), title: Type.String() }, OPEN),
    permission: EVERYONE,
    read: (_reader, { contract }) => Promise.resolve(ok(contractSchemas()[`${contract}${SUFFIX}`])),
  }),
];
