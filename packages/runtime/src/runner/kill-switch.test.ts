import { once } from "node:events";
import type { Uuid } from "@rumi/kernel";
import { expect, it } from "vitest";
import type { TestControl } from "../../test/control.ts";
import { RunnerRoom } from "../../test/runner-room.ts";
import { RUN_ID } from "../../test/support.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";

const room = new RunnerRoom({ rows: 20_000 });
const SECOND = "0197a000-0000-7000-8000-0000000000ac" as Uuid;

async function pair() {
  const { control, child } = await room.pair();
  const of = room.spec(500);
  const second: InstanceSpec = {
    ...of,
    bot_id: "bot-2" as InstanceSpec["bot_id"],
    run_id: SECOND,
    run_dir: `${of.run_dir}-2`,
  };
  return { control, child, of, second };
}
const orders = (control: TestControl, run_id: string): readonly JournalEntry[] =>
  (control.entries.get(run_id) ?? []).filter(
    (one) => one.kind === "intent" && one.verdict !== "discarded" && one.client_order_id !== null,
  );
const words = (control: TestControl, run_id: string): readonly unknown[] =>
  (control.entries.get(run_id) ?? []).flatMap((one) =>
    one.kind === "input" && one.input["input"] === "killswitch" ? [one.input["level"]] : [],
  );
const followed = (control: TestControl, generation: number) =>
  control.until(() => control.seen.find((one) => one.type === "killswitch_followed" && one.generation === generation));
const block = (bot_id: string) => [{ scope: "bot_id", id: bot_id, level: "BLOCK" }] as const;

it(
  "[G-5.3] [L-46] [L-N13] a rule for one bot reaches it and nobody else, is told as followed, and an older word changes nothing",
  { timeout: 180_000 },
  async () => {
    const { control, of, second } = await pair();
    for (const one of [of, second]) expect(await control.ask({ type: "start", spec: one })).toMatchObject({ ok: true });
    await control.until(() => orders(control, RUN_ID).length > 3 && orders(control, SECOND).length > 3);
    control.send({ type: "killswitch", generation: 5, rules: block("bot-1") });
    expect(await followed(control, 5)).toMatchObject({ instances: 1 });
    await control.until(() => words(control, RUN_ID).length === 1);
    const [mine, others] = [orders(control, RUN_ID).length, orders(control, SECOND).length];
    control.send({ type: "killswitch", generation: 4, rules: [] });
    await control.until(() => orders(control, SECOND).length > others + 10);
    expect(orders(control, RUN_ID).length).toBe(mine);
    expect([words(control, RUN_ID), words(control, SECOND)]).toEqual([["BLOCK"], []]);
    control.send({ type: "killswitch", generation: 6, rules: [] });
    await followed(control, 6);
    await control.until(() => orders(control, RUN_ID).length > mine);
    expect(control.refused).toEqual([]);
  },
);

it(
  "[G-5.3] [M-4.2.3] whoever begins under a rule, or goes on under one that came while no runner lived, never trades under it",
  { timeout: 180_000 },
  async () => {
    const { control, child, of, second } = await pair();
    await control.ask({ type: "start", spec: of });
    await control.until(() => orders(control, RUN_ID).length > 3);
    child.kill("SIGKILL");
    await once(child, "exit");
    const before = orders(control, RUN_ID).length;
    room.begin(control);
    await control.until(() => control.seen.filter(({ type }) => type === "instances").length === 2);
    control.send({ type: "killswitch", generation: 1, rules: [{ scope: "all", id: "", level: "BLOCK" }] });
    await followed(control, 1);
    await control.ask({ type: "start", spec: { ...of, start: "resume", epoch: 2 } });
    await control.ask({ type: "start", spec: second });
    const refused = (run_id: string) =>
      (control.entries.get(run_id) ?? []).filter(
        (one) => one.kind === "intent" && one.reason_code === "M.KILLSWITCH.BLOCK",
      );
    await control.until(() => refused(RUN_ID).length > 5 && refused(SECOND).length > 5);
    const resumed = (control.entries.get(RUN_ID) ?? []).findIndex((one) => one.kind === "run_resumed");
    const word = (control.entries.get(RUN_ID) ?? []).findIndex(
      (one) => one.kind === "input" && one.input["input"] === "killswitch",
    );
    // What was on the record before it died is told again; after the word nothing of its own is let out.
    expect(word).toBeGreaterThan(resumed);
    expect(
      (control.entries.get(RUN_ID) ?? []).slice(word).filter((one) => orders(control, RUN_ID).includes(one)),
    ).toEqual([]);
    expect(orders(control, RUN_ID).length).toBeGreaterThanOrEqual(before);
    expect(orders(control, SECOND)).toEqual([]);
  },
);
