/** Limits of strategies in a lane's own thread with the first fence taken away: the second holds (M-5.2.7). */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StrategyDescriptor } from "@rumi/abi";
import type { Uuid } from "@rumi/kernel";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { admissionKey } from "../src/admission/admit.ts";
import type { InstanceSpec, InstanceStatus } from "../src/protocol.ts";
import { bundleRunner, TestControl } from "./control.ts";
import { recording, spec } from "./support.ts";

const room = temporaryFolder();
const hostile = fileURLToPath(new URL("../../../packs/hostile", import.meta.url));
let control: TestControl;
let child: ChildProcess;
let file: InstanceSpec["venue"]["files"][number];

beforeAll(async () => {
  const start = await bundleRunner(room.path, "", { without: "fuel" });
  file = recording(room.path, 20_000);
  control = new TestControl(join(room.path, "s"));
  child = start(control.path);
  await control.until(() => control.seen.some((message) => message.type === "instances"), 120_000);
});
afterAll(async () => {
  child.kill("SIGKILL");
  if (child.exitCode === null) await once(child, "exit");
  await control.close();
  room.remove();
});

let count = 0;
function of(change: Partial<InstanceSpec>): InstanceSpec {
  const number = (count += 1);
  const base = spec(join(room.path, `run-${number}`));
  const made: InstanceSpec = {
    ...base,
    instance_id: `i${number}`,
    run_id: `0197a000-0000-7000-8000-${String(number).padStart(12, "0")}` as Uuid,
    venue: { ...base.venue, files: [file], pace: { kind: "multiple", factor: 50 } },
    ...change,
  };
  // As if its report were kept: what is tried here is the run, not the admission, which would refuse it.
  return { ...made, admission: { report_id: "test", key: admissionKey(made) } };
}
const last = (one: InstanceSpec): InstanceStatus | undefined =>
  control.statuses.filter((status) => status.run_id === one.run_id).at(-1);

describe("without fuel", () => {
  it(
    "[M-5.2.1] [M-5.2.7] a loop without end is ended by the clock; its neighbours go on from their records, every time",
    { timeout: 120_000 },
    async () => {
      const manifest = JSON.parse(readFileSync(join(hostile, "ecosystem.json"), "utf8")) as {
        readonly strategies: readonly StrategyDescriptor[];
      };
      const spin = manifest.strategies.find((one) => one.strategy_id === "wasm_spin");
      if (spin === undefined) throw new Error("the hostile pack spins");
      const neighbours = [of({}), of({})];
      for (const one of neighbours) expect(await control.ask({ type: "start", spec: one })).toMatchObject({ ok: true });
      // More often than a lane may be lost for no reason: somebody else is to blame each time.
      for (let turn = 0; turn < 5; turn += 1) {
        const runaway = of({ descriptor: spin, pack_dir: hostile, strategy_id: spin.strategy_id });
        expect(await control.ask({ type: "start", spec: runaway })).toMatchObject({ ok: true });
        await control.until(() => last(runaway)?.phase === "failed", 120_000);
        expect(last(runaway)).toMatchObject({
          health_state: "halted",
          reason_code: "M.SANDBOX.DEADLINE",
          failure: { error_code: "RUMI-STR-032" },
        });
        for (const one of neighbours) {
          const cursor = last(one)?.cursor ?? 0;
          await control.until(() => (last(one)?.cursor ?? 0) > cursor + 5, 120_000);
        }
      }
      for (const one of neighbours) {
        expect(last(one)).toMatchObject({ phase: "running", health_state: "healthy" });
        const entries = control.entries.get(one.run_id) ?? [];
        expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, index) => index + 1));
      }
    },
  );
});
