/**
 * An edit races an execution: what runs is what was approved, or nothing. RUMI_SOAK multiplies the rounds; each that begins
 * a box takes a tenth of a second, so 10 gives a thousand of these too.
 */
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ok } from "@rumi/kernel";
import { createBlocks } from "@rumi/platform";
import { detectJails, detectPython, type JailMechanism } from "@rumi/sandbox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { openServedControl, type ServedControl } from "./served-control.ts";

const RUNNER_DIR = fileURLToPath(new URL("../../sandbox/python", import.meta.url));
const STARTS = 100 * Number(process.env["RUMI_SOAK"] ?? "1");
const ROUNDS = 10 * STARTS;
const APPROVED = "def run():\n    import part\n    return part.said() + ' approved'\n";
const TAMPERED = "def run():\n    return 'tampered'\n";
const PART = "def said():\n    return 'is'\n";
const TAMPERED_PART = "def said():\n    return 'tampered'\n";
const python = detectPython(process.env["PATH"] ?? "");
const mechanism = (await detectJails(python, "auto"))[0]?.mechanism as JailMechanism;

let world: ServedControl;
let blocks: ReturnType<typeof createBlocks>;
beforeAll(async () => {
  world = await openServedControl({ bare: true });
  blocks = createBlocks({
    verify: (pack_id) => world.library.verify(pack_id),
    home: () =>
      Promise.resolve(
        python.ok ? ok({ python: python.value, mechanism, isolation: "any", runner_dir: RUNNER_DIR }) : python,
      ),
  });
  const manifest = sampleManifest({ pack_id: "raced", pack_identity: "local:raced", strategies: [] });
  writePack(join(world.folder, "ecosystem/raced"), manifest, { "run.py": APPROVED, "part.py": PART });
  expect((await world.http("POST", "/api/packs/scan", "")).status).toBe(200);
  await approve();
});
afterAll(async () => {
  await blocks?.close();
  await world?.close();
});

async function approve(): Promise<void> {
  expect((await world.http("POST", "/api/packs/raced/approve")).status).toBe(200);
}
const call = () =>
  blocks.call({
    owner_pack: "raced",
    principal_id: "raced",
    file: "run.py",
    input: {},
    context: {},
    timeout_ms: 10_000,
    signal: new AbortController().signal,
  });

it.runIf(requires("python3"))(
  `[R-5.1] an edit that races an execution is never executed: ${ROUNDS} rounds`,
  async () => {
    const file = join(world.folder, "ecosystem/raced/run.py");
    const seen = { approved: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const running = call();
      const late = (round % 20) / 4; // from at once to five milliseconds
      // A small pack is verified in one go, so the edit that comes first of all waits for nothing.
      if (late > 0) await new Promise((resolve) => (late < 0.5 ? setImmediate(resolve) : setTimeout(resolve, late)));
      writeFileSync(file, TAMPERED);
      const first = await running;
      const next = await call();
      // Whatever began after the edit was done is refused.
      expect(next).toMatchObject({ kind: "failed", error_code: "RUMI-PACK-007" });
      if (first.kind === "output") {
        expect(first.output).toBe("is approved");
        seen.approved += 1;
      } else {
        expect(first.error_code).toBe("RUMI-PACK-007");
        seen.refused += 1;
      }
      writeFileSync(file, APPROVED);
      await approve();
    }
    // Both ends of the race were met, or nothing was raced.
    expect([seen.approved > 0, seen.refused > 0, seen.approved + seen.refused]).toEqual([true, true, ROUNDS]);
  },
  600_000,
);

it.runIf(requires("python3"))(
  `[R-5.1] an edit of the approved copy that races the start of a box is never executed: ${STARTS} rounds`,
  async () => {
    const [digest = ""] = readdirSync(join(world.folder, "user_data/packs"));
    const edits = [
      ["run.py", APPROVED, TAMPERED],
      ["part.py", PART, TAMPERED_PART],
    ] as const;
    const seen = { approved: 0, caught: 0, refused: 0 };
    for (let round = 0; round < STARTS; round += 1) {
      const [name, approved, tampered] = edits[round % 2] ?? edits[0];
      const file = join(world.folder, "user_data/packs", digest, name);
      await blocks.end("raced"); // so that its code is read anew
      const running = call();
      // From before it is verified until after it was imported.
      await new Promise((resolve) => setTimeout(resolve, (round % 40) * 5));
      chmodSync(file, 0o644);
      writeFileSync(file, tampered);
      const outcome = await running;
      if (outcome.kind === "output") {
        expect(outcome.output).toBe("is approved");
        seen.approved += 1;
      } else if (outcome.error_code === null) {
        expect(outcome.problem).toContain(`${name} is not what was approved`);
        seen.caught += 1;
      } else {
        expect(outcome.error_code).toBe("RUMI-PACK-007");
        seen.refused += 1;
      }
      expect(await call()).toMatchObject({ kind: "failed", error_code: "RUMI-PACK-007" });
      writeFileSync(file, approved);
      await approve();
    }
    expect([seen.approved > 0, seen.caught > 0, seen.approved + seen.caught + seen.refused]).toEqual([
      true,
      true,
      STARTS,
    ]);
  },
  600_000,
);
