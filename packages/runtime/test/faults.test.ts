/** Strategies and threads that break in the middle of a run: what is told, what is recorded, who notices. */
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf, type Uuid } from "@rumi/kernel";
import { beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import type { InstanceSpec, InstanceStatus, JournalEntry } from "../src/protocol.ts";
import type { TestControl } from "./control.ts";
import { type RecordedFile, RunnerRoom } from "./runner-room.ts";
import { descriptor, recording, spec } from "./support.ts";

const ROWS = 1_000;
const hang = (folder: string): string => join(folder, "hang");
/** A lane that hosts Wasm spins once the file appears; the first thread that sees it takes it away. */
const hook = (folder: string): string => `
import { existsSync as hookSees, unlinkSync as hookTakes } from "node:fs";
import { parentPort as hookPort } from "node:worker_threads";
let hookArmed = false;
hookPort.on("message", (message) => { if (message.type === "start" && message.spec.descriptor.runtime_kind === "rust_wasm") hookArmed = true; });
setInterval(() => { if (hookArmed && hookSees(${JSON.stringify(hang(folder))})) { hookTakes(${JSON.stringify(hang(folder))}); for (;;); } }, 20);
`;
const room = new RunnerRoom({ rows: ROWS, hook });
let long: RecordedFile;
let count = 0;

beforeAll(() => {
  mkdirSync(join(room.path, "long"));
  long = recording(join(room.path, "long"), 20_000);
});

/** A Python strategy whose event handler is `body`, with `at` as the number of the input. */
function python(body: string): InstanceSpec {
  count += 1;
  const pack_dir = join(room.path, `pack-${count}`);
  mkdirSync(pack_dir);
  const source = `import os\nimport rumi_sdk as rumi\n\n\nclass Breaks(rumi.Strategy):\n    def on_event(self, ctx, event):\n        at = ctx.header.cursor\n        ${body}\n`;
  writeFileSync(join(pack_dir, "breaks.py"), source);
  const wasm = descriptor();
  const of = descriptor({
    strategy_id: "breaks",
    runtime_kind: "python",
    entrypoint: "breaks.py",
    binary_hash: digestOf(source),
    capabilities: { ...wasm.capabilities, subscribe: ["trade"], lane: "compute" },
    resources: { ...wasm.resources, event_timeout_ms: 250, memory_bytes: 268_435_456 },
  });
  const base = spec(join(room.path, `run-${count}`));
  return {
    ...base,
    strategy_id: "breaks",
    instance_id: `p${count}`,
    run_id: runId(),
    descriptor: of,
    pack_dir,
    venue: { ...base.venue, files: [room.file] },
  };
}
function neighbour(): InstanceSpec {
  count += 1;
  const base = spec(join(room.path, `run-${count}`));
  return {
    ...base,
    instance_id: `w${count}`,
    run_id: runId(),
    venue: { ...base.venue, files: [long], pace: { kind: "multiple", factor: 50 } },
  };
}
const runId = (): Uuid => `0197a000-0000-7000-8000-${String(count).padStart(12, "0")}` as Uuid;
const last = (control: TestControl, of: InstanceSpec): InstanceStatus | undefined =>
  control.statuses.filter((status) => status.run_id === of.run_id).at(-1);
const faults = (control: TestControl, of: InstanceSpec): JournalEntry[] =>
  (control.entries.get(of.run_id) ?? []).filter((entry) => entry.kind === "input" && entry.input["input"] === "fault");
const inputOf = (entry: JournalEntry | undefined): Readonly<Record<string, unknown>> =>
  entry?.kind === "input" ? entry.input : {};

/** Processes of this machine whose command line names the strategy's file. */
function processesOf(of: InstanceSpec): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(join(of.pack_dir, "breaks.py"));
      } catch {
        return false;
      }
    });
}

