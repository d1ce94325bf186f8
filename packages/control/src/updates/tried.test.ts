/** One command tries a subject once, however often it is decided; nothing else shares its answer. */
import { expect, it } from "vitest";
import { err, failure, ok } from "@rumi/kernel";
import { rememberTrials, TRIALS_KEPT } from "./tried.ts";

it("one command and one subject are one trial, its refusal too; another of either is another", async () => {
  const tried = rememberTrials();
  let trials = 0;
  const trial = async () => {
    trials += 1;
    return trials === 1 ? err(failure("RUMI-SYS-009")) : ok(trials);
  };
  const first = await tried("c-1", { digest: "a" }, trial);
  expect(first.ok).toBe(false);
  expect(await tried("c-1", { digest: "a" }, trial)).toBe(first);
  expect(trials).toBe(1);
  expect(await tried("c-1", { digest: "b" }, trial)).toEqual(ok(2));
  expect(await tried("c-2", { digest: "a" }, trial)).toEqual(ok(3));
});

it("a trial that broke off is made again, and the oldest is forgotten beyond the limit", async () => {
  const tried = rememberTrials();
  await expect(tried("c", {}, () => Promise.reject(new Error("gone")))).rejects.toThrow("gone");
  expect(await tried("c", {}, () => Promise.resolve(ok(1)))).toEqual(ok(1));
  for (let other = 0; other < TRIALS_KEPT; other += 1) await tried(`c-${other}`, {}, () => Promise.resolve(ok(other)));
  expect(await tried("c", {}, () => Promise.resolve(ok(2)))).toEqual(ok(2));
  expect(await tried(`c-${TRIALS_KEPT - 1}`, {}, () => Promise.resolve(ok(-1)))).toEqual(ok(TRIALS_KEPT - 1));
});
