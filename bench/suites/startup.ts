/** From spawning the process to ready, in a home that was started before. */
import type { Bundles } from "../bundles.ts";
import { measured, repeat, type Measured } from "../measure.ts";
import { startBenchProgram } from "../program.ts";

const RUNS = 5;

export async function startupSuite(bundles: Bundles, home: string): Promise<readonly Measured[]> {
  const once = async (): Promise<number> => {
    const program = await startBenchProgram({ program: bundles.program, home });
    await program.stop();
    return program.startup_ms;
  };
  await once();
  return [measured("startup_ms", "ms", await repeat(RUNS, once))];
}
