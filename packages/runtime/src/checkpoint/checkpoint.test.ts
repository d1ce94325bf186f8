import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Digest } from "@rumi/kernel";
import { build } from "esbuild";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "./format.ts";
import { CheckpointSlots } from "./slots.ts";

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
const folder = (): string => {
  const made = temporaryFolder();
  folders.push(made);
  return made.path;
};

const sample = (generation: number): Checkpoint => ({
  header: {
    schema_version: 1,
    generation,
    run_id: "0197a000-0000-7000-8000-000000000001",
    epoch: 3,
    pack_digest: `sha256:${"1".repeat(64)}` as Digest,
    config_digest: `sha256:${"2".repeat(64)}` as Digest,
    state_schema_version: 1,
    last_event_cursor: generation * 10,
    event_time_us: 1_600_000_000_000_000,
    journal_seq: 7,
    journal_chain: "00".repeat(32),
    next_intent_key: 5,
    machine: { health: "healthy" },
  },
  strategy: Uint8Array.from([1, 2, 3]),
  venue: Uint8Array.from([4, 5]),
});
const open = (path: string) => {
  const opened = CheckpointSlots.open(path);
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
};

describe("state checkpoint", () => {
  it("[M-6.1.1] carries schema version, checksum and cursor, and equals the golden vector", () => {
    const golden = JSON.parse(
      readFileSync(new URL("../../../../docs/formats/state-checkpoint.json", import.meta.url), "utf8"),
    ) as { hex: string };
    expect(encodeCheckpoint(sample(1)).toString("hex")).toBe(golden.hex);
    expect(decodeCheckpoint(Buffer.from(golden.hex, "hex"))).toEqual(sample(1));
  });

  it("[M-6.2.2] a flipped byte in the newest slot restores the previous one, keeps the evidence and says so; both: refused", () => {
    const path = folder();
    const slots = CheckpointSlots.create(path);
    for (const generation of [1, 2, 3]) expect(slots.write(sample(generation)).ok).toBe(true);
    const flip = (name: string, at: number): void => {
      const bytes = readFileSync(join(path, name));
      bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(join(path, name), bytes);
    };
    expect(open(path).restored.checkpoint?.header.generation).toBe(3);
    flip("a.checkpoint", 40);
    const { slots: next, restored } = open(path);
    expect(restored.checkpoint?.header.generation).toBe(2);
    expect(restored.damaged).toEqual([
      { slot: "a.checkpoint", problem: "its checksum does not match", evidence: "a.checkpoint.damaged-1" },
    ]);
    expect(readdirSync(path)).toContain("a.checkpoint.damaged-1");
    expect(next.write(sample(next.nextGeneration)).ok).toBe(true);
    flip("a.checkpoint", 2);
    flip("b.checkpoint", 100);
    const both = CheckpointSlots.open(path);
    expect(both.ok ? "opened" : both.error.code).toBe("RUMI-STR-023");
  });

  it(
    "[M-6.2.1] [M-0.3] kill -9 during checkpoint 100 times: a valid one is always restored",
    { timeout: 120_000 },
    async () => {
      const path = folder();
      const bundle = join(path, "child.mjs");
      await build({
        stdin: { contents: CHILD, resolveDir: fileURLToPath(new URL(".", import.meta.url)), loader: "ts" },
        bundle: true,
        platform: "node",
        format: "esm",
        outfile: bundle,
        logLevel: "error",
      });
      const directory = join(path, "slots");
      let before = 0;
      for (let round = 0; round < 100; round += 1) {
        const child = spawn(process.execPath, [bundle, directory], { stdio: ["ignore", "pipe", "inherit"] });
        let reported = before;
        child.stdout.on("data", (text: Buffer) => {
          for (const line of text.toString().trim().split("\n"))
            if (/^\d+$/.test(line)) reported = Math.max(reported, Number(line));
        });
        await once(child.stdout, "data");
        await new Promise((resolve) => setTimeout(resolve, (round * 7) % 23));
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
        const { restored } = open(directory);
        expect(restored.damaged).toEqual([]);
        const generation = restored.checkpoint?.header.generation ?? 0;
        expect(generation).toBeGreaterThanOrEqual(before);
        expect(restored.checkpoint?.strategy.every((byte) => byte === generation % 251)).toBe(true);
        before = generation;
      }
      expect(before).toBeGreaterThan(100);
    },
  );
});

const CHILD = `
import { CheckpointSlots } from "./slots.ts";
const opened = CheckpointSlots.open(process.argv[2]);
if (!opened.ok) throw new Error(JSON.stringify(opened.error));
const { slots } = opened.value;
for (;;) {
  const generation = slots.nextGeneration;
  const header = { schema_version: 1, generation, run_id: "r", epoch: 1, pack_digest: "p", config_digest: "c", state_schema_version: 1, last_event_cursor: generation, event_time_us: 0, journal_seq: 0, journal_chain: "", next_intent_key: 1, machine: {} };
  const wrote = slots.write({ header, strategy: new Uint8Array(200_000).fill(generation % 251), venue: new Uint8Array(8) });
  if (!wrote.ok) throw new Error(JSON.stringify(wrote.error));
  process.stdout.write(generation + "\\n");
}
`;
