/** A test that fails says what stood there at that moment: a red run is read by people who were not beside it. */
import { afterEach } from "vitest";
import { testimony } from "./test-support.ts";

afterEach(async ({ task }) => {
  if (task.result?.state !== "fail") return;
  const told = await testimony();
  if (told !== "") throw new Error(`when the test failed:\n${told}`);
});
