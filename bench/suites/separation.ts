/**
 * What a low-latency lane feels of its neighbours: its hand-over beside Compute threads that saturate every core, and
 * beside plain burners at the same nice value, which is as good as the kernel can do (M-3.2.1).
 *
 * A Compute thread here is the production lane's machine, on a thread that was lowered as the runner lowers its own, taking
 * rows as fast as they come. The three situations take turns, so that whatever else the machine does meets all of them.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import { Worker, workerData } from "node:worker_threads";
import { COMPUTE_NICE, lowerThread } from "@rumi/runtime";
import { measured, type Measured, median, percentile } from "../measure.ts";
import { handover, type LaneArgument, openLane } from "./lane.ts";

const ROUNDS = 5;
const CORES = cpus().length;

export type ComputeWork = { readonly compute: LaneArgument };

/** A Compute thread that has always more to do. It ends with its worker. */
export function computeThread(): void {
  const { compute } = workerData as ComputeWork;
  const nice = lowerThread();
  if (nice !== COMPUTE_NICE) throw new Error(`the thread stands at nice ${nice}`);
  for (;;) {
    const lane = openLane(compute);
    for (let row = 0; row < 300_000; row += 1) {
      lane.row();
      lane.send();
    }
    lane.close();
  }
}

type Neighbours = { readonly end: () => Promise<unknown> };

async function burners(): Promise<Neighbours> {
  const all = Array.from({ length: CORES }, () =>
    spawn("nice", ["-n", String(COMPUTE_NICE), process.execPath, "-e", "for (;;);"], { stdio: "ignore" }),
  );
  await Promise.all(all.map((one) => once(one, "spawn")));
  return {
    end: () =>
      Promise.all(
        all.map((one) => {
          one.kill("SIGKILL");
          return once(one, "exit");
        }),
      ),
  };
}

async function computing(argument: LaneArgument): Promise<Neighbours> {
  const script = process.argv[1] ?? "";
  const workerData: ComputeWork = { compute: argument };
  const all = Array.from({ length: CORES }, () => new Worker(script, { workerData, name: "compute" }));
  await Promise.all(all.map((one) => once(one, "online")));
  return { end: () => Promise.all(all.map((one) => one.terminate())) };
}

const alone = (): Promise<Neighbours> => Promise.resolve({ end: () => Promise.resolve() });

export async function separationSuite(text: string): Promise<readonly Measured[]> {
  const argument = JSON.parse(text) as LaneArgument;
  const situations = { alone, burners, computing: () => computing(argument) };
  const tails: Record<keyof typeof situations, number[]> = { alone: [], burners: [], computing: [] };
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [name, begin] of Object.entries(situations) as [keyof typeof situations, () => Promise<Neighbours>][]) {
      const neighbours = await begin();
      tails[name].push(percentile(await handover(argument), 0.99));
      await neighbours.end();
    }
  return [
    measured("ll_alone_p99_us", "us", tails.alone),
    measured("ll_beside_burner_p99_us", "us", tails.burners),
    measured("ll_beside_compute_p99_us", "us", tails.computing),
    measured("ll_separation_ratio", "x", [median(tails.computing) / median(tails.burners)]),
  ];
}
