import { expect, it } from "vitest";
import { ok } from "@rumi/kernel";
import { ANSWERED_AT_ONCE, groupQueue, type Outcome } from "./group-queue.ts";

const committed = (at: number): Outcome => ok({ indices: [at], log_size: at + 1 });

it("a large group is answered in order and a few callers at a time: whoever else waits for the thread has it in between", async () => {
  const told: (number | "another")[] = [];
  const queue = groupQueue<number>({
    queued_batches: 100,
    group_batches: 100,
    commitGroup: (group) => Promise.resolve(group.map(committed)),
    onGroup: () => undefined,
  });
  const many = 3 * ANSWERED_AT_ONCE + 1;
  let isOver = false;
  const another = (): void => {
    told.push("another");
    if (!isOver) setImmediate(another);
  };
  setImmediate(another);
  const answers = Array.from({ length: many }, async (_, at) => {
    const outcome = await queue.commit(at);
    told.push(outcome.ok ? (outcome.value.indices[0] ?? -1) : -1);
  });
  await Promise.all(answers);
  isOver = true;
  await queue.drain();
  expect(told.filter((one) => one !== "another")).toEqual(Array.from({ length: many }, (_, at) => at));
  let together = 0;
  for (const one of told.slice(told.indexOf(0))) {
    together = one === "another" ? 0 : together + 1;
    expect(together).toBeLessThanOrEqual(ANSWERED_AT_ONCE);
  }
});
