/** Who followed the kill switch is who said so. */
import { err, ok, type Uuid } from "@rumi/kernel";
import { expect, it } from "vitest";
import { RUN_ID, spec } from "../../test/support.ts";
import type { LaneReply } from "../lane/messages.ts";
import type { RunnerMessage } from "../protocol.ts";
import { emptyStatus } from "./held.ts";
import { type OrderedHere, StandingOrders } from "./standing-orders.ts";

it("[G-5.3] an instance that failed over the word, ended or lost its lane is not told as having followed, and the log names it", async () => {
  const status = (phase: "running" | "paused" | "failed" | "stopped") => ({
    ...emptyStatus(spec(""), "starting"),
    phase,
  });
  const failed = { error_code: "RUMI-SYS-001", reason_code: null, error: "the disk is full", suggestion: "" };
  const replies: readonly LaneReply[] = [
    ok(status("running")),
    ok({ ...status("failed"), failure: failed }),
    ok(status("paused")),
    err({ ...failed, error_code: "RUMI-STR-036", reason_code: "M.LANE.LOST" }),
    ok(status("stopped")),
  ];
  const runs = new Map(
    replies.map((reply, n) => [`${RUN_ID.slice(0, -1)}${n}` as Uuid, { reply, slot: n, state: "hosted" as const }]),
  );
  const logged: string[] = [];
  const told = await new Promise<RunnerMessage>((resolve) => {
    const here: OrderedHere = {
      held: () => [...runs].map(([run_id, { slot, state }]) => ({ spec: { ...spec(""), run_id }, slot, state })),
      fence: { tell: () => undefined },
      lanes: { ask: async (run_id) => runs.get(run_id as Uuid)?.reply ?? err(failed) },
      send: resolve,
      log: (line) => logged.push(line),
    };
    new StandingOrders(here).take({
      type: "killswitch",
      generation: 7,
      rules: [{ scope: "all", id: "", level: "BLOCK" }],
    });
  });
  expect(told).toEqual({ type: "killswitch_followed", generation: 7, instances: 2 });
  const [, second, , fourth, fifth] = runs.keys();
  const words = "the kill switch of generation 7 is not on its record";
  expect(logged).toEqual([
    `run ${second}: ${words}: RUMI-SYS-001`,
    `run ${fourth}: ${words}: RUMI-STR-036`,
    `run ${fifth}: ${words}: stopped`,
  ]);
});

it("[G-5.3] outside NORMAL a FLATTEN is a BLOCK for whoever is here and whoever begins, since closing is placing too; in NORMAL it closes", () => {
  const levels: string[] = [];
  const held = { spec: spec(""), slot: 0, state: "hosted" as const };
  const orders = new StandingOrders({
    held: () => [held],
    fence: { tell: (_slot, word) => void levels.push(word.level) },
    lanes: { ask: async () => ok({ ...emptyStatus(held.spec, "starting"), phase: "running" as const }) },
    send: () => undefined,
    log: () => undefined,
  });
  const safety = (mode: "NORMAL" | "SAFE" | "EMERGENCY_STOP", generation: number) =>
    orders.take({ type: "safety", mode, generation });
  const kill = (level: "FLATTEN" | "CLOSE_ONLY", generation: number) =>
    orders.take({ type: "killswitch", generation, rules: [{ scope: "all", id: "", level }] });
  kill("FLATTEN", 1);
  safety("SAFE", 1);
  orders.begins(held);
  safety("EMERGENCY_STOP", 2);
  safety("NORMAL", 3);
  expect(levels).toEqual(["FLATTEN", "BLOCK", "BLOCK", "FLATTEN"]);
  safety("SAFE", 4);
  kill("CLOSE_ONLY", 2);
  kill("FLATTEN", 3);
  expect(levels.slice(4)).toEqual(["BLOCK", "CLOSE_ONLY", "BLOCK"]);
});
