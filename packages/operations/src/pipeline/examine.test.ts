/** What a proposed command is told before anybody carries it out; what holds a secret is never kept. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { Type } from "@sinclair/typebox";
import { ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, type Examined, type StoredCommand } from "../index.ts";
import { addToCounter, openKit, setSecret, type Kit } from "../../test/kit.ts";

let kit: Kit;
let found: Result<Examined, Failure>;
/** Examines whatever it is given, and does nothing. */
const examining = defineOperation({
  name: "examining.run",
  summary: "Examines.",
  http: { method: "POST", path: "/api/examining" },
  input: Type.Object(
    { operation: Type.String(), input: Type.Record(Type.String(), Type.Unknown()) },
    { additionalProperties: false },
  ),
  output: Type.Object({}),
  key: "header",
  permission: ["admin"],
  risk: () => "tighten",
  danger: () => ({ kind: "none" }),
  target: () => ({ resource_type: "test", resource_id: "it" }),
  gates: [],
  load: async (_reader, { operation, input }, { principal, examine }) => {
    const command: StoredCommand = { operation, input, principal, command_id: kit.id() };
    found = await examine(command);
    return null;
  },
  decide: () => ok({ writes: [], events: [], outbox: [], data: {} }),
});

beforeEach(async () => {
  kit = await openKit({ declarations: [addToCounter, setSecret, examining] });
});
afterEach(() => kit.close());
async function examine(operation: string, input: Record<string, unknown>): Promise<Result<Examined, Failure>> {
  expect(await kit.send("examining.run", { operation, input })).toMatchObject({ kind: "done" });
  return found;
}

it("[L-10] it is told with its impact, its defaults, who may, what it stands on, and who would refuse; nothing is done", async () => {
  const asked = { command_id: kit.id(), counter_id: "a", reason: "test" };
  expect(await examine("counters.add", asked)).toMatchObject({
    ok: true,
    value: {
      input: { by: 1 },
      target: { resource_type: "counter", resource_id: "a" },
      preview: { before: 0, after: 1 },
      refusals: [],
      base: { danger: "none" },
      diff: expect.arrayContaining([{ field: "by", before: null, after: 1 }]) as unknown,
    },
  });
  const live = await examine("counters.add", { ...asked, mode: "live" });
  expect(live, "how dangerous it is, and what it asks for").toMatchObject({
    value: { base: { danger: expect.stringMatching(/^confirm\b/) as unknown } },
  });
  expect(await kit.rows("SELECT * FROM counter")).toEqual([]);
});

it("[L-10] what holds a secret, is unknown or no request of its operation is refused by the field's path", async () => {
  const refusedAt = async (operation: string, input: Record<string, unknown>) => {
    const judged = await examine(operation, input);
    return judged.ok ? "taken" : judged.error.params["field"];
  };
  expect(await refusedAt("vault.set", { name: "N", value: "v" })).toBe("$.operation");
  expect(await refusedAt("nothing.here", {})).toBe("$.operation");
  expect(await refusedAt("counters.add", { counter_id: "a", reason: "test", dry_run: false })).toBe("$.input.dry_run");
  expect(await refusedAt("counters.add", { command_id: kit.id(), counter_id: "a", reason: "x", by: "1" })).toBe(
    "$.input.by",
  );
});
