/** A person's word on a staged intent, on its way to a runner that does not answer. */
import { expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import type { FakeRunner } from "../../test/fake-runner.ts";
import { withStaged } from "../../test/staged.ts";

it("[M-8.3.1] a word that no runner answered is told again, to whoever holds the run then, until one took it", async () => {
  const { world, run_id } = await withStaged(["1"]);
  const delivered = async (): Promise<unknown> =>
    (await world.store.rows<{ delivered: number }>({ sql: "SELECT delivered FROM staged_intent", parameters: [] }))[0]
      ?.delivered;
  const words = ({ received }: FakeRunner) => received.flatMap((one) => (one.type === "staging" ? [one] : []));
  dataOf(
    await world.command(
      "intents.approve",
      { command_id: world.id(), reason: "looked at" },
      { params: { run_id, idempotency_key: "1" } },
    ),
  );
  await world.until("the runner was told", () => words(world.runner).length > 0);
  await world.rounds(3);
  expect([words(world.runner).length, await delivered()], "it is waited for").toEqual([1, 0]);

  world.runner.drop();
  await world.control.hub.runnerGone("runner-1");
  const second = world.runnerNamed("runner-2");
  await second.dial();
  await world.until("the next holder was told", () => words(second).length > 0);
  const [word] = words(second);
  expect(word).toMatchObject({
    run_id,
    epoch: 2,
    wish: { action: "approve", idempotency_key: "1", actor: "user:root" },
  });
  expect(await delivered()).toBe(0);
  const status = second.instances.get(run_id)?.status;
  if (word === undefined || status === undefined) throw new Error("it holds the run");
  second.send({ type: "reply", request: word.request, ok: true, status });
  await world.until("it took it", async () => (await delivered()) === 1);
  await world.rounds(3);
  expect(words(second)).toHaveLength(1);
  await world.close();
});
