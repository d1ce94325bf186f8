/** A scan of 500 packs over HTTP against the bundled program: every file of each is read and hashed, every manifest judged. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundles } from "../bundles.ts";
import { measured, type Measured } from "../measure.ts";
import { startBenchProgram } from "../program.ts";

const PACKS = 500;
const FILES = 10;
const FILE_BYTES = 4_096;
const RUNS = 5;

export async function packsSuite(bundles: Bundles, home: string): Promise<readonly Measured[]> {
  writePacks(join(home, "ecosystem"));
  const program = await startBenchProgram({ program: bundles.program, home });
  try {
    const runs: number[] = [];
    // The first scan finds them all anew and writes them down; each later one reads them all again.
    for (let run = 0; run < RUNS; run += 1) {
      const began = performance.now();
      const reply = await fetch(`${program.url}/api/packs/scan`, {
        method: "POST",
        headers: { authorization: `Bearer ${program.token}` },
      });
      const text = await reply.text();
      runs.push(performance.now() - began);
      if (reply.status !== 200) throw new Error(`the scan was refused: ${text}`);
    }
    return [measured("pack_scan_500_ms", "ms", runs)];
  } finally {
    await program.stop();
  }
}

function writePacks(ecosystem: string): void {
  for (let at = 0; at < PACKS; at += 1) {
    const pack_id = `pack-${at}`;
    const folder = join(ecosystem, pack_id);
    mkdirSync(join(folder, "blocks"), { recursive: true });
    const manifest = { pack_id, pack_identity: `bench:${pack_id}`, version: "1.0.0", vocabulary: { types: ["block"] } };
    writeFileSync(join(folder, "ecosystem.json"), JSON.stringify(manifest));
    for (let file = 0; file < FILES; file += 1)
      writeFileSync(join(folder, `blocks/b${file}.py`), `# ${pack_id} ${file}\n`.padEnd(FILE_BYTES, "#"));
  }
}
