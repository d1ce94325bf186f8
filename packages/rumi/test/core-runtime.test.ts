/** The Python package `core_runtime` as packs use it: the guide's snippets, in real jails, against this process. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ok, type Json } from "@rumi/kernel";
import { createMetrics, type Metrics } from "@rumi/operations";
import { systemRandom } from "@rumi/kernel";
import {
  createBlocks,
  createPackProbes,
  createPackSockets,
  RUNTIME_LIMITS,
  type Blocks,
  type DeprecationLevel,
  type PackProbes,
  type PackSockets,
  type ProbeState,
} from "@rumi/platform";
import { detectPython } from "@rumi/sandbox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { openServedControl, type ServedControl } from "./served-control.ts";

const RUNNER_DIR = fileURLToPath(new URL("../../sandbox/python", import.meta.url));
const python = detectPython(process.env["PATH"] ?? "");
const DEPRECATED = `
import logging, warnings
from core_runtime.deprecation import deprecated, get_deprecation_level
heard = []
class Hearing(logging.Handler):
    def emit(self, record):
        heard.append([record.levelname, record.name, record.getMessage()])
logging.getLogger("rumi").addHandler(Hearing())
@deprecated(since="1.2", removed_in="2.0", alternative="new")
def old():
    return "done"
def run(input_data):
    del heard[:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            came = old()
        except DeprecationWarning as raised:
            came = "raised: %s" % raised
    return [get_deprecation_level(), came, [[w.category.__name__, str(w.message)] for w in caught], list(heard)]
`;
const BLOCKS = {
  // The guide's lines, verbatim, with what a block needs around them.
  "guide_health.py": `
from core_runtime.health import get_health_checker, probe_disk_space
checker = get_health_checker()
checker.register_probe("disk", lambda: probe_disk_space("/"))
result = checker.aggregate_health()
# result["status"]: "UP" / "DOWN" / "DEGRADED" / "UNKNOWN"
def run(input_data):
    return result
`,
  "guide_probe.py": `
from core_runtime.health import get_health_checker
checker = get_health_checker()
from core_runtime.health import HealthStatus
def my_probe() -> HealthStatus:
    # カスタムチェックロジック
    return HealthStatus.UP
checker.register_probe("my_service", my_probe)
def run(input_data):
    return checker.aggregate_health()
`,
  "guide_metrics.py": `
from core_runtime.metrics import get_metrics_collector
collector = get_metrics_collector()
snapshot = collector.snapshot()
# snapshot["counters"], snapshot["gauges"], snapshot["histograms"]
def run(input_data):
    return [snapshot["counters"], snapshot["gauges"], snapshot["histograms"]]
`,
  "probes.py": `
import time
from core_runtime.health import HealthChecker, HealthStatus
def raises():
    raise ValueError("no")
WAYS = {"UP": lambda: HealthStatus.UP, "DOWN": lambda: "DOWN", "DEGRADED": lambda: HealthStatus.DEGRADED,
        "UNKNOWN": lambda: HealthStatus.UNKNOWN, "raises": raises, "odd": lambda: "fine", "none": lambda: None,
        "hangs": lambda: time.sleep(60)}
def run(input_data):
    checker = HealthChecker()
    for at, way in enumerate(input_data):
        checker.register_probe("p%d" % at, WAYS[way])
    return checker.aggregate_health()
`,
  "refused.py": `
from core_runtime.health import HealthChecker
def run(input_data):
    said = []
    checker = HealthChecker()
    for name, probe in [("Up", lambda: 1), ("", lambda: 1), ("a" * 65, lambda: 1), (1, lambda: 1), ("a", "no function")]:
        try:
            checker.register_probe(name, probe)
            said.append("taken")
        except (TypeError, ValueError) as problem:
            said.append(type(problem).__name__)
    for at in range(17):
        try:
            checker.register_probe("p%d" % at, lambda: 1)
        except ValueError as problem:
            said.append(str(problem))
    return said
`,
  "raw.py": `
def run(input_data, context):
    return context.capability._line.ask(input_data)[0]
`,
  "deprecated.py": DEPRECATED,
};

let world: ServedControl;
let metrics: Metrics;
let packProbes: PackProbes;
let sockets: PackSockets;
let host: Record<string, ProbeState>;
let later_ms: number;
const later: (() => Promise<void>)[] = [];

beforeEach(async () => {
  world = await openServedControl({ bare: true });
  metrics = createMetrics();
  host = { disk: "UP", writable_tmp: "UP" };
  later_ms = 0;
  packProbes = createPackProbes({ monotonic: () => (world.clock.monotonic() + later_ms) as never });
  const { store, clock, folder } = world;
  const nothing = { gid: null, mode: 0o660, variable: "" };
  sockets = createPackSockets({
    store,
    clock,
    random: systemRandom(),
    logger: world.pipeline.settings.logger,
    proxy: { request: () => Promise.reject(new Error("no")), check: () => Promise.reject(new Error("no")) },
    call: () => Promise.reject(new Error("no")),
    runtime: { metrics, packProbes, hostHealth: () => Promise.resolve(host) },
    egress: { folder: join(folder, "e"), ...nothing },
    capability: { folder: join(folder, "c"), ...nothing },
  });
  later.push(() => sockets.close());
  for (const pack_id of ["my_pack", "other"]) {
    const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [] });
    writePack(join(folder, "ecosystem", pack_id), manifest, BLOCKS);
    await world.http("POST", "/api/packs/scan", "");
    expect((await world.http("POST", `/api/packs/${pack_id}/approve`)).status).toBe(200);
  }
});
afterEach(async () => {
  for (const close of later.splice(0).toReversed()) await close();
  await world.close();
});

function boxed(over: { readonly sockets?: "none"; readonly level?: DeprecationLevel } = {}): Blocks {
  const { level, sockets: which } = over;
  const made = createBlocks({
    verify: (pack_id) => world.library.verify(pack_id),
    home: () =>
      Promise.resolve(
        python.ok
          ? ok({
              python: python.value,
              mechanism: "bubblewrap",
              isolation: "any",
              runner_dir: RUNNER_DIR,
              ...(level === undefined ? {} : { deprecation_level: level }),
            })
          : python,
      ),
    ...(which === "none" ? {} : { sockets: (by) => sockets.of(by) }),
  });
  later.push(() => made.close());
  return made;
}
async function run(file: string, input: Json = null, blocks = boxed(), pack = "my_pack"): Promise<Json> {
  const outcome = await blocks.call({
    owner_pack: pack,
    principal_id: pack,
    file,
    input,
    context: {},
    timeout_ms: 20_000,
    signal: new AbortController().signal,
  });
  return outcome.kind === "output" ? outcome.output : { failed: outcome.problem };
}

describe.runIf(requires("bubblewrap") && requires("python3"))("core_runtime.health", () => {
  it("[R-22.2] the guide's lines say how the disk is", async () => {
    expect(await run("guide_health.py")).toEqual({ status: "UP", probes: { disk: "UP" }, reported: true });
    host = { disk: "DEGRADED", writable_tmp: "UP" };
    expect(await run("guide_health.py")).toMatchObject({ status: "DEGRADED" });
  });
  it("[R-22.1] [R-22.2] the guide's own probe counts, and the program shows it beside its health", async () => {
    expect(await run("guide_probe.py")).toEqual({ status: "UP", probes: { my_service: "UP" }, reported: true });
    expect(packProbes.current()).toEqual({ "my_pack:my_service": "UP" });
    await run("probes.py", ["DOWN"], boxed(), "other");
    expect(packProbes.current()).toEqual({ "my_pack:my_service": "UP", "other:p0": "DOWN" });
    later_ms = RUNTIME_LIMITS.report_ms + 1;
    expect(packProbes.current(), "not renewed").toEqual({ "my_pack:my_service": "UNKNOWN", "other:p0": "UNKNOWN" });
    await run("guide_probe.py");
    expect(packProbes.current()).toMatchObject({ "my_pack:my_service": "UP" });
  });
  it("[R-22.1] DOWN before DEGRADED before UNKNOWN before UP; raising is DOWN, late and odd are UNKNOWN", async () => {
    const rows: readonly [readonly string[], string][] = [
      [[], "UNKNOWN"],
      [["UP", "UP"], "UP"],
      [["UP", "UNKNOWN"], "UNKNOWN"],
      [["UNKNOWN", "DEGRADED", "UP"], "DEGRADED"],
      [["DEGRADED", "DOWN", "UP"], "DOWN"],
      [["UP", "raises"], "DOWN"],
      [["UP", "odd"], "UNKNOWN"],
      [["UP", "none"], "UNKNOWN"],
      [["UP", "hangs"], "UNKNOWN"],
    ];
    const blocks = boxed();
    for (const [ways, status] of rows)
      expect([ways, await run("probes.py", ways, blocks)]).toMatchObject([ways, { status }]);
  }, 180_000);
  it("[R-22.1] names and functions only, and so many", async () => {
    const said = (await run("refused.py")) as readonly string[];
    expect(said.slice(0, 5)).toEqual(["ValueError", "ValueError", "ValueError", "ValueError", "TypeError"]);
    expect(said.slice(5)).toEqual([`there are ${RUNTIME_LIMITS.probes} probes already, which is the most`]);
  });
  it("[R-22.1] a pack's report is its own, and is read strictly", async () => {
    const blocks = boxed();
    const many = Object.fromEntries(Array.from({ length: RUNTIME_LIMITS.probes + 1 }, (_, at) => [`p${at}`, "UP"]));
    for (const probes of [{ Up: "UP" }, { up: "FINE" }, {}, many, { "a:b": "UP" }, []])
      expect(await run("raw.py", { op: "health_report", probes }, blocks)).toMatchObject({ success: false });
    const claimed = { op: "health_report", probes: { a: "UP" }, principal_id: "other" };
    expect(await run("raw.py", claimed, blocks)).toMatchObject({ success: false });
    expect(packProbes.current()).toEqual({});
  });
  it("[R-22.2] where the program cannot be asked nothing is known, and that is said", async () => {
    const alone = boxed({ sockets: "none" });
    expect(await run("guide_health.py", null, alone)).toEqual({
      status: "UNKNOWN",
      probes: { disk: "UNKNOWN" },
      reported: false,
    });
    expect(await run("guide_metrics.py", null, alone)).toMatchObject({
      failed: expect.stringContaining("ConnectionError: the program cannot be asked") as string,
    });
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("core_runtime.metrics", () => {
  it("[R-22.2] [R-23.1] the guide's lines give the guide's metrics, and no others", async () => {
    metrics.counter("flow.step.success", "").add({ handler: "set" }, 3);
    metrics.counter("flow.execution.complete", "").add({ flow_id: "hello" });
    metrics.gauge("flows.registered", "").set(2);
    metrics.histogram("python_file_call.duration_ms", "", [1, 10]).observe(4.5);
    metrics.counter("commands_total", "").add({ operation: "bots.start" });
    metrics.gauge("health_state", "").set(1);
    expect(await run("guide_metrics.py")).toEqual([
      {
        "flow.step.success": [{ labels: { handler: "set" }, value: 3 }],
        "flow.execution.complete": [{ labels: { flow_id: "hello" }, value: 1 }],
      },
      { "flows.registered": [{ labels: {}, value: 2 }] },
      { "python_file_call.duration_ms": [{ labels: {}, count: 1, sum: 4.5 }] },
    ]);
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("core_runtime.deprecation", () => {
  const line = "old is deprecated since 1.2 and will be removed in 2.0; use new instead";
  const rows: readonly [DeprecationLevel | undefined, Json][] = [
    [undefined, ["warn", "done", [["DeprecationWarning", line]], []]],
    ["warn", ["warn", "done", [["DeprecationWarning", line]], []]],
    ["error", ["error", `raised: ${line}`, [], []]],
    ["silent", ["silent", "done", [], []]],
    ["log", ["log", "done", [], [["WARNING", "rumi.deprecation", line]]]],
  ];
  for (const [level, expected] of rows)
    it(`[R-21.1] level ${level ?? "(default)"}`, async () => {
      expect(await run("deprecated.py", null, boxed(level === undefined ? {} : { level }))).toEqual(expected);
    });
});
