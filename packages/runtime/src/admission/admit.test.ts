import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StrategyDescriptor } from "@rumi/abi";
import { digestOf, type InstrumentId, ok } from "@rumi/kernel";
import { createJailWatch, detectPython, startJailWatchdog } from "@rumi/sandbox";
import { afterAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { descriptor, FIXTURE_DIR, spec } from "../../test/support.ts";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { fileURLToPath } from "node:url";
import { admissionKey, admit } from "./admit.ts";
import { deadlineProblem } from "./deadline.ts";
import { syntheticFeed } from "./synthetic.ts";

const check = (change: Partial<StrategyDescriptor>, more: Partial<Parameters<typeof admit>[0]> = {}): string => {
  const report = admit({ ...spec(""), descriptor: descriptor(change), monotonic: () => performance.now(), ...more });
  const failed = report.checks.find((one) => !one.passed);
  expect(report.admitted).toBe(failed === undefined);
  return failed === undefined ? "admitted" : `${failed.check} ${failed.reason_code ?? ""}`;
};

describe("admission", () => {
  it("[M-12.1] [M-1.1.4] a sound strategy is admitted and every check is in the report", () => {
    expect(check({})).toBe("admitted");
    expect(admit({ ...spec(""), monotonic: () => performance.now() }).checks.map((one) => one.check)).toEqual([
      "descriptor",
      "lane",
      "capabilities",
      "config",
      "deadline",
      "binary_hash",
      "isolation",
      "abi_version",
      "smoke",
      "pace",
      "state_schema",
    ]);
  });
  it("[M-12.1] one failing example of each is refused before start with its reason code", () => {
    const capabilities = descriptor().capabilities;
    const { resources } = descriptor();
    expect(check({ strategy_version: "1" })).toBe("descriptor M.DESCRIPTOR.MALFORMED");
    expect(check({ capabilities: { ...capabilities, venues: ["OTHER"] } })).toBe(
      "capabilities M.CAPABILITY.VENUE_NOT_ALLOWED",
    );
    expect(check({ capabilities: { ...capabilities, instruments: ["A.B"] } })).toBe(
      "capabilities M.CAPABILITY.INSTRUMENT_NOT_ALLOWED",
    );
    expect(check({}, { config: { surprise: 1 } })).toBe("config M.CONFIG.UNKNOWN");
    expect(check({ resources: { ...resources, fuel_per_event: 10 } })).toBe("smoke M.SANDBOX.FUEL_EXHAUSTED");
    expect(check({ state_schema_version: 2 })).toBe("smoke M.STATE.SCHEMA_VERSION");
    expect(check({}, { saved_state_version: 2 })).toBe("state_schema M.STATE.INCOMPATIBLE");
  });
  it("[M-12.1] [M-2.1] a field that no contract knows is refused wherever it stands, and so is a value of another type", () => {
    const { capabilities, resources, io_contracts } = descriptor();
    const field = { type: "integer", required: false, default: 1 } as const;
    for (const odd of [
      { surprise: 1 },
      { capabilities: { ...capabilities, network: ["*"] } },
      { resources: { ...resources, gpu: 1 } },
      { resources: { ...resources, threads: "1" } },
      { resources: { ...resources, cpu: 2 } },
      { io_contracts: { ...io_contracts, orders: 1 } },
      { config_schema: { a: { ...field, eval: "1" } } },
      { entrypoint: "../outside.wasm" },
      { runtime_kind: "node" },
    ])
      expect([odd, check(odd as unknown as Partial<StrategyDescriptor>)]).toEqual([
        odd,
        expect.stringMatching(/^descriptor M\.DESCRIPTOR\./),
      ]);
  });
  it("[M-3.2.2] [M-13.1] an external service on the low-latency lane is refused", () => {
    const refused = check({ capabilities: { ...descriptor().capabilities, external_services: ["model"] } });
    expect(refused).toMatch(/^(lane M\.LANE\.EXTERNAL_ON_LL|descriptor )/);
    const { capabilities } = descriptor();
    for (const more of [{ services: ["score"] }, { external_services: ["model.example:443"] }])
      expect(check({ capabilities: { ...capabilities, ...more } })).toBe("lane M.LANE.EXTERNAL_ON_LL");
    expect(check({ capabilities: { ...capabilities, lane: "compute", services: ["score"] } })).toBe("admitted");
  });
  it("[M-2.1.5] one flipped byte of the binary refuses the start", () => {
    const folder = temporaryFolder();
    try {
      const path = join(folder.path, "crossing.wasm");
      copyFileSync(join(FIXTURE_DIR, "crossing.wasm"), path);
      expect(check({}, { pack_dir: folder.path })).toBe("admitted");
      const bytes = readFileSync(path);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      expect(check({}, { pack_dir: folder.path })).toBe("binary_hash M.DESCRIPTOR.BINARY_HASH");
      writeFileSync(path, "not wasm");
      expect(check({ binary_hash: digestOf("not wasm") }, { pack_dir: folder.path })).toMatch(/^isolation M\./);
    } finally {
      folder.remove();
    }
  });
});

describe("what a runner need not smoke again", () => {
  const request = { ...spec(""), monotonic: () => performance.now() };
  const checks = (change: Partial<Parameters<typeof admit>[0]>): readonly string[] =>
    admit({ ...request, ...change }).checks.map((one) => one.check);

  it("[M-12.1] a report about this very subject spares the smoke and the box that it would run in, and nothing else", () => {
    const key = admissionKey(request);
    expect(admit(request).key).toBe(key);
    expect(checks({ admitted: key })).toEqual(
      admit(request)
        .checks.map((one) => one.check)
        .filter((one) => !["smoke", "pace", "isolation", "abi_version"].includes(one)),
    );
    // The state of another run is tried in a box whatever was reported.
    expect(checks({ admitted: key, from: { run_dir: "/nowhere" } })).toContain("abi_version");
    const folder = temporaryFolder();
    try {
      writeFileSync(join(folder.path, "crossing.wasm"), "another file");
      expect(
        admit({ ...request, pack_dir: folder.path, admitted: key }).checks.find((one) => !one.passed),
      ).toMatchObject({
        check: "binary_hash",
        reason_code: "M.DESCRIPTOR.BINARY_HASH",
      });
    } finally {
      folder.remove();
    }
  });

  it("[M-12.1] a report about anything else spares nothing", () => {
    const key = admissionKey(request);
    const { resources } = request.descriptor;
    for (const change of [
      { descriptor: descriptor({ resources: { ...resources, state_bytes: resources.state_bytes - 1 } }) },
      // The file is the same; what it imports from its pack may not be.
      { pack_digest: digestOf("another pack") },
      { isolation: "strict" as const },
      { venue: { venue_id: "OTHER" } },
      { instruments: [{ ...DEMO_INSTRUMENT, tick_size: DEMO_INSTRUMENT.tick_size * 2 }] },
    ])
      expect([change, checks({ ...change, admitted: key })]).toEqual([change, expect.arrayContaining(["smoke"])]);
  });
});

describe("fuel against the deadline", () => {
  it("[M-5.2.1] [M-2.1.3] fuel that may take longer than the declared deadline here is refused before the start", () => {
    const { resources } = descriptor();
    expect(check({ resources: { ...resources, fuel_per_event: 1_000_000_000, event_timeout_ms: 1 } })).toBe(
      "deadline M.ADMISSION.DEADLINE",
    );
    const at = (fuel_per_event: number, ns: number): string | undefined =>
      deadlineProblem({ runtime_kind: "rust_wasm", resources: { ...resources, fuel_per_event } }, () => ok(ns))
        ?.reason_code;
    expect([at(1_000_000, 1), at(1_000_000, 10), at(1_000_000, 20)]).toEqual([
      undefined,
      undefined,
      "M.ADMISSION.DEADLINE",
    ]);
  });
});

describe("the synthetic market", () => {
  it("[M-12.1] has rows of every subscribed kind, for every instrument, and is the same every time", () => {
    const other = { ...DEMO_INSTRUMENT, instrument_id: "OTHER.SIM" as InstrumentId };
    const all = ["trade", "quote", "bar", "book", "timer"];
    const feed = syntheticFeed([DEMO_INSTRUMENT, other], all, 80);
    const seen = new Set(Array.from({ length: 80 }, (_, row) => `${feed.mixed?.kind[row]}/${feed.instrument[row]}`));
    expect([...seen].toSorted()).toEqual(["1/0", "1/1", "2/0", "2/1", "3/0", "3/1", "4/0", "4/1"]);
    expect(syntheticFeed([DEMO_INSTRUMENT, other], all, 80)).toEqual(feed);
    expect(syntheticFeed([DEMO_INSTRUMENT], ["timer"], 3)).toMatchObject({ length: 3 });
  });
});

describe.runIf(requires("python3"))("synthetic events of every kind", () => {
  const room = temporaryFolder();
  chmodSync(room.path, 0o755);
  const python = detectPython(process.env["PATH"] ?? "");
  const watch = createJailWatch();
  const stop = startJailWatchdog(watch, { now_ms: () => performance.now(), every_ms: 1 });
  afterAll(() => {
    stop();
    room.remove();
  });
  let count = 0;
  /** A strategy whose class body is `body`, admitted in its real jail. */
  const admitPython = (body: string): string => {
    if (!python.ok) throw new Error("the suite needs Python");
    const pack_dir = join(room.path, `pack-${(count += 1)}`);
    mkdirSync(pack_dir, { mode: 0o755 });
    const source = `import rumi_sdk as rumi\n\n\nclass Odd(rumi.Strategy):\n${body.replaceAll(/^/gm, "    ")}\n`;
    writeFileSync(join(pack_dir, "odd.py"), source);
    const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
    const { capabilities, resources } = descriptor();
    return check(
      {
        strategy_id: "odd",
        runtime_kind: "python",
        entrypoint: "odd.py",
        binary_hash: digestOf(source),
        capabilities: {
          ...capabilities,
          lane: "compute",
          subscribe: ["trade", "quote", "execution", "safety", "timer", "signal"],
        },
        resources: { ...resources, event_timeout_ms: 5_000, memory_bytes: 268_435_456 },
      },
      {
        pack_dir,
        python: {
          home: {
            python: python.value,
            mechanism: requires("bubblewrap") ? "bubblewrap" : "self-jail",
            sdk_dir: at("../../../../sdk/python"),
            runner_dir: at("../../../sandbox/python"),
          },
          watch,
          now_ms: () => performance.now(),
        },
      },
    );
  };

  it("[M-12.1] one that only fails at an execution, at safety, at a timer, at a signal or at a quote is refused", () => {
    expect(admitPython("pass")).toBe("admitted");
    for (const kind of ["ExecutionEvent", "SafetyEvent", "SignalEvent", "ConfigEvent", "QuoteEvent"])
      expect([
        kind,
        admitPython(`def on_event(self, ctx, event):\n    assert not isinstance(event, rumi.${kind})`),
      ]).toEqual([kind, expect.stringMatching(/^smoke M\.STRATEGY\.STATUS_/)]);
    expect(admitPython("def on_timer(self, ctx, timer_id, due_us):\n    raise ValueError")).toMatch(
      /^smoke M\.STRATEGY\.STATUS_/,
    );
    expect(
      admitPython(
        'def on_event(self, ctx, event):\n    if isinstance(event, rumi.SafetyEvent):\n        ctx.telemetry("Buy_NOW!because", 1)',
      ),
    ).toBe("smoke M.TELEMETRY.FREE_TEXT");
  });

  it("[M-12.1] [M-6.2.3] one whose saved state is of another version than it declares, or that cannot read it back, is refused", () => {
    expect(admitPython("STATE_VERSION = 3")).toBe("smoke M.STATE.SCHEMA_VERSION");
    expect(admitPython("def save_state(self):\n    raise ValueError")).toMatch(/^smoke M\.STRATEGY/);
    expect(
      admitPython("def on_init(self, ctx, config, restored):\n    if restored is not None:\n        raise ValueError"),
    ).toMatch(/^smoke M\.STRATEGY/);
  });
});
