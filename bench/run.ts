/**
 * `npm run bench [-- --json] [-- --only NAME,…]`: the figures of the product on this machine.
 *
 * Each suite runs in a process of its own, one after the other, from bundled code. A figure is the median of its runs;
 * all runs are printed, so that a disturbed one is seen. What they were on a known machine: bench/RESULTS.md.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { makeBundles, ROOT, type Bundles } from "./bundles.ts";
import { commitName, machineFacts, type Measured } from "./measure.ts";
import { onOneCore } from "./one-core.ts";
import { commandsSuite } from "./suites/commands.ts";
import { besideSuite, listSuite } from "./suites/reads.ts";
import { flowsSuite } from "./suites/flows.ts";
import { runsSuite } from "./suites/runs.ts";
import { measuredMarket } from "./suites/market.ts";
import { packsSuite } from "./suites/packs.ts";
import { startupSuite } from "./suites/startup.ts";

type Room = { readonly bundles: Bundles; readonly folder: string };
type Suite = {
  readonly figures: RegExp;
  readonly run: (room: Room) => Promise<readonly Measured[]> | readonly Measured[];
};

const one_core = onOneCore();

const SUITES: readonly Suite[] = [
  { figures: /^wasm_event_ns$/, run: (room) => apart("wasm_event", {}, room) },
  {
    figures:
      /^(event_in_lane|event_to_intent|event_to_rare_intent)_p(50|99)_ns|lane_handover_p(50|99)_us|intent_durable_p50_us$/,
    run: (room) => apart("lane", { root: ROOT, folder: room.folder }, room),
  },
  {
    figures: /^ll_(alone|beside_burner|beside_compute)_p99_us|ll_separation_ratio$/,
    run: (room) => apart("separation", { root: ROOT, folder: room.folder }, room),
  },
  { figures: /^load_rows_per_s$/, run: (room) => apart("load", measuredMarket(ROOT, room.folder), room) },
  {
    figures: /^backtest_(spy|generated)_(events_per_s|peak_mb)$/,
    run: (room) => apart("backtest", { ...measuredMarket(ROOT, room.folder), root: ROOT }, room, one_core),
  },
  {
    figures: /^backtest_(spy|generated)_((typescript|python)(_batched)?|rust_beside)_events_per_s$/,
    run: (room) => apart("backtest_languages", { ...measuredMarket(ROOT, room.folder), root: ROOT }, room, one_core),
  },
  {
    figures: /^ledger_append(s_per_s|_p99_ms|_cpu_us)$/,
    run: (room) => apart("appends", { writer_worker: room.bundles.writer_worker }, room),
  },
  {
    figures: /^verify_1m(_cpu)?_s$/,
    run: (room) => apart("verify", { entries: 1_000_000, verify_worker: room.bundles.verify_worker }, room),
  },
  {
    figures: /^supply(_(sbom_ms|match_s|match_cpu_s|open_s))?$/,
    run: (room) => apart("supply", { components: 1_000, advisories: 50_000 }, room),
  },
  { figures: /^runaway_(stop_ms|neighbour_ratio)$/, run: (room) => apart("runaway", {}, room) },
  { figures: /^jail_restart_ms|wasm_reset_ms$/, run: (room) => apart("restart", { root: ROOT }, room) },
  { figures: /^burst_cancel_p(50|99)_ms$/, run: (room) => apart("burst", { root: ROOT }, room) },
  {
    figures: /^kill_switch_(quiet|followed)_ms$/,
    run: (room) => apart("kill_switch", { root: ROOT, runner: room.bundles.runner, instances: 1_000 }, room),
  },
  {
    figures: /^density_1000_mb$/,
    run: (room) => apart("density", { root: ROOT, runner: room.bundles.runner, instances: 1_000 }, room),
  },
  {
    figures: /^density_10000_mb$/,
    run: (room) => apart("density", { root: ROOT, runner: room.bundles.runner, instances: 10_000 }, room),
  },
  {
    figures: /^commands_(per_s|cpu_us|p50_ms|p99_ms)$/,
    run: ({ bundles, folder }) => commandsSuite(bundles, join(folder, "commands-home")),
  },
  {
    figures: /^bots_(list|filter)_p99_ms$/,
    run: ({ bundles, folder }) => listSuite(bundles, join(folder, "list-home")),
  },
  {
    figures: /^reads_beside_(commands_per_s|p50_ms|p99_ms)$/,
    run: ({ bundles, folder }) => besideSuite(bundles, join(folder, "beside-home")),
  },
  {
    figures: /^(flow_three_steps_us|flows_per_s)$/,
    run: ({ bundles, folder }) => flowsSuite(bundles, join(folder, "flows-home"), "rates"),
  },
  {
    figures: /^python_(?:block|step)_warm_us$/,
    run: ({ bundles, folder }) => flowsSuite(bundles, join(folder, "blocks-home"), "python"),
  },
  {
    figures: /^flow_step_flatness$/,
    run: ({ bundles, folder }) => flowsSuite(bundles, join(folder, "long-home"), "flatness"),
  },
  {
    figures: /^run_(bundle_ready|scope_10000)_ms$/,
    run: ({ bundles }) => runsSuite(bundles.program),
  },
  {
    figures: /^health_beside_flows_p99_ms$/,
    run: ({ bundles, folder }) => flowsSuite(bundles, join(folder, "health-home"), "health"),
  },
  { figures: /^pack_scan_500_ms$/, run: ({ bundles, folder }) => packsSuite(bundles, join(folder, "packs-home")) },
  { figures: /^startup_ms$/, run: ({ bundles, folder }) => startupSuite(bundles, join(folder, "startup-home")) },
];

function apart(
  name: string,
  argument: unknown,
  { bundles }: Room,
  before?: readonly [string, ...string[]],
): readonly Measured[] {
  const words = [bundles.suites, name, JSON.stringify(argument)];
  const [command, more]: readonly [string, readonly string[]] =
    before === undefined ? [process.execPath, words] : [before[0], [...before.slice(1), process.execPath, ...words]];
  const text = execFileSync(command, more, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(text) as readonly Measured[];
}

const words = process.argv.slice(2);
const json = words.includes("--json");
const only = words.includes("--only") ? (words[words.indexOf("--only") + 1] ?? "").split(",") : undefined;
const chosen = SUITES.filter(({ figures }) => only === undefined || only.some((name) => figures.test(name)));
if (
  chosen.length === 0 ||
  words.some((word, at) => word !== "--json" && word !== "--only" && words[at - 1] !== "--only")
) {
  process.stderr.write(
    "usage: npm run bench -- [--json] [--only FIGURE,FIGURE…]\nfigures: " +
      SUITES.map(({ figures }) => figures.source.slice(1, -1)).join(", ") +
      "\n",
  );
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "rumi-bench-"));
const bundles = await makeBundles();
const results: Measured[] = [];
const load_before = loadavg()[0] ?? 0;
try {
  for (const suite of chosen) {
    const figures = await suite.run({ bundles, folder });
    results.push(...figures);
    if (!json)
      for (const of of figures)
        process.stdout.write(
          `${of.name.padEnd(30)} ${String(of.value).padStart(12)} ${of.unit.padEnd(10)}  runs ${of.runs.join(" ")}\n`,
        );
  }
} finally {
  bundles.remove();
  rmSync(folder, { recursive: true, force: true });
}
// The load before the first suite tells whether the machine had other work to do.
const machine = {
  ...machineFacts(),
  load_before: Number(load_before.toFixed(2)),
  backtest_on: one_core === undefined ? "all cores" : "one core",
};
if (json) process.stdout.write(`${JSON.stringify({ machine, commit: commitName(), results })}\n`);
else
  process.stdout.write(
    `\n${Object.entries(machine)
      .map(([name, value]) => `${name} ${value}`)
      .join(", ")}; commit ${commitName()}\n`,
  );
