/** The OpenAPI document says of every answer what is in it; the few that do not yet are here by name, and none may join. */
import { expect, it } from "vitest";
import { openControl } from "../../test/kit.ts";

/** May only become shorter. */
const STILL_OPEN: readonly string[] = [
  // They answer what the operation answers that they carry out.
  "challenges.confirm",
  "changes.commit",
];

it("[L-12.1] every answer is described but those that are known not to be", async () => {
  const world = await openControl();
  const { operations, queries } = world.registry;
  const declared = [...operations.values(), ...queries.values()].map(({ definition }) => definition);
  const isOpen = (schema: Readonly<Record<string, unknown>>): boolean => {
    const choices = schema["anyOf"] as readonly Readonly<Record<string, unknown>>[] | undefined;
    return choices === undefined ? Object.keys(schema["properties"] ?? {}).length === 0 : choices.some(isOpen);
  };
  expect(
    declared
      .filter(({ output }) => isOpen(output))
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(STILL_OPEN);
  expect(declared.length).toBeGreaterThan(110);
  await world.close();
});
