/**
 * `npm run sim -- [--seed N] [--seeds COUNT] [--ticks M] [--faults a,b] [--bug NAME] [--trace]`
 *
 * Prints one line for each run and ends with 1 at the first violation, with its seed, moment, and how to see it again.
 */
import { parseArgs } from "node:util";
import { BUGS, type Bug } from "./bugs.ts";
import { FAULT_KINDS, only, type Temper } from "./faults.ts";
import { simulate, type SimulationReport } from "./simulate.ts";

const USAGE = `npm run sim -- [--seed N] [--seeds COUNT] [--ticks M] [--faults a,b] [--bug NAME] [--trace]
  faults: ${FAULT_KINDS.join(", ")}
  bugs: ${Object.keys(BUGS).join(", ")}`;

const OPTIONS = {
  help: { type: "boolean", default: false },
  seed: { type: "string" },
  seeds: { type: "string", default: "1" },
  ticks: { type: "string", default: "120" },
  faults: { type: "string" },
  bug: { type: "string" },
  trace: { type: "boolean", default: false },
} as const;

class WrongUse extends Error {}
const isWrongUse = (error: unknown): error is Error =>
  error instanceof WrongUse ||
  (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_"));

function whole(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new WrongUse(`--${name} wants a whole number from 1, not ${text}`);
  return Number(text);
}
function oneOfThese<T extends string>(name: string, text: string, known: readonly T[]): T {
  const found = known.find((one) => one === text);
  if (found === undefined) throw new WrongUse(`--${name} knows ${known.join(", ")}, not ${text}`);
  return found;
}

/** Faults a second of each kind that `--faults` names. */
const RATE = 0.05;
const ACTS = { tightens: 0.3, loosens: 0.3 } as const;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

export function reportText(report: SimulationReport, again: string): readonly string[] {
  const { seed, ticks, digest, violation, counts } = report;
  const told = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  if (violation === null) return [`seed ${seed}: ${ticks} ticks, digest ${digest.slice(0, 16)}, ${told.join(", ")}`];
  return [
    ...report.lines,
    "",
    `seed ${seed} FAILED at tick ${violation.at_tick} of ${ticks}, digest ${digest.slice(0, 16)}`,
    violation.what,
    `Again: npm run sim -- ${again} --trace`,
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return say(USAGE);
  const ticks = whole("ticks", values.ticks);
  const first =
    values.seed === undefined ? Math.floor(performance.timeOrigin) % 1_000_000_000 : whole("seed", values.seed);
  const bug = values.bug === undefined ? {} : { bug: oneOfThese("bug", values.bug, Object.keys(BUGS) as Bug[]) };
  const faults: { readonly temper?: Temper } =
    values.faults === undefined
      ? {}
      : {
          temper: {
            ...only(RATE, ...values.faults.split(",").map((text) => oneOfThese("faults", text, FAULT_KINDS))),
            ...ACTS,
          },
        };
  for (let seed = first; seed < first + whole("seeds", values.seeds); seed += 1) {
    const report = await simulate({ seed: String(seed), ticks, ...bug, ...faults, ...(values.trace ? { say } : {}) });
    const more = `${values.faults === undefined ? "" : ` --faults ${values.faults}`}${values.bug === undefined ? "" : ` --bug ${values.bug}`}`;
    for (const line of reportText(report, `--seed ${seed} --ticks ${ticks}${more}`)) say(line);
    if (report.violation === null) continue;
    process.exitCode = 1;
    return;
  }
}

await main().catch((error: unknown) => {
  if (!isWrongUse(error)) throw error;
  process.stderr.write(`${error.message}\n${USAGE}\n`);
  process.exitCode = 2;
});
