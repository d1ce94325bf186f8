import fc from "fast-check";
import { expect, it } from "vitest";
import { AWAKE, Rests, type Sleeper } from "./rests.ts";

/** One clock, and timers that fire when it is moved; how many are armed at once is what it counts. */
function clockwork() {
  let now = 0;
  const armed = new Set<{ readonly at: number; readonly act: () => void }>();
  let most = 0;
  const timers = {
    after: (ms: number, act: () => void) => {
      const timer = { at: now + ms, act };
      armed.add(timer);
      most = Math.max(most, armed.size);
      return () => void armed.delete(timer);
    },
    every: () => () => undefined,
    soon: () => () => undefined,
  };
  const passTo = (moment: number): void => {
    for (;;) {
      const next = [...armed].filter(({ at }) => at <= moment).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      armed.delete(next);
      now = Math.max(now, next.at);
      next.act();
    }
    now = moment;
  };
  return { rests: new Rests(timers, () => now), passTo, mostArmed: () => most };
}

const sleeper = (goOn: () => void): Sleeper => ({ restsUntil: 0, restPlace: AWAKE, goOn });

it("[M-0.4] whoever rests is called once, in the order of the moments, by one timer for all", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 60 }), (all) => {
      const { rests, passTo, mostArmed } = clockwork();
      const called: { readonly who: number; readonly ms: number }[] = [];
      all.forEach((ms, who) =>
        rests.rest(
          sleeper(() => called.push({ who, ms })),
          ms,
        ),
      );
      passTo(100);
      expect(called.map(({ ms }) => ms)).toEqual(all.toSorted((a, b) => a - b));
      expect(new Set(called.map(({ who }) => who)).size).toBe(all.length);
      expect(mostArmed()).toBe(1);
    }),
  );
});

it("[M-0.4] who is woken goes on right after and is not called again at its time; the others are called at theirs", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ ms: fc.integer({ min: 1, max: 50 }), isWoken: fc.boolean() }), { maxLength: 60 }),
      async (all) => {
        const { rests, passTo } = clockwork();
        const called = all.map(() => 0);
        const sleepers = all.map((_, who) => sleeper(() => (called[who] = (called[who] ?? 0) + 1)));
        sleepers.forEach((one, who) => rests.rest(one, all[who]?.ms ?? 0));
        sleepers.forEach((one, who) => all[who]?.isWoken === true && expect(rests.wake(one)).toBe(true));
        expect(called).toEqual(all.map(() => 0));
        await Promise.resolve();
        expect(called).toEqual(all.map(({ isWoken }) => (isWoken ? 1 : 0)));
        for (const one of sleepers) if (one.restPlace === AWAKE) expect(rests.wake(one)).toBe(false);
        passTo(100);
        expect(called).toEqual(all.map(() => 1));
      },
    ),
  );
});

it("[M-0.4] a rest that begins while others are called, or ends before the armed one, has its moment too", () => {
  const { rests, passTo } = clockwork();
  const called: string[] = [];
  const again: Sleeper = sleeper(() => {
    called.push("again");
    if (called.length < 3) rests.rest(again, 10);
  });
  rests.rest(again, 30);
  rests.rest(
    sleeper(() => called.push("early")),
    5,
  );
  passTo(5);
  expect(called).toEqual(["early"]);
  passTo(39);
  expect(called).toEqual(["early", "again"]);
  passTo(40);
  expect(called).toEqual(["early", "again", "again"]);
});
