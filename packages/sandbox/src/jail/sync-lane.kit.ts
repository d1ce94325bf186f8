/** A lane's thread with a jail, and its watchdog here, for sync-process.test.ts and its fixture. */
import { Worker } from "node:worker_threads";
import {
  createJailWatch,
  type JailMechanism,
  type JailSpec,
  type JailWatchdogOptions,
  type PythonFacts,
  startJailWatchdog,
} from "../index.ts";

/** The same in every thread. */
export const clockMs = (): number => Number(process.hrtime.bigint()) / 1e6;

export type Said = {
  readonly took_ms: number;
  /** When the lane's thread had the answer, by {@link clockMs}, and how long it had waited for a processor meanwhile. */
  readonly until_ms: number;
  readonly waited_ms: number;
  readonly answer: unknown;
  readonly p50_us: number;
  readonly p99_us: number;
  readonly log: { readonly bytes_seen: number };
};
export type Lane = {
  /** Of the process that was started; the strategy's is the last one below it. */
  readonly pid: number;
  readonly ask: (message: object) => Promise<Said>;
  readonly stop: () => Promise<void>;
};

export type LaneOrder = {
  readonly mechanism: JailMechanism;
  readonly python: PythonFacts;
  readonly script: string;
  readonly folder: string;
} & Partial<JailWatchdogOptions>;

const now_ms = (): number => performance.now();

export async function openLane({ mechanism, python, script, folder, ...more }: LaneOrder): Promise<Lane> {
  const spec: JailSpec = {
    mechanism,
    isolation: "strict",
    program: { kind: "python", python, script },
    args: [],
    read_only_binds: [folder],
    memory_bytes: 536_870_912,
    nofile: 32,
    fsize_bytes: 0,
    tmp_bytes: 0,
    threads: 1,
    log_bytes_per_second: 65_536,
    log_bytes_per_run: 65_536,
    start_deadline_ms: 10_000,
  };
  const watch = createJailWatch();
  const stopWatchdog = startJailWatchdog(watch, { now_ms, every_ms: 2, ...more });
  const fixture = new URL("./sync-lane.fixture.ts", import.meta.url).href;
  const worker = new Worker(
    `import("tsx/esm/api").then((api) => { api.register(); return import(${JSON.stringify(fixture)}); });`,
    { eval: true, workerData: { spec, watch } },
  );
  const next = (): Promise<Said> =>
    new Promise((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", reject);
    });
  const first = (await next()) as unknown as { readonly weaker?: readonly string[]; readonly pid?: number };
  const { pid } = first;
  if (first.weaker?.length !== 0 || pid === undefined) throw new Error(`no strict jail: ${JSON.stringify(first)}`);
  return {
    pid,
    ask: (message) => {
      const answer = next();
      worker.postMessage(message);
      return answer;
    },
    stop: async () => {
      worker.postMessage({ stop: true });
      await worker.terminate();
      stopWatchdog();
    },
  };
}
