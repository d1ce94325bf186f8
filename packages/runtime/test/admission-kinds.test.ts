/** The judgement of an event's deadline at admission, over every kind of strategy in its real box. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RuntimeKind } from "@rumi/abi";
import { digestOf, ok } from "@rumi/kernel";
import { detectPython } from "@rumi/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { admit, type AdmissionCheck } from "../src/admission/admit.ts";
import { deadlineProblem } from "../src/admission/deadline.ts";
import { type Guarding, startGuard } from "./guard.ts";
import { descriptor, spec } from "./support.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const TIMEOUT_MS = 200;
/** For the slow ones: a whole smoke run of them stays far below the seconds that one may take. */
const SLOW_TIMEOUT_MS = 50;

const python = (event: string): string => `import time
import rumi_sdk as rumi


class Slow(rumi.Strategy):
    def on_event(self, ctx, event):
        ${event}
`;
/** A native program need not be compiled: what the kernel executes will do. Its saved state is the two words of the record. */
const native = (event: string): string => `#!/usr/bin/python3 -s
import os, struct, time
def take(n):
    b = b""
    while len(b) < n:
        c = os.read(0, n - len(b))
        if not c: os._exit(0)
        b += c
    return b
os.write(1, bytes(4))
while True:
    m = take(struct.unpack("<I", take(4))[0])
    if m[0] == 2:
        ${event}
    out = struct.pack("<6I", 20, 24, 1, 8, 0, 0) if m[0] == 6 else b""
    os.write(1, struct.pack("<IiI", len(out) + 8, 0, 1) + out)
`;
const script = (event: string): string => `globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const head = new Uint32Array(memory, inputAt - 8, 2), out = new Uint32Array(memory, outputAt, 8);
  return () => {
    if (head[0] === 6) { out[0] = 20; out[1] = 24; out[2] = 1; out[3] = 8; out[4] = 0; out[5] = 0; return 24; }
    if (head[0] === 2) { ${event} }
    return 0;
  };
};`;

const SOURCES = {
  python: { file: "strategy.py", of: python, quick: "pass", slow: "time.sleep(0.03)", endless: "while True: pass" },
  rust_native: { file: "strategy", of: native, quick: "pass", slow: "time.sleep(0.03)", endless: "while True: pass" },
  typescript: { file: "strategy.js", of: script, quick: "", slow: "", endless: "for (;;) {}" },
} as const;

describe.runIf(requires("python3") && requires("bubblewrap"))(
  "[M-12.1] [M-5.2.1] an event's deadline at admission",
  () => {
    const room = temporaryFolder();
    let guard: Guarding;
    beforeAll(async () => {
      chmodSync(room.path, 0o755);
      guard = await startGuard();
    });
    afterAll(async () => {
      await guard.stop();
      room.remove();
    });

    function checksOf(
      kind: keyof typeof SOURCES,
      event: string,
      fuel_per_event = 20_000_000,
      event_timeout_ms = TIMEOUT_MS,
    ): readonly AdmissionCheck[] {
      const { file, of } = SOURCES[kind];
      const pack_dir = join(room.path, crypto.randomUUID());
      mkdirSync(pack_dir, { mode: 0o755 });
      const source = of(event);
      writeFileSync(join(pack_dir, file), source);
      const found = detectPython("");
      if (!found.ok) throw new Error("the suite needs Python");
      const base = descriptor();
      return admit({
        ...spec(""),
        descriptor: {
          ...base,
          runtime_kind: kind satisfies RuntimeKind,
          entrypoint: file,
          binary_hash: digestOf(source),
          capabilities: { ...base.capabilities, lane: kind === "typescript" ? "ll" : "compute" },
          resources: { ...base.resources, event_timeout_ms, fuel_per_event, memory_bytes: 268_435_456 },
        },
        pack_dir,
        isolation: "strict",
        native: guard,
        python: {
          ...guard,
          home: {
            python: found.value,
            mechanism: "bubblewrap",
            sdk_dir: at("../../../sdk/python"),
            runner_dir: at("../../sandbox/python"),
          },
        },
        monotonic: () => performance.now(),
      }).checks;
    }
    const refusal = (checks: readonly AdmissionCheck[]): string => {
      const bad = checks.find((one) => !one.passed);
      return bad === undefined ? "admitted" : `${bad.check} ${bad.reason_code ?? ""}`;
    };

    it.each(["python", "rust_native", "typescript"] as const)(
      "%s: what its events took is in the report of one that is quick",
      { timeout: 180_000 },
      (kind) => {
        const checks = checksOf(kind, SOURCES[kind].quick);
        expect(refusal(checks), JSON.stringify(checks)).toBe("admitted");
        const pace = checks.find((one) => one.check === "pace")?.detail ?? "";
        expect(pace).toMatch(
          /^\d+ events, half of them within [\d.]+ ms, the slowest [\d.]+ ms; event_timeout_ms is \d+$/,
        );
        expect(Number.parseInt(pace, 10)).toBeGreaterThanOrEqual(20);
      },
    );

    it.each(["python", "rust_native"] as const)(
      "%s: one that needs more than half of its time for an ordinary event is refused",
      { timeout: 180_000 },
      (kind) =>
        expect(refusal(checksOf(kind, SOURCES[kind].slow, undefined, SLOW_TIMEOUT_MS))).toMatch(
          /^(pace M\.ADMISSION|smoke M\.SANDBOX)\.DEADLINE$/,
        ),
    );

    it.each([
      ["python", "smoke M.SANDBOX.DEADLINE"],
      ["rust_native", "smoke M.SANDBOX.DEADLINE"],
      ["typescript", "smoke M.SANDBOX.FUEL_EXHAUSTED"],
    ] as const)("%s: one whose event never ends is stopped and refused", { timeout: 180_000 }, (kind, words) =>
      expect(refusal(checksOf(kind, SOURCES[kind].endless))).toBe(words),
    );

    it("typescript: fuel that may take longer than the deadline on this machine is refused before anything of it runs", () => {
      expect(refusal(checksOf("typescript", "", 1_000_000_000))).toMatch(/^deadline M\.ADMISSION\.DEADLINE$/);
      const { resources } = descriptor();
      const judged = (ns: number): string | undefined =>
        deadlineProblem(
          {
            runtime_kind: "typescript",
            resources: { ...resources, fuel_per_event: 20_000_000, event_timeout_ms: 100 },
          },
          () => ok(ns),
        )?.reason_code;
      expect([judged(0.25), judged(1.2), judged(1.3)]).toEqual([undefined, undefined, "M.ADMISSION.DEADLINE"]);
    });
  },
);