describe.runIf(requires("python3") && requires("bubblewrap"))("Python that breaks in the middle of a run", () => {
  it(
    "[M-5.2.1] [M-5.2.6] late at two events: degraded with its reason, on the record; the neighbour runs on; kill -9 and resume know it",
    { timeout: 300_000 },
    async () => {
      const { control, child } = await room.pair();
      const beside = neighbour();
      expect(await control.ask({ type: "start", spec: beside })).toMatchObject({ ok: true });
      const of = python("while at in (300, 310): pass");
      const paced: InstanceSpec = { ...of, venue: { ...of.venue, pace: { kind: "multiple", factor: 1_000 } } };
      expect(await control.ask({ type: "start", spec: paced })).toMatchObject({ ok: true });
      await control.until(() => faults(control, of).length === 2, 120_000);
      await control.until(() => last(control, of)?.health_state === "degraded");
      expect(last(control, of)).toMatchObject({
        reason_code: "M.SANDBOX.DEADLINE",
        phase: "running",
        failure: { error_code: "RUMI-STR-032", reason_code: "M.SANDBOX.DEADLINE" },
      });
      expect(
        faults(control, of).map((entry) => [
          entry.cursor,
          inputOf(entry)["fault"],
          inputOf(entry)["reason_code"],
          inputOf(entry)["callback"],
        ]),
      ).toEqual([
        [300, "deadline", "M.SANDBOX.DEADLINE", "on_event"],
        [310, "deadline", "M.SANDBOX.DEADLINE", "on_event"],
      ]);
      const seen = last(control, beside)?.cursor ?? 0;
      await control.until(() => (last(control, beside)?.cursor ?? 0) > seen);
      expect(last(control, beside)).toMatchObject({ health_state: "healthy", phase: "running" });
      expect(faults(control, beside)).toEqual([]);
      child.kill("SIGKILL");
      await once(child, "exit");
      room.begin(control);
      await control.until(() => control.seen.filter((message) => message.type === "instances").length === 2, 120_000);
      expect(await control.ask({ type: "start", spec: { ...of, start: "resume", epoch: 2 } })).toMatchObject({
        ok: true,
        status: { health_state: "degraded" },
      });
      await control.until(() => control.entries.get(of.run_id)?.some((entry) => entry.kind === "feed_ended"), 120_000);
      expect(
        faults(control, of),
        "the replay lets the same calls fail without waiting for them, and records nothing twice",
      ).toHaveLength(2);
    },
  );

  it(
    "[M-5.2.6] raising: the traceback's tail is in the journal and in the status, bounded and without credentials",
    { timeout: 180_000 },
    async () => {
      const { control } = await room.pair();
      const of = python(`if at in (200, 210): raise ValueError("bad api_key=abcdef " + "x" * 5000 + " here")`);
      const begun = await control.ask({ type: "start", spec: of });
      expect(begun.ok ? null : begun.failure).toBeNull();
      await control.until(() => control.entries.get(of.run_id)?.some((entry) => entry.kind === "feed_ended"), 120_000);
      await control.until(() => last(control, of)?.phase === "feed_ended");
      const [first] = faults(control, of);
      expect(inputOf(first)).toMatchObject({ fault: "status", callback: "on_event" });
      const evidence = String(inputOf(first)["evidence"]);
      expect(evidence).toContain("here");
      expect(evidence).not.toContain("abcdef");
      expect(evidence.length).toBeLessThanOrEqual(2_000);
      expect(last(control, of)?.failure?.error).toContain("here");
      expect(last(control, of)).toMatchObject({ health_state: "degraded", reason_code: inputOf(first)["reason_code"] });
    },
  );

  it(
    "[M-5.2.6] killed by kill -9: on the record, started again from its newest state, and the run goes on to its end",
    { timeout: 180_000 },
    async () => {
      const { control } = await room.pair();
      const of = python("pass");
      const paced: InstanceSpec = { ...of, venue: { ...of.venue, pace: { kind: "multiple", factor: 100 } } };
      expect(await control.ask({ type: "start", spec: paced })).toMatchObject({ ok: true });
      await control.until(() => (last(control, of)?.cursor ?? 0) > 50, 120_000);
      const before = processesOf(of);
      expect(before.length).toBeGreaterThan(0);
      for (const pid of before) process.kill(pid, "SIGKILL");
      await control.until(() => faults(control, of).length === 1, 120_000);
      expect(inputOf(faults(control, of)[0])).toMatchObject({ fault: "exit", reason_code: "M.SANDBOX.PROCESS_EXIT" });
      const at = faults(control, of)[0]?.cursor ?? 0;
      await control.until(() => (last(control, of)?.cursor ?? 0) > at + 20, 120_000);
      expect(last(control, of)).toMatchObject({ health_state: "healthy", reason_code: "M.SANDBOX.PROCESS_EXIT" });
      expect(processesOf(of).some((pid) => before.includes(pid))).toBe(false);
      expect(processesOf(of).length).toBeGreaterThan(0);
    },
  );

  it(
    "[M-5.3.1] a third fault halts it: no event reaches it any more, its process is gone, the reason stays",
    { timeout: 180_000 },
    async () => {
      const { control } = await room.pair();
      const of = python("if at in (200, 210, 220): os._exit(7)");
      expect(await control.ask({ type: "start", spec: of })).toMatchObject({ ok: true });
      // The journal is streamed beside the status: both have to arrive before they can be judged.
      await control.until(
        () =>
          last(control, of)?.health_state === "halted" &&
          last(control, of)?.phase === "paused" &&
          faults(control, of).length >= 3,
        40_000,
      );
      expect(last(control, of)).toMatchObject({
        phase: "paused",
        reason_code: "M.SANDBOX.PROCESS_EXIT",
        failure: { error_code: "RUMI-STR-032" },
      });
      const { cursor } = last(control, of) ?? { cursor: 0 };
      expect(faults(control, of)).toHaveLength(3);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(last(control, of)?.cursor).toBe(cursor);
    },
  );

  it(
    "[M-5.2.7] a lane that hangs is ended: its instances resume from their records, another lane's never notice",
    { timeout: 300_000 },
    async () => {
      const { control } = await room.pair();
      const [one, two] = [neighbour(), neighbour()];
      const other = python("pass");
      const paced: InstanceSpec = {
        ...other,
        venue: { ...other.venue, files: [long], pace: { kind: "multiple", factor: 20 } },
      };
      for (const each of [one, two, paced])
        expect(await control.ask({ type: "start", spec: each })).toMatchObject({ ok: true });
      await control.until(
        () =>
          (last(control, one)?.cursor ?? 0) > 100 &&
          (last(control, two)?.cursor ?? 0) > 100 &&
          (last(control, other)?.cursor ?? 0) > 10,
        30_000,
      );
      const process_ = processesOf(other);
      writeFileSync(hang(room.path), "");
      for (const each of [one, two])
        await control.until(
          () => control.entries.get(each.run_id)?.some((entry) => entry.kind === "run_resumed"),
          40_000,
        );
      for (const each of [one, two]) {
        const seen = last(control, each)?.cursor ?? 0;
        await control.until(() => (last(control, each)?.cursor ?? 0) > seen + 50, 120_000);
        const entries = control.entries.get(each.run_id) ?? [];
        expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
        const sent = entries.flatMap((entry) => (entry.kind === "intent" ? [entry.idempotency_key] : []));
        expect(new Set(sent).size).toBe(sent.length);
      }
      expect(control.entries.get(other.run_id)?.some((entry) => entry.kind === "run_resumed")).toBe(false);
      expect(processesOf(other)).toEqual(process_);
      expect(last(control, other)).toMatchObject({ health_state: "healthy", phase: "running" });
    },
  );
});
