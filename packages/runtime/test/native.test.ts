/** A native strategy (rust_native) that attacks from inside its jail, beside a neighbour that goes on. */
import { createServer } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  makeTelemetryHint,
  makeTradeEvent,
  OUTPUT_KIND,
  readTelemetryHint,
  RecordWalker,
  writeTradeEvent,
} from "@rumi/abi";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { Caller } from "../src/instance/calls.ts";
import { FAULTED } from "../src/strategy/strategy.ts";
import { openNativeStrategy, type ProcessStrategy } from "../src/strategy/process.ts";
import { type Guarding, startGuard } from "./guard.ts";
import { descriptor, spec } from "./support.ts";
import { compileRust } from "./toolchains.ts";

const MEGABYTE = 1_048_576;
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const BOXES = [
  ["bubblewrap", "L1"],
  ["runc", "L3"],
] as const;

describe.runIf(requires("rust-wasm")).each(BOXES.filter(([mechanism]) => requires(mechanism)))(
  "attacks from inside a native strategy in %s",
  (mechanism, level) => {
    const folder = temporaryFolder();
    const arrived: string[] = [];
    const tcp = createServer(() => arrived.push("tcp"));
    let port = 0;
    let bytes: Uint8Array;
    let guard: Guarding;
    let beside: Guarding;
    let neighbour: ProcessStrategy;
    const open = (by: Guarding, event_timeout_ms: number): ProcessStrategy => {
      const base = descriptor();
      const opened = openNativeStrategy({
        descriptor: {
          ...base,
          runtime_kind: "rust_native",
          resources: { ...base.resources, memory_bytes: 256 * MEGABYTE, threads: 1, event_timeout_ms },
        },
        bytes,
        mechanism,
        isolation: "strict",
        watch: by.watch,
        now_ms: by.now_ms,
      });
      if (!opened.ok) throw new Error(JSON.stringify(opened.error));
      const { descriptor: _, ...rest } = spec("");
      const started = new Caller(opened.value).init({
        identity: { ...rest, strategy_version: "1.0.0" },
        mode: "paper",
        seed: "s",
        instruments: [],
        config: {},
        next_intent_key: 1,
        state_version: 0,
        state: new Uint8Array(),
      });
      if (started !== 0) throw new Error(JSON.stringify(opened.value.fault()));
      return opened.value;
    };
    /** What it said of `attack`: scores by tag, or the fault. */
    const attempt = (on: ProcessStrategy, attack: number): Readonly<Record<string, number | string>> => {
      const at = on.room(96);
      const header = new Caller(on).header;
      const trade = { ...makeTradeEvent(), price: attack, quantity: port };
      const length = on.invoke(2, writeTradeEvent(on.views, at, header, trade));
      if (length === FAULTED) return { fault: on.fault()?.kind ?? "", reason: on.fault()?.reason_code ?? "" };
      const said: Record<string, number> = {};
      const walker = new RecordWalker();
      walker.begin(on.views, on.outputAt(length), length);
      for (let kind = walker.step(); kind > 0; kind = walker.step()) {
        if (kind !== OUTPUT_KIND.telemetry_hint) continue;
        const hint = makeTelemetryHint();
        expect(readTelemetryHint(on.views, walker.at, walker.length, hint)).toBe("");
        said[hint.tag] = hint.score;
      }
      return said;
    };
    const neighbourAlive = (): void => expect(attempt(neighbour, 99)).toEqual({});

    beforeAll(async () => {
      const outfile = join(folder.path, "attacker");
      await compileRust({ source: here("native/attacker.rs"), outfile, kind: "rust_native" });
      bytes = new Uint8Array(readFileSync(outfile));
      [guard, beside] = [await startGuard(), await startGuard()];
      neighbour = open(beside, 5_000);
      await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
      const address = tcp.address();
      port = typeof address === "object" && address !== null ? address.port : 0;
    }, 120_000);
    afterAll(async () => {
      neighbour.close();
      await Promise.all([guard.stop(), beside.stop()]);
      tcp.close();
      folder.remove();
    });

    it("[M-2.1.6] [M-5.1.1] runs in a jail of its own, and says which", () => {
      expect(neighbour.isolation.level).toBe(level);
      expect(neighbour.isolation.mechanism).toMatch(new RegExp(`^${mechanism}`));
      neighbourAlive();
    });

    it("[M-2.1.6] [M-5.2.1] a loop without end is killed at its deadline", () => {
      const box = open(guard, 300);
      const began = performance.now();
      expect(attempt(box, 1)).toEqual({ fault: "deadline", reason: "M.SANDBOX.DEADLINE" });
      expect(performance.now() - began).toBeLessThan(2_000);
      neighbourAlive();
      expect(box.reset()).toBeNull();
      box.close();
    });

    it.each([
      ["[M-5.2.2] memory beyond its own", 2],
      ["[M-5.2.2] fork and exec of another program", 3],
      ["[M-5.2.3] TCP and UDP", 4],
      ["[M-5.2.3] Unix sockets", 5],
      ["[M-5.2.3] files of the host", 6],
      ["[M-5.2.3] writing outside, or into itself", 7],
      ["[M-5.2.2] a thread more than declared", 8],
      ["[M-5.2.3] secrets of the host's environment", 10],
      ["[M-5.2.2] more than its share of /tmp", 14],
    ])("[M-2.1.6] %s: refused, and the neighbour runs on", (_, number) => {
      process.env["RUMI_TEST_SECRET"] = "planted";
      const box = open(guard, 10_000);
      const said = attempt(box, number);
      expect(said["could"]).toBe(0);
      if (number === 2) expect(said["megabytes"]).toBeLessThan(256);
      box.close();
      neighbourAlive();
      expect(arrived).toEqual([]);
    });

    it.each([
      ["[M-5.2.6] a panic", 9, "exit"],
      ["[M-5.2.3] becoming another program", 11, /^(exit|frame|deadline)$/],
      ["[M-5.2.4] a flood of log lines", 12, undefined],
      ["junk in the pipe", 13, /^frame|deadline$/],
    ])("[M-2.1.6] %s harms itself alone", (_, number, fault) => {
      const box = open(guard, 1_000);
      const said = attempt(box, number);
      if (fault !== undefined) expect(said["fault"]).toMatch(fault);
      if (number === 9) expect(box.fault()?.evidence).toContain("as I like");
      expect(box.logText().length).toBeLessThanOrEqual(descriptor().resources.log_bytes_per_run);
      box.close();
      neighbourAlive();
    });
  },
);
