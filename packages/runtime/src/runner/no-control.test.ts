/**
 * The runner's own fences with the control plane gone around: the test is a control plane that asks for what it must not, or
 * that is not there at all. Each fence alone holds (L-36, L-N13).
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { TestControl } from "../../test/control.ts";
import { journalOf } from "../../test/hosted.ts";
import { RunnerRoom } from "../../test/runner-room.ts";
import { FIXTURE_DIR, RUN_ID } from "../../test/support.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";

const room = new RunnerRoom({ rows: 20_000 });
const intents = (control: TestControl): readonly Extract<JournalEntry, { kind: "intent" }>[] =>
  (control.entries.get(RUN_ID) ?? []).filter((one) => one.kind === "intent");
const sent = (control: TestControl): number => intents(control).filter((one) => one.client_order_id !== null).length;
const start = (control: TestControl, spec: InstanceSpec) => control.ask({ type: "start", spec });
const SLOW = { timeout: 180_000 };

it(
  "[L-07] [L-36] [L-N13] capital: what goes beyond the limits that a run was begun with never becomes an order",
  SLOW,
  async () => {
    const { control } = await room.pair();
    const of = room.spec(500);
    expect(await start(control, { ...of, limits: { ...of.limits, capital: "0.00000001" } })).toMatchObject({
      ok: true,
    });
    const refused = () => intents(control).filter((one) => one.reason_code === "M.LIMIT.CAPITAL");
    await control.until(() => refused().length > 3);
    expect(sent(control)).toBe(0);
    // Nobody can give it more while it runs: a start of the same run with other limits is no other limits.
    await start(control, of);
    const before = refused().length;
    await control.until(() => refused().length > before + 3);
    expect(sent(control)).toBe(0);
  },
);

it("[L-08] [L-36] [L-N13] stop conditions: an instance halts itself whatever is asked of it", SLOW, async () => {
  const { control } = await room.pair();
  const stop_conditions = { max_order_rate: { count: 2, within_us: 86_400_000_000 } };
  expect(await start(control, { ...room.spec(500), stop_conditions })).toMatchObject({ ok: true });
  await control.until(() => control.statuses.at(-1)?.health_state === "halted");
  // The journal is streamed in its order: with this record everything that left before it is here.
  await control.until(() =>
    control.entries.get(RUN_ID)?.some((one) => one.kind === "health" && one.health_state === "halted"),
  );
  const last = sent(control);
  expect(control.statuses.at(-1)).toMatchObject({ reason_code: "M.STOP.ORDER_RATE" });
  const told = await control.ask({ type: "continue", run_id: RUN_ID, epoch: 1, reason: "go on" });
  expect(told).toMatchObject({ status: { health_state: "halted", stop_condition: { limit: "2", observed: "3" } } });
  expect(sent(control)).toBe(last);
});

it(
  "[L-15] [L-36] [L-N13] epoch and lease: an older epoch begins nothing and commands nothing; with no lease nothing leaves",
  SLOW,
  async () => {
    const { control } = await room.pair();
    const of = { ...room.spec(500), epoch: 3, lease: { ttl_ms: 6_000 } };
    expect(await start(control, of)).toMatchObject({ ok: true });
    await control.until(() => sent(control) > 3);
    for (const type of ["pause", "stop", "handover"] as const)
      expect(await control.ask({ type, run_id: RUN_ID, epoch: 2, reason: "older" })).toMatchObject({ ok: false });
    const older = await start(control, { ...of, epoch: 2 });
    expect(older.ok ? older.status.epoch : "refused").not.toBe(2);
    expect(control.statuses.at(-1)).toMatchObject({ epoch: 3, phase: "running" });
    control.grant = () => false;
    await control.until(() => control.statuses.some((status) => status.reason_code === "M.LEASE.LOST"), 120_000);
    // On the disk, where each is before it leaves: what is told of it may come later than the word of the lease.
    const left = () => journalOf(of).filter((one) => one.kind === "intent" && one.client_order_id !== null).length;
    const last = left();
    expect(last).toBeGreaterThan(3);
    await control.ask({ type: "continue", run_id: RUN_ID, epoch: 3, reason: "go on" });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(left()).toBe(last);
  },
);

it("[L-35] [L-36] [L-N13] digest: bytes that are not the approved ones are not run, whoever asks", SLOW, async () => {
  const { control } = await room.pair();
  const of = room.spec(500);
  const pack_dir = join(room.path, "altered");
  mkdirSync(pack_dir);
  const { entrypoint } = of.descriptor;
  copyFileSync(join(FIXTURE_DIR, entrypoint), join(pack_dir, entrypoint));
  const bytes = readFileSync(join(pack_dir, entrypoint));
  // One byte behind the module's end: a custom section's tail would be as harmless, and is as little approved.
  writeFileSync(join(pack_dir, entrypoint), Buffer.concat([bytes, Buffer.of(0)]));
  const refused = await start(control, { ...of, pack_dir });
  expect(refused).toMatchObject({ ok: false });
  expect(refused.ok ? "" : refused.failure.reason_code).toMatch(/^M\./);
  expect(control.entries.get(RUN_ID) ?? []).toEqual([]);
});

it("[L-46] [L-36] [L-N13] kill word: what was told last holds although nobody is there any more", SLOW, async () => {
  const { control } = await room.pair();
  expect(await start(control, room.spec(500))).toMatchObject({ ok: true });
  await control.until(() => sent(control) > 3);
  control.send({ type: "killswitch", generation: 5, rules: [{ scope: "all", id: "", level: "BLOCK" }] });
  await control.until(() => control.seen.some((one) => one.type === "killswitch_followed" && one.generation === 5));
  const blocked = () => intents(control).filter((one) => one.reason_code === "M.KILLSWITCH.BLOCK").length;
  await control.until(() => blocked() > 0);
  const last = sent(control);
  control.drop();
  await control.until(() => control.seen.filter(({ type }) => type === "instances").length === 2);
  const before = blocked();
  await control.until(() => blocked() > before);
  expect(sent(control), "it decided on, and nothing left").toBe(last);
});
