/**
 * Whatever Python of a pack imports from it is what was approved: an edit after the pack's verification, and before the
 * import, is never executed. Strategies and services, by the path and by the file's place.
 */
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, type Digest } from "@rumi/kernel";
import { detectJails, detectPython } from "@rumi/sandbox";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { type BacktestResult, runBacktest } from "../src/backtest.ts";
import { openServices } from "../src/service/open.ts";
import { loadStrategy } from "../src/strategy/load.ts";
import type { PythonHome } from "../src/strategy/process.ts";
import { type Guarding, startGuard } from "./guard.ts";
import { descriptor, market, spec } from "./support.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SAID = 'def said():\n    return "as approved"\n';
const TAMPERED = 'def said():\n    return "tampered"\n';
const BY_PATH = `import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from inner.part import said
`;
const BY_PLACE = `import importlib.util, os
spec = importlib.util.spec_from_file_location("part", os.path.join(os.path.dirname(__file__), "inner/part.py"))
part = importlib.util.module_from_spec(spec)
spec.loader.exec_module(part)
said = part.said
`;
const STRATEGY = `import rumi_sdk as rumi


class Telling(rumi.Strategy):
    def on_init(self, ctx, config, state):
        raise RuntimeError("I am " + said())
`;
const SERVICE = 'def answer(request):\n    return {"word": said()}\n';
const CONTRACT = {
  name: "said",
  entrypoint: "service.py",
  request: { type: "object", properties: {}, required: [], additionalProperties: false },
  answer: {
    type: "object",
    properties: { word: { type: "string", enum: ["as approved", "tampered"] } },
    required: ["word"],
    additionalProperties: false,
  },
  timeout_ms: 10_000,
  staleness_us: 60_000_000,
} as const;

describe.runIf(requires("python3"))("what Python imports from its pack", () => {
  const folder = temporaryFolder();
  const pack = join(folder.path, "pack");
  const part = join(pack, "inner/part.py");
  let guard: Guarding;
  let home: PythonHome;
  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    guard = await startGuard();
    const python = detectPython("");
    const jail = (await detectJails(python)).find((one) => one.available);
    if (!python.ok || jail === undefined) throw new Error("this machine has a jail");
    const { mechanism } = jail;
    home = {
      python: python.value,
      mechanism,
      sdk_dir: at("../../../sdk/python"),
      runner_dir: at("../../sandbox/python"),
    };
  });
  afterAll(async () => {
    await guard.stop();
    folder.remove();
  });
  beforeEach(() => {
    mkdirSync(join(pack, "inner"), { recursive: true });
    writeFileSync(part, SAID);
  });
  afterEach(() => rmSync(pack, { recursive: true }));

  /** What the strategy says when it begins. */
  function begun(source: string, pack_digest: Digest | undefined, before: () => void): string {
    const opened = loadStrategy({
      descriptor: descriptor({
        runtime_kind: "python",
        entrypoint: "strategy.py",
        binary_hash: digestOf(source),
        resources: { ...descriptor().resources, memory_bytes: 268_435_456, event_timeout_ms: 5_000 },
      }),
      pack_dir: pack,
      ...(pack_digest === undefined ? {} : { pack_digest }),
      isolation: "any",
      python: { ...guard, home },
    });
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    before();
    const { venue, limits } = spec("");
    const result = runBacktest({
      descriptor: descriptor({ runtime_kind: "python", entrypoint: "strategy.py", binary_hash: digestOf(source) }),
      pack_dir: pack,
      config: {},
      seed: "s",
      instruments: [DEMO_INSTRUMENT],
      feed: market(10),
      venue,
      limits,
      keep: "digest",
      monotonic: () => performance.now(),
      strategy: opened.value,
    });
    opened.value.close();
    return result.ok ? said(result.value) : JSON.stringify(result.error);
  }
  const said = ({ failure, health_state }: BacktestResult): string => `${health_state}: ${failure?.error ?? ""}`;
  async function answered(source: string, pack_digest: Digest | undefined, before: () => void): Promise<unknown> {
    writeFileSync(join(pack, "service.py"), source);
    const of = pack_digest === undefined ? {} : { pack_digest };
    const opened = openServices({ services: [CONTRACT], pack_dir: pack, ...of, isolation: "any" }, home);
    if (!opened.ok || opened.value === null) throw new Error(JSON.stringify(opened));
    before();
    const { signal } = (await opened.value.ask({ service: "said", request_id: 1, json: "{}", as_of_us: 7 })) as {
      readonly signal: Readonly<Record<string, unknown>>;
    };
    opened.value.close();
    return signal["answer"] ?? signal["error"];
  }
  const ways = [
    ["by the path", BY_PATH],
    ["by the file's place", BY_PLACE],
  ] as const;
  const edits = [
    ["edited", () => writeFileSync(part, TAMPERED)],
    ["beside a file that nobody approved", () => writeFileSync(join(pack, "inner/more.py"), "")],
    ["made executable", () => chmodSync(part, 0o755)],
  ] as const;

  it.each(ways)("[M-2.1.5] of a strategy, %s, is what was approved", { timeout: 180_000 }, (_, importing) => {
    const source = importing + STRATEGY;
    writeFileSync(join(pack, "strategy.py"), source);
    expect(begun(source, digestAt(pack), () => undefined)).toContain("I am as approved");
    for (const [what, edit] of edits) {
      const digest = digestAt(pack);
      const before = begun(source, digest, edit);
      expect(before, what).toMatch(/what was approved/);
      expect(before, what).not.toMatch(/I am/);
      rmSync(join(pack, "inner"), { recursive: true });
      mkdirSync(join(pack, "inner"));
      writeFileSync(part, SAID);
    }
    // The same edit is executed where nobody says what was approved: the digest is what holds it.
    expect(begun(source, undefined, () => writeFileSync(part, TAMPERED))).toContain("I am tampered");
  });

  it.each(ways)("[M-13.1] of a service, %s, is what was approved", { timeout: 180_000 }, async (_, importing) => {
    const source = importing + SERVICE;
    writeFileSync(join(pack, "service.py"), source);
    expect(await answered(source, digestAt(pack), () => undefined)).toEqual({ word: "as approved" });
    for (const [what, edit] of edits) {
      expect(await answered(source, digestAt(pack), edit), what).toBe("M.SERVICE.FAILED");
      rmSync(join(pack, "inner"), { recursive: true });
      mkdirSync(join(pack, "inner"));
      writeFileSync(part, SAID);
    }
    expect(await answered(source, undefined, () => writeFileSync(part, TAMPERED))).toEqual({ word: "tampered" });
  });

  it("[M-13.1] a service's own file is held too: edited after it was approved it answers nothing", async () => {
    writeFileSync(join(pack, "service.py"), `${BY_PATH}${SERVICE}`);
    const digest = digestAt(pack);
    const edited = () =>
      writeFileSync(join(pack, "service.py"), 'def answer(request):\n    return {"word": "tampered"}\n');
    expect(await answered(`${BY_PATH}${SERVICE}`, digest, edited)).toBe("M.SERVICE.FAILED");
  });
});

/** docs/formats/pack-digest.md, by a hand of its own. */
function digestAt(root: string): Digest {
  const lines = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const mode = (statSync(path).mode & 0o100) === 0 ? "100644" : "100755";
      const hash = createHash("sha256").update(readFileSync(path)).digest("hex");
      return `${mode} ${hash} ${path.slice(root.length + 1)}\n`;
    });
  return digestOf(lines.toSorted().join(""));
}
