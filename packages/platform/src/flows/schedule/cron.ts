/**
 * When a flow is due: a file's `schedule`, read, and the next moment after another. Pure.
 *
 * Five fields as cron has them: minute, hour, day of the month, month, day of the week. Where both days are restricted
 * either is enough. Moments are those of the schedule's timezone: one that the clock passes twice comes once, the first
 * time; one that the clock leaves out comes as much later as the clock is put forward (cron.test.ts).
 */
import { err, ok, type Result } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

export const SCHEDULE_LIMITS = {
  least_interval_seconds: 10,
  /** A year. */
  interval_seconds: 31_536_000,
  cron_characters: 256,
  /** How far ahead a moment is looked for: leap days may be eight years apart. */
  days_ahead: 3_000,
} as const;

export type Schedule =
  | { readonly kind: "cron"; readonly cron: string; readonly timezone: string }
  | { readonly kind: "interval"; readonly seconds: number };
export type ScheduleProblem = { readonly field: string; readonly problem: string };

const FORM = Type.Object(
  {
    cron: Type.Optional(Type.String({ minLength: 1, maxLength: SCHEDULE_LIMITS.cron_characters })),
    interval: Type.Optional(
      Type.Integer({ minimum: SCHEDULE_LIMITS.least_interval_seconds, maximum: SCHEDULE_LIMITS.interval_seconds }),
    ),
    timezone: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  },
  { additionalProperties: false },
);

export function parseSchedule(value: unknown): Result<Schedule, ScheduleProblem> {
  const wrong = (field: string, problem: string): Result<never, ScheduleProblem> => err({ field, problem });
  const first = Value.Errors(FORM, value).First();
  if (first !== undefined) return wrong(`schedule${first.path.replaceAll("/", ".")}`, first.message);
  const { cron, interval, timezone } = value as {
    readonly cron?: string;
    readonly interval?: number;
    readonly timezone?: string;
  };
  if ((cron === undefined) === (interval === undefined))
    return wrong("schedule", "it must have one of cron and interval");
  if (interval !== undefined)
    return timezone === undefined
      ? ok({ kind: "interval", seconds: interval })
      : wrong("schedule.timezone", "an interval is the same everywhere");
  const schedule = { kind: "cron", cron: cron ?? "", timezone: timezone ?? "UTC" } as const;
  if (!isTimezone(schedule.timezone)) return wrong("schedule.timezone", "there is no such timezone");
  const fields = fieldsOf(schedule.cron);
  if (!fields.ok) return wrong("schedule.cron", fields.error);
  if (nextAfter(schedule, 0) === undefined) return wrong("schedule.cron", "there is no such day");
  return ok(schedule);
}

/** As an operator would say it. */
export function scheduleText(schedule: Schedule): string {
  return schedule.kind === "interval" ? `every ${schedule.seconds} s` : `${schedule.cron} ${schedule.timezone}`;
}

const DAY_MS = 86_400_000;

/** The first moment that is later, in ms; an interval's counts from the moment itself. */
export function nextAfter(schedule: Schedule, after_ms: number): number | undefined {
  if (schedule.kind === "interval") return after_ms + schedule.seconds * 1_000;
  const fields = fieldsOf(schedule.cron);
  if (!fields.ok) return undefined;
  const { minutes, hours, months, isDay } = fields.value;
  const offsetAt = offsetsOf(schedule.timezone);
  const today = Math.floor((after_ms + offsetAt(after_ms)) / DAY_MS) * DAY_MS;
  for (let day = 0; day < SCHEDULE_LIMITS.days_ahead; day += 1) {
    const local = today + day * DAY_MS;
    const date = new Date(local);
    if (!months.has(date.getUTCMonth() + 1) || !isDay(date.getUTCDate(), date.getUTCDay())) continue;
    const offsets = [...new Set([offsetAt(local - DAY_MS), offsetAt(local + 2 * DAY_MS)])];
    let first: number | undefined;
    for (const hour of hours)
      for (const minute of minutes) {
        const moment = momentOf(local + (hour * 60 + minute) * 60_000, offsets, offsetAt);
        if (moment > after_ms && (first === undefined || moment < first)) first = moment;
      }
    if (first !== undefined) return first;
  }
  return undefined;
}

