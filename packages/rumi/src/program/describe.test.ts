import { compileSchemas } from "@rumi/operations";
import { expect, it } from "vitest";
import { describedOperations } from "./describe.ts";

it("[L-0.1] every declared schema compiles: a started program compiles them only beside its first requests", async () => {
  const registry = describedOperations();
  let compiled = 0;
  await compileSchemas(registry, async () => void (compiled += 1));
  const { operations, queries, observations } = registry;
  expect(compiled).toBe(operations.size + queries.size + observations.size);
  expect(compiled).toBeGreaterThan(200);
});
