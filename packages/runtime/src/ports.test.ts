/** docs/ports.md against the sources: each contract and adapter is where the page says, and nothing goes around them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PORTS = [
  "execution",
  "market data",
  "risk",
  "safety",
  "audit",
  "backtest",
  "supply chain",
  "clock",
  "diagnostics",
];

function sourcesIn(path: string): readonly { readonly path: string; readonly text: string }[] {
  const full = join(ROOT, path);
  const files = statSync(full).isFile()
    ? [full]
    : readdirSync(full, { recursive: true, encoding: "utf8" }).map((name) => join(full, name));
  return files
    .filter((name) => name.endsWith(".ts") && !/\.(test|fixture)\.ts$/.test(name))
    .map((name) => ({ path: relative(ROOT, name), text: readFileSync(name, "utf8") }));
}

const declares = (path: string, name: string): boolean =>
  sourcesIn(path).some(({ text }) =>
    new RegExp(`^export (async )?(interface|type|function|class|const) ${name}\\b`, "m").test(text),
  );

/** What goes around a port, and the only files that may. */
const AROUND: readonly (readonly [string, RegExp, RegExp])[] = [
  ["the network", /["']node:(http|https|http2|net|tls|dgram|dns)["']|\bfetch\(|["']ws["']/, /^runner\/connection\.ts$/],
  ["a process of its own", /["']node:child_process["']/, /^$/],
  ["a store", /["']@rumi\/(store|operations|control|platform|server)["']|node:sqlite|["']pg["']/, /^$/],
  ["chance or the wall clock", /Math\.random\(|Date\.now\(|new Date\(\)/, /^$/],
];
/** These decide, and are told the time. */
const TIMELESS =
  /^(gate|queue|breaker|slo|quality|checkpoint)\/|^instance\/(machine|desk|restraints|health|timers)\.ts$/;

it("[M-1.2.1] every port has one contract and a default adapter, where the page says", () => {
  const rows = [
    ...readFileSync(join(ROOT, "docs/ports.md"), "utf8").matchAll(
      /^\| ([a-z ]+) \| `(\w+)` \| (\S+) \| `(\w+)` \| (\S+) \|$/gm,
    ),
  ];
  expect(rows.map((row) => row[1])).toEqual(PORTS);
  for (const [, port, contract = "", at = "", adapter = "", by = ""] of rows) {
    expect(declares(at, contract), `${port}: ${contract} in ${at}`).toBe(true);
    expect(declares(by, adapter), `${port}: ${adapter} in ${by}`).toBe(true);
  }
});

it("[M-1.2.1] the runtime reaches around none of them", () => {
  const around: string[] = [];
  for (const { path, text } of sourcesIn("packages/runtime/src")) {
    const own = path.replace("packages/runtime/src/", "");
    for (const [what, pattern, allowed] of AROUND)
      if (pattern.test(text) && !allowed.test(own)) around.push(`${own} reaches ${what}`);
    if (TIMELESS.test(own) && /performance\.now|hrtime|setTimeout|setInterval/.test(text))
      around.push(`${own} has a clock`);
  }
  expect(around).toEqual([]);
  // The patterns see: each finds what it looks for.
  const planted = ['from "node:net"', 'from "node:child_process"', 'from "@rumi/store"', "Math.random()"];
  expect(AROUND.map(([, pattern], at) => pattern.test(planted[at] ?? ""))).toEqual([true, true, true, true]);
});
