import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Uuid } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import type { TestControl } from "../../test/control.ts";
import { RunnerRoom } from "../../test/runner-room.ts";
import { RUN_ID } from "../../test/support.ts";
import { admissionKey } from "../admission/admit.ts";
import type { InstanceSpec } from "../protocol.ts";

const room = new RunnerRoom({ rows: 20_000 });
const pair = async () => ({ ...(await room.pair()), of: room.spec() });
const paced = (of: InstanceSpec, factor: number): InstanceSpec => ({
  ...of,
  venue: { ...of.venue, pace: { kind: "multiple", factor } },
});

/** Starts instances `1`, `2`, … until one is refused; what was said to it, and how many there are. */
async function fill(control: TestControl, of: InstanceSpec, most: number) {
  for (let number = 1; number <= most; number += 1) {
    const reply = await control.ask({
      type: "start",
      spec: {
        ...of,
        instance_id: `i${number}`,
        admission: { report_id: "test", key: admissionKey(of) },
        run_id: `0197a000-0000-7000-8000-${String(number).padStart(12, "0")}` as Uuid,
        run_dir: `${of.run_dir}-${number}`,
        venue: { ...of.venue, pace: { kind: "multiple", factor: 1 } },
      },
    });
    if (!reply.ok) return { started: number - 1, failure: reply.failure };
  }
  return { started: most, failure: null };
}

const limited = async (more: Parameters<RunnerRoom["pair"]>[2]) => ({
  ...(await room.pair(undefined, undefined, more)),
  of: room.spec(),
});

describe("how much a runner takes", () => {
  it(
    "[M-5.2.2] beyond its instances the next start is refused, and the others run on",
    { timeout: 180_000 },
    async () => {
      const { control, of } = await limited({ words: ["--instances", "2"] });
      expect(await fill(control, of, 4)).toMatchObject({
        started: 2,
        failure: { error_code: "RUMI-STR-038", reason_code: "M.RUNNER.FULL" },
      });
      expect(control.statuses.every((status) => status.phase !== "failed")).toBe(true);
    },
  );

  it(
    "[M-5.2.2] beyond the address space a start is refused by its code; nothing crashes, the others run on",
    { timeout: 180_000 },
    async () => {
      // Each Wasm memory takes about 10 GiB of addresses: with 64 GiB there is room for a few.
      const { control, of } = await limited({ under: ["/usr/bin/prlimit", `--as=${64 * 2 ** 30}`] });
      const { started, failure } = await fill(control, of, 12);
      expect(failure).toMatchObject({ error_code: "RUMI-STR-057", reason_code: "M.SANDBOX.ADDRESS_SPACE" });
      expect(started).toBeGreaterThan(0);
      const runs = new Set<string>();
      const seen = control.statuses.length;
      await control.until(() => {
        for (const status of control.statuses.slice(seen))
          if (status.cursor > 0 && status.phase === "running") runs.add(status.run_id);
        return runs.size === started;
      }, 180_000);
    },
  );
});

