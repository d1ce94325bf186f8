import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { THRIFT } from "./thrift.ts";

/** Much lives, and of what is made besides, each piece lives long enough to be taken for old; answers the heap at most after a first collection, bytes. */
const CHURN = `
import { thriftyWith } from "./thrift.ts";
const isThrifty = thriftyWith(Number(process.argv[2]));
const piece = (n) => Array.from({ length: 64 }, (_, at) => n + at + 0.5);
const living = Array.from({ length: 40_000 }, (_, n) => piece(n));
const passing = [];
globalThis.gc();
let most = 0;
for (let n = 0; n < 200_000; n += 1) {
  passing[n % 20_000] = piece(n);
  if (n % 1_000 === 0) most = Math.max(most, process.memoryUsage().heapTotal);
}
console.log(JSON.stringify({ isThrifty, most, kept: living.length + passing.length }));
`;

it("from so many instances on, a runner's heaps hold less of what is dead", async () => {
  const folder = temporaryFolder();
  const outfile = join(folder.path, "churn.mjs");
  await build({
    stdin: { contents: CHURN, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  const of = (instances: number): { readonly isThrifty: boolean; readonly most: number } =>
    JSON.parse(execFileSync(process.execPath, ["--expose-gc", outfile, String(instances)], { encoding: "utf8" })) as {
      readonly isThrifty: boolean;
      readonly most: number;
    };
  const few = of(THRIFT.from_instances - 1);
  const many = of(THRIFT.from_instances);
  folder.remove();
  expect([few.isThrifty, many.isThrifty]).toEqual([false, true]);
  expect(many.most).toBeLessThan(few.most * 0.8);
});