/** `offsets` are those before and behind a change of the clock. */
function momentOf(local: number, offsets: readonly number[], offsetAt: (ms: number) => number): number {
  const moments = offsets.map((offset) => local - offset).filter((moment) => moment + offsetAt(moment) === local);
  return moments.length > 0 ? Math.min(...moments) : local - (offsets[0] ?? 0);
}

type Fields = {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly months: ReadonlySet<number>;
  readonly isDay: (day: number, weekday: number) => boolean;
};
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

function fieldsOf(cron: string): Result<Fields, string> {
  const texts = cron.trim().split(/\s+/);
  const [minute, hour, day, month, weekday] = texts;
  if (texts.length !== 5 || minute === undefined || hour === undefined) return err("it must have five fields");
  if (day === undefined || month === undefined || weekday === undefined) return err("it must have five fields");
  const minutes = valuesOf(minute, 0, 59);
  const hours = valuesOf(hour, 0, 23);
  const days = valuesOf(day, 1, 31);
  const months = valuesOf(month, 1, 12, MONTHS, 1);
  const weekdays = valuesOf(weekday, 0, 7, WEEKDAYS, 0);
  for (const [values, name] of [
    [minutes, "minute"],
    [hours, "hour"],
    [days, "day of the month"],
    [months, "month"],
    [weekdays, "day of the week"],
  ] as const)
    if (values === undefined) return err(`its ${name} is none`);
  const ofWeek = new Set([...(weekdays ?? [])].map((one) => one % 7));
  const ofMonth = days ?? new Set();
  const [anyDay, anyWeekday] = [day.startsWith("*"), weekday.startsWith("*")];
  return ok({
    minutes: [...(minutes ?? [])],
    hours: [...(hours ?? [])],
    months: months ?? new Set(),
    isDay: (date, of) =>
      anyDay || anyWeekday ? ofMonth.has(date) && ofWeek.has(of) : ofMonth.has(date) || ofWeek.has(of),
  });
}

/** `*`, `a`, `a-b`, each with `/n` behind it, and lists of them. */
function valuesOf(
  text: string,
  least: number,
  most: number,
  names: readonly string[] = [],
  first = 0,
): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const match = /^(\*|[0-9]{1,2}|[a-z]{3})(?:-([0-9]{1,2}|[a-z]{3}))?(?:\/([0-9]{1,2}))?$/i.exec(part);
    if (match === null) return undefined;
    const [, from = "", to, step] = match;
    const number = (word: string): number =>
      /^[0-9]+$/.test(word)
        ? Number(word)
        : names.includes(word.toLowerCase())
          ? names.indexOf(word.toLowerCase()) + first
          : -1;
    if (from === "*" && to !== undefined) return undefined;
    const begin = from === "*" ? least : number(from);
    const end = to === undefined ? (from === "*" || step !== undefined ? most : begin) : number(to);
    const by = step === undefined ? 1 : Number(step);
    if (begin < least || end > most || begin > end || by < 1) return undefined;
    for (let value = begin; value <= end; value += by) values.add(value);
  }
  return values;
}

function isTimezone(timezone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: timezone }).resolvedOptions().timeZone !== "";
  } catch {
    return false; // a RangeError is its way to say so
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far ahead of UTC its clock is at a moment, in ms. */
function offsetsOf(timezone: string): (ms: number) => number {
  const format =
    formats.get(timezone) ??
    new Intl.DateTimeFormat("en-US", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  formats.set(timezone, format);
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(ms / 1_000) * 1_000;
  };
}
