/** The simulator itself: one seed is one run, what is planted is found, and fresh seeds find nothing. */
import { afterAll, expect, it } from "vitest";
import { BUGS, type Bug, only, simulate, type Temper } from "./index.ts";

it(
  "[L-49.2] the same seed gives the same run, byte for byte; another seed gives another",
  { timeout: 120_000 },
  async () => {
    const lines: string[][] = [[], [], []];
    const [first, second, other] = await [7, 7, 8].reduce<Promise<readonly string[]>>(async (before, seed, index) => {
      const digests = await before;
      const report = await simulate({ seed: String(seed), ticks: 40, say: (line) => lines[index]?.push(line) });
      return [...digests, report.digest];
    }, Promise.resolve([]));
    expect(lines[1]).toEqual(lines[0]);
    expect(lines[0]?.length).toBeGreaterThan(100);
    expect(second).toBe(first);
    expect(other).not.toBe(first);
  },
);

/** Where each planted bug has a chance to show. */
const WHERE: Readonly<Record<Bug, Partial<Temper>>> = {
  skip_fence: only(0.05, "part"),
  send_twice: { ...only(0), venue_loss: 0.2 },
  drop_audit: only(0),
  edit_log: only(0),
  ignore_stop: only(0),
  live_by_itself: only(0),
  forget_outcome: only(0.08, "crash_control"),
  believe_clock: only(0.05, "part", "clock_jump"),
  forget_holds: { ...only(0), tightens: 0.3, acts: ["hold", "kill"] },
  forget_gate: { ...only(0), tightens: 0.3, acts: ["require"] },
  unlock_glass: { ...only(0), tightens: 0.3, acts: ["require", "disable"] },
  approve_oneself: { ...only(0), environment: "prod" },
  // Nobody restarts or stops much meanwhile: it takes a bot that trades on under its block.
  deaf_to_kill: { ...only(0), wishes: 0.2, tightens: 0.05, acts: ["block"] },
  shrug_at_kill: { ...only(0), tightens: 0.1, loosens: 0.1, acts: ["block"] },
  lose_spool: { ...only(0.15, "disk_full", "crash_control"), tightens: 0.8, loosens: 0.5, acts: ["kill", "safety"] },
  spool_anew: { ...only(0.15, "disk_full"), tightens: 0.8, loosens: 0.5, acts: ["kill", "safety"] },
  widen_bulk: { ...only(0), tightens: 0.3, acts: ["bulk"] },
  pretend_cancel: only(0),
};
const FRESH_TICKS = 50;
const SEEDS = 12;
const TICKS = 90;

it.each(Object.entries(BUGS) as [Bug, (typeof BUGS)[Bug]][])(
  "[L-N1] [L-N2] [L-N4] [L-N7] [L-N8] [L-49.2] the planted bug %s is found as %s, and its seed shows it again",
  { timeout: 240_000 },
  async (bug, kind) => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const options = { seed: String(seed), ticks: TICKS, temper: WHERE[bug] };
      const report = await simulate({ ...options, bug });
      if (report.violation?.kind !== kind) continue; // nothing came of it here, or something else of it was seen first
      expect(await simulate({ ...options, bug })).toEqual(report);
      expect((await simulate(options)).violation).toBeNull();
      return;
    }
    throw new Error(`${bug} was not found in ${SEEDS} seeds`);
  },
);

/** Seeds that once found something. */
it.each([
  ["357441059", FRESH_TICKS, "a run that was taken up again closed its position under FLATTEN before it heard of SAFE"],
  ["9102", 800, "a lease of a dead runner outlasted a wall clock that was set back, and its bot stayed in STOPPING"],
  ["9103", 800, "the same, with a program that died meanwhile"],
])(
  "[L-N7] [L-N13] [L-49.2] seed %s breaks nothing any more in %s ticks: %s",
  async (seed, ticks) => {
    expect((await simulate({ seed, ticks })).violation).toBeNull();
  },
  240_000,
);

/** Two hundred in CI, a few at a desk; never the same ones twice. */
const FRESH = process.env["CI"] === "true" ? 200 : 10;
const started = Math.floor(performance.timeOrigin) % 1_000_000_000;
const found: string[] = [];
afterAll(() => {
  if (found.length > 0) process.stderr.write(`${found.join("\n")}\n`);
});

it(`[L-N1] [L-N2] [L-N5] [L-N7] [L-N8] ${FRESH} fresh seeds break nothing`, { timeout: 900_000 }, async () => {
  let orders = 0;
  for (let seed = started; seed < started + FRESH; seed += 1) {
    const { violation, counts } = await simulate({ seed: String(seed), ticks: FRESH_TICKS });
    orders += counts["orders"] ?? 0;
    if (violation !== null)
      found.push(
        `seed ${seed}: ${violation.what}\nAgain: npm run sim -- --seed ${seed} --ticks ${FRESH_TICKS} --trace`,
      );
  }
  expect(found).toEqual([]);
  expect(orders, "something was at stake").toBeGreaterThan(FRESH * 5);
});
