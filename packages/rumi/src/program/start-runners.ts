/** The runners of this machine: the socket to which they dial, and the supervisor that starts what does not live. */
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createRunnerSupervisor,
  listenForRunners,
  readRunners,
  runnerSocketPath,
  type ControlPlane,
  type RunnerSocketServer,
  type RunnerSupervisor,
} from "@rumi/control";
import { millis, ok, uuidv7, type Failure, type Result } from "@rumi/kernel";
import type { Store } from "@rumi/store";
import type { HeldHome } from "./open-home.ts";
import type { ProgramOptions, Started } from "./parts.ts";
import { runnerProcess } from "./runner-process.ts";

/** How long a runner of an earlier program is given to dial before a new one is started. */
const SURVIVOR_WAIT_MS = 3_000;
/** How long runners get to stop in order. */
const RUNNER_GRACE_MS = 10_000;

export async function startRunners(
  control: ControlPlane,
  store: Store,
  held: HeldHome,
  options: ProgramOptions,
): Promise<Result<readonly Started[], Failure>> {
  const { installation, clock, random, logger } = options;
  const { paths, home, runner_key_file } = held;
  const path = runnerSocketPath(join(paths.runners, "control.sock"), tmpdir());
  if (!path.ok) return path;
  const key = new Uint8Array(Buffer.from(readFileSync(runner_key_file, "utf8").trim(), "hex"));
  const listening = await listenForRunners({
    path: path.value,
    key,
    home_id: home.home_id,
    clock,
    random,
    logger: logger.child("runners"),
    onConnection: (connection) => control.hub.attach(connection),
  });
  if (!listening.ok) return listening;
  const socket: RunnerSocketServer = listening.value;
  const known = await readRunners(store, store);
  const supervisor: RunnerSupervisor = createRunnerSupervisor({
    hub: control.hub,
    clock,
    logger: logger.child("runners"),
    survivors: { expected: known.some((runner) => runner.state === "connected"), wait: millis(SURVIVOR_WAIT_MS) },
    endProcess: (pid) => {
      try {
        process.kill(pid, "SIGKILL");
      } catch (problem) {
        logger.info("a runner's process had ended by itself", { pid, problem: String(problem) });
      }
    },
    spawn: () => {
      const runner_id = `local-${uuidv7(clock.now(), random).slice(-12)}`;
      return runnerProcess({
        runner_id,
        entry: installation.runner,
        log_folder: paths.runners,
        arguments: [
          "--socket",
          socket.path,
          "--key-file",
          runner_key_file,
          "--runner-id",
          runner_id,
          "--lane-url",
          installation.lane_worker.href,
          "--sdk-dir",
          installation.python_sdk,
          "--runner-dir",
          installation.jail_scripts,
          "--container-engine",
          options.settings.container_engine,
        ],
      });
    },
  });
  const stopped = new AbortController();
  const running = supervisor.run(stopped.signal);
  return ok([
    { name: "runner socket", stop: () => socket.close() },
    {
      name: "runners",
      stop: async () => {
        await supervisor.shutdown(millis(RUNNER_GRACE_MS));
        stopped.abort();
        await running;
      },
    },
  ]);
}
