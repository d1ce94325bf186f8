/** The API is what its document says: a fuzzer that reads only /openapi.json finds nothing else in a living program. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { ANSWER_MS, fuzz, type Wish } from "./fuzz.ts";
import { startProgram, type Program } from "./program.ts";
import { furnish } from "./furnish.ts";

const SLOW_MS = 600_000;
const home = temporaryFolder();
let program: Program;
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  program = await startProgram({ home: home.path });
  ids = await furnish(program);
}, 180_000);
afterAll(async () => {
  await program?.stop();
  home.remove();
});

async function expectNothing(least: number, wish: Omit<Wish, "folder">): Promise<void> {
  const found = await fuzz(program, { folder: join(home.path, "fuzz"), ...wish });
  const { code, failures, operations, said, slowest } = found;
  expect(failures.slice(0, 20_000), `the program said last: ${program.output().slice(-4_000)}`).toBe("");
  expect(code, said.slice(-5_000)).toBe(0);
  expect(operations, said.slice(-5_000)).toBeGreaterThanOrEqual(least);
  expect(slowest.ms, slowest.request).toBeGreaterThan(0);
  expect(slowest.ms, slowest.request).toBeLessThanOrEqual(ANSWER_MS);
}

describe.runIf(requires("schemathesis"))("the API as its document describes it", () => {
  it(
    "[L-12.1] schemathesis with all checks finds no 5xx and no answer outside its schema where it reads what is there",
    () => expectNothing(60, { ids, args: "--include-method GET --phases examples,coverage,fuzzing --max-examples 2" }),
    SLOW_MS,
  );
  it(
    "[L-12.1] … nor where it changes what is there",
    () =>
      expectNothing(35, {
        ids,
        args: "--exclude-method GET --include-path-regex [{] --phases fuzzing --mode positive --max-examples 4",
      }),
    SLOW_MS,
  );
  it(
    "[L-12.1] … nor anywhere else, whatever the document allows and forbids",
    // What has no id in its path has been read already.
    () =>
      expectNothing(80, {
        args: "--exclude-name-regex ^GET\\s[^{]*$ --phases examples,coverage,fuzzing --max-examples 2",
      }),
    SLOW_MS,
  );
  it(
    "and through all of it the program went on and its log is whole",
    async () => {
      expect(program.output()).not.toContain("a request failed inside");
      expect((await program.call("GET", "/health")).body).toMatchObject({ status: "UP" });
      expect(program.cli("audit", "verify").code).toBe(0);
    },
    SLOW_MS,
  );
});