describe("runner process", () => {
  it("[M-7.1.1] a start that comes twice while the first is under way is one start: no word says that it was refused", async () => {
    const { control, of } = await pair();
    const start = { type: "start" as const, spec: paced(of, 1) };
    control.send({ ...start, request: 71 });
    control.send({ ...start, request: 71 });
    control.send({ ...start, request: 72 });
    const replies = () => control.seen.filter((message) => message.type === "reply");
    await control.until(() => replies().some(({ request }) => request === 72));
    expect(await control.ask({ type: "inspect", run_id: RUN_ID, epoch: 1, reason: "test" })).toMatchObject({
      ok: true,
    });
    expect(replies().filter((reply) => !reply.ok)).toEqual([]);
    expect(control.statuses.at(-1)).toMatchObject({ phase: "running" });
  });

  it(
    "[M-1.1.1] hosts an instance to the end of its feed, streams every record, stops in order and leaves nothing behind",
    { timeout: 180_000 },
    async () => {
      const { control, child, of } = await pair();
      const started = await control.ask({ type: "start", spec: of });
      expect(started).toMatchObject({ ok: true, status: { phase: "running", isolation: { level: "L2" } } });
      await control.until(() => control.statuses.some((status) => status.phase === "feed_ended"));
      const stopped = await control.ask({ type: "stop", run_id: RUN_ID, epoch: 1, reason: "done" });
      expect(stopped).toMatchObject({ ok: true, status: { phase: "stopped", cursor: 20_000, orders_open: 0 } });
      await control.until(() => control.entries.get(RUN_ID)?.at(-1)?.kind === "run_stopped");
      const kinds = new Set(control.entries.get(RUN_ID)?.map((entry) => entry.kind));
      for (const kind of ["run_started", "intent", "order", "fill", "checkpoint", "feed_ended", "input", "run_stopped"])
        expect(kinds).toContain(kind);
      await control.until(() => control.seen.some((message) => message.type === "segment"));
      const last = control.statuses.at(-1);
      for (const name of [
        "strategy_event_latency_ms_sum",
        "strategy_queue_depth",
        "strategy_timeout_total",
        "state_checkpoint_bytes",
        "state_restore_time_ms",
        "health_state",
        'intent_emitted_total{type="order"}',
      ])
        expect(Object.keys(last?.counters ?? {}), "[M-14.1]").toContain(name);
      control.send({ type: "shutdown", request: 99, grace_ms: 2_000 });
      const [code] = (await once(child, "exit")) as [number];
      expect(code).toBe(0);
    },
  );

  it(
    "[M-0.6] survives a lost line and its own kill -9: every record once, the run goes on under the next epoch",
    { timeout: 180_000 },
    async () => {
      const { control, child, of } = await pair();
      control.acknowledge = false;
      await control.ask({ type: "start", spec: paced(of, 2_000) });
      await control.until(() => (control.entries.get(RUN_ID)?.length ?? 0) > 20);
      control.drop();
      control.acknowledge = true;
      await control.until(() => control.seen.filter((message) => message.type === "instances").length === 2);
      await control.until(() => (control.entries.get(RUN_ID)?.length ?? 0) > 60);
      child.kill("SIGKILL");
      await once(child, "exit");
      const told = [...(control.entries.get(RUN_ID) ?? [])];
      const next = room.begin(control);
      await control.until(() => control.seen.filter((message) => message.type === "instances").length === 3);
      const resumed = await control.ask({ type: "start", spec: { ...of, start: "resume", epoch: 2 } });
      expect(resumed).toMatchObject({ ok: true });
      // [M-14.1] The checkpoint it came from has a size before the next is written.
      expect(resumed.ok && resumed.status.counters["state_checkpoint_bytes"]).toBeGreaterThan(500);
      await control.until(() => control.entries.get(RUN_ID)?.some((entry) => entry.kind === "feed_ended"));
      const all = control.entries.get(RUN_ID) ?? [];
      expect(all.slice(0, told.length)).toEqual(told);
      const sent = all.flatMap((entry) =>
        entry.kind === "intent" && entry.intent["kind"] === "order" ? [entry.idempotency_key] : [],
      );
      expect(new Set(sent).size).toBe(sent.length);
      const ended = once(next, "exit");
      next.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
      expect(existsSync(join(of.run_dir, "acknowledged.json"))).toBe(true);
    },
  );

  it(
    "[M-7.1.2] stopped by SIGSTOP beyond its TTL it wakes fenced: nothing more is emitted, and the refused renewal stops it",
    { timeout: 180_000 },
    async () => {
      const { control, child, of } = await pair();
      await control.ask({ type: "start", spec: { ...paced(of, 500), lease: { ttl_ms: 5_000 } } });
      await control.until(() => (control.entries.get(RUN_ID)?.length ?? 0) > 4);
      control.grant = () => false;
      child.kill("SIGSTOP");
      // The whole TTL passes while it sleeps, so the control plane may have given the lease to another holder.
      await new Promise((resolve) => setTimeout(resolve, 5_500));
      const before = process.hrtime.bigint();
      child.kill("SIGCONT");
      const woke_us = Date.now() * 1_000;
      await control.until(() => control.statuses.some((status) => status.reason_code === "M.LEASE.LOST"));
      expect(Number(process.hrtime.bigint() - before) / 1e9).toBeLessThan(15);
      await new Promise((resolve) => setTimeout(resolve, 300));
      // The slice in which it fell asleep is judged and recorded to its end; what counts is that none of that reaches the venue.
      const late = (control.entries.get(RUN_ID) ?? []).filter((entry) => entry.at_us > woke_us);
      const decided = new Set(
        late.flatMap((entry) =>
          entry.kind === "intent" && entry.client_order_id !== null ? [entry.client_order_id] : [],
        ),
      );
      const sent = late.flatMap((entry) =>
        entry.kind === "order"
          ? [entry.report["client_order_id"]]
          : entry.kind === "fill"
            ? [entry.fill["client_order_id"]]
            : [],
      );
      expect(sent.filter((id) => decided.has(String(id)))).toEqual([]);
    },
  );

  it(
    "[M-7.1.2] an answer without a lease decides nothing of it: a start asks again, and an instance goes on while its own deadline lasts",
    { timeout: 180_000 },
    async () => {
      const { control, of } = await pair();
      const asked = () => control.seen.filter((message) => message.type === "renew").length;
      control.grant = () => undefined;
      const started = control.ask({ type: "start", spec: paced(of, 200) });
      await control.until(() => asked() === 2, 15_000);
      expect(existsSync(of.run_dir), "nothing begins without a word").toBe(false);
      control.grant = () => true;
      expect(await started).toMatchObject({ ok: true, status: { phase: "running" } });
      control.grant = () => undefined;
      const [before, sent] = [asked(), () => control.entries.get(RUN_ID)?.length ?? 0];
      await control.until(() => asked() === before + 1, 15_000);
      const last = sent();
      await control.until(() => sent() > last);
      expect(control.statuses.at(-1)).toMatchObject({ phase: "running", reason_code: null });
    },
  );

  it(
    "[M-4.2.3] safety reaches every instance within 250 ms; pause, continue and config answer; wrong epochs are refused",
    { timeout: 180_000 },
    async () => {
      const { control, of } = await pair();
      await control.ask({ type: "start", spec: paced(of, 200) });
      const second = {
        ...paced(of, 200),
        instance_id: "second",
        run_id: "0197a000-0000-7000-8000-0000000000ac" as InstanceSpec["run_id"],
        run_dir: `${of.run_dir}-2`,
      };
      expect(await control.ask({ type: "start", spec: second })).toMatchObject({ ok: true });
      // 250 ms is the promise under light load. The best of five turns is held against it: a machine busy with other tests
      // delays some of them, and a runner that needs longer by itself delays all.
      const delays: number[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        const generation = 3 + turn;
        const at = performance.now();
        control.send({ type: "safety", mode: "SAFE", generation });
        for (const run of [RUN_ID, second.run_id])
          await control.until(() =>
            control.entries
              .get(run)
              ?.some(
                (entry) =>
                  entry.kind === "input" && entry.input["mode"] === "SAFE" && entry.input["generation"] === generation,
              ),
          );
        delays.push(performance.now() - at);
      }
      process.stdout.write(
        `safety to both instances, on the record: ${delays.map((ms) => Math.round(ms)).join(" ")} ms\n`,
      );
      expect(Math.min(...delays)).toBeLessThan(250);
      expect(await control.ask({ type: "pause", run_id: RUN_ID, epoch: 1, reason: "lunch" })).toMatchObject({
        ok: true,
        status: { phase: "paused", reason_code: "lunch" },
      });
      expect(await control.ask({ type: "continue", run_id: RUN_ID, epoch: 1, reason: "back" })).toMatchObject({
        ok: true,
        status: { phase: "running" },
      });
      expect(
        await control.ask({
          type: "config",
          run_id: RUN_ID,
          epoch: 1,
          config: { unknown: 1 },
          generation: 2,
          actor: "root",
        }),
      ).toMatchObject({ ok: false, failure: { reason_code: "M.CONFIG.UNKNOWN" } });
      expect(await control.ask({ type: "stop", run_id: RUN_ID, epoch: 2, reason: "x" })).toMatchObject({
        ok: false,
        failure: { error_code: "RUMI-STR-035" },
      });
    },
  );

  it(
    "[M-4.2.3] [M-0.3] what was said of safety while no runner lived is heard by the run that goes on, and it trades again",
    { timeout: 180_000 },
    async () => {
      const { control, child, of } = await pair();
      await control.ask({ type: "start", spec: paced(of, 2_000) });
      await control.until(() => (control.entries.get(RUN_ID)?.length ?? 0) > 10);
      control.send({ type: "safety", mode: "SAFE", generation: 1 });
      const heard = () =>
        (control.entries.get(RUN_ID) ?? []).flatMap((entry) =>
          entry.kind === "input" && entry.input["input"] === "safety" ? [entry.input["mode"]] : [],
        );
      await control.until(() => heard().length === 1);
      child.kill("SIGKILL");
      await once(child, "exit");
      room.begin(control);
      await control.until(() => control.seen.filter((message) => message.type === "instances").length === 2);
      control.send({ type: "safety", mode: "NORMAL", generation: 2 });
      await control.ask({ type: "start", spec: { ...of, start: "resume", epoch: 2 } });
      await control.until(() => control.entries.get(RUN_ID)?.some((entry) => entry.kind === "feed_ended"));
      expect(heard()).toEqual(["SAFE", "NORMAL"]);
      const all = control.entries.get(RUN_ID) ?? [];
      const back = all.findIndex((entry) => entry.kind === "input" && entry.input["mode"] === "NORMAL");
      expect(all.slice(back).some((entry) => entry.kind === "intent" && entry.verdict === "forwarded")).toBe(true);
    },
  );

  it(
    "[M-7.1.1] a start whose lease is not confirmed, whose file is another, or that runs already, is refused with its code",
    { timeout: 180_000 },
    async () => {
      const { control, of } = await pair();
      control.grant = () => false;
      expect(await control.ask({ type: "start", spec: of })).toMatchObject({
        ok: false,
        failure: { error_code: "RUMI-STR-029" },
      });
      expect(existsSync(of.run_dir)).toBe(false);
      control.grant = () => true;
      const wrong = { ...of, descriptor: { ...of.descriptor, binary_hash: of.pack_digest } };
      expect(await control.ask({ type: "start", spec: wrong }), "[M-2.1.5]").toMatchObject({
        ok: false,
        failure: { reason_code: "M.DESCRIPTOR.BINARY_HASH" },
      });
      expect(
        await control.ask({
          type: "start",
          spec: { ...of, venue: { ...of.venue, files: [{ ...room.file, sha256: of.pack_digest }] } },
        }),
      ).toMatchObject({ ok: false, failure: { error_code: "RUMI-STR-034" } });
      expect(await control.ask({ type: "start", spec: paced(of, 1) })).toMatchObject({ ok: true });
      expect(
        await control.ask({
          type: "start",
          spec: { ...paced(of, 1), run_id: "0197a000-0000-7000-8000-0000000000ab" as InstanceSpec["run_id"], epoch: 2 },
        }),
      ).toMatchObject({ ok: false, failure: { reason_code: "M.INSTANCE.RUNS_ALREADY" } });
    },
  );

  it(
    "a stranger without the key, and messages that are none, end the line; ignored signals do not; alone and idle it exits",
    { timeout: 180_000 },
    async () => {
      const { control, child } = await pair();
      child.kill("SIGINT");
      child.kill("SIGHUP");
      const hellos = (): number => control.seen.filter((message) => message.type === "hello").length;
      const before = hellos();
      control.write(Buffer.from([2, 0, 0, 0, 0x7b, 0x7d]));
      await control.until(() => hellos() > before);
      const stranger = room.control(new Uint8Array(32).fill(9));
      const ended = once(room.begin(stranger), "exit");
      await stranger.until(() => stranger.seen.filter((message) => message.type === "hello").length >= 2);
      expect(
        stranger.seen.some((message) => message.type === "proof"),
        "the runner asks for control's proof first",
      ).toBe(false);
      expect(await ended).toEqual([0, null]);
      expect(child.exitCode).toBe(null);
      expect(readdirSync(room.path).length).toBeGreaterThan(0);
      expect(readFileSync(join(room.path, "trades.csv")).length).toBeGreaterThan(0);
    },
  );
});
