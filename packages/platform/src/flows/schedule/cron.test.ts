import { describe, expect, it } from "vitest";
import { nextAfter, parseSchedule, scheduleText, SCHEDULE_LIMITS, type Schedule } from "./cron.ts";

const read = (value: unknown): Schedule => {
  const parsed = parseSchedule(value);
  if (!parsed.ok) throw new Error(`${parsed.error.field}: ${parsed.error.problem}`);
  return parsed.value;
};
const next = (cron: string, after: string, timezone?: string): string | undefined => {
  const found = nextAfter(read({ cron, ...(timezone === undefined ? {} : { timezone }) }), Date.parse(after));
  return found === undefined ? undefined : new Date(found).toISOString().replace(":00.000Z", "Z");
};

describe("[R-14.1] the next moment of a schedule", () => {
  it.each([
    ["* * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:01Z"],
    ["* * * * *", "2026-01-01T00:00:59.999Z", "2026-01-01T00:01Z"],
    ["*/15 * * * *", "2026-01-01T00:46:00Z", "2026-01-01T01:00Z"],
    ["5,10-12 3 * * *", "2026-01-01T03:10:00Z", "2026-01-01T03:11Z"],
    ["10-30/10 3 * * *", "2026-01-01T03:20:00Z", "2026-01-01T03:30Z"],
    ["0 9 * * 1-5", "2026-01-02T10:00:00Z", "2026-01-05T09:00Z"],
    ["0 9 * * MON-FRI", "2026-01-02T10:00:00Z", "2026-01-05T09:00Z"],
    ["0 0 * * 7", "2026-01-02T00:00:00Z", "2026-01-04T00:00Z"],
    ["0 0 1 jan,jul *", "2026-01-02T00:00:00Z", "2026-07-01T00:00Z"],
    ["0 0 13 * 5", "2026-01-03T00:00:00Z", "2026-01-09T00:00Z"], // either day is enough
    ["0 0 29 2 *", "2096-03-01T00:00:00Z", "2104-02-29T00:00Z"], // 2100 is no leap year
    ["0 0 31 12 *", "2026-12-31T00:00:00Z", "2027-12-31T00:00Z"],
  ])("%s after %s is %s", (cron, after, expected) => {
    expect(next(cron, after)).toBe(expected);
  });
  it.each([
    ["a zone ahead", "0 9 * * *", "Asia/Tokyo", "2026-01-01T00:00:00Z", "2026-01-02T00:00Z"],
    ["a zone behind", "30 20 * * *", "America/New_York", "2026-01-01T00:00:00Z", "2026-01-01T01:30Z"],
    ["a quarter of an hour", "0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T18:15Z"],
    ["left out: an hour later", "30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", "2026-03-08T07:30Z"],
    ["passed twice: the first", "30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", "2026-11-01T05:30Z"],
    ["passed twice: once", "30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z", "2026-11-02T06:30Z"],
  ])("%s", (_, cron, timezone, after, expected) => {
    expect(next(cron, after, timezone)).toBe(expected);
  });
  it("is later than any moment it is asked for, each time, through a year with its changes of the clock", () => {
    const schedule = read({ cron: "17 */5 * * *", timezone: "Europe/Berlin" });
    let at = Date.parse("2026-01-01T00:00:00Z");
    let count = 0;
    for (; at < Date.parse("2027-01-01T00:00:00Z"); count += 1) {
      const later = nextAfter(schedule, at) ?? 0;
      expect(later).toBeGreaterThan(at);
      expect(later - at).toBeLessThanOrEqual(6 * 3_600_000);
      at = later;
    }
    expect(count).toBe(365 * 5 + 1);
  });
  it("an interval counts from the moment", () => {
    expect(nextAfter(read({ interval: 10 }), 1_000)).toBe(11_000);
    expect(scheduleText(read({ interval: 10 }))).toBe("every 10 s");
    expect(scheduleText(read({ cron: "0 9 * * *", timezone: "Asia/Tokyo" }))).toBe("0 9 * * * Asia/Tokyo");
  });
});

describe("[R-14.1] a schedule that is none", () => {
  it.each([
    ["nothing", {}, "schedule"],
    ["both", { cron: "* * * * *", interval: 60 }, "schedule"],
    ["no object", 5, "schedule"],
    ["an unknown field", { every: 5 }, "schedule.every"],
    ["an interval of nine seconds", { interval: 9 }, "schedule.interval"],
    ["an interval of more than a year", { interval: SCHEDULE_LIMITS.interval_seconds + 1 }, "schedule.interval"],
    ["an interval in words", { interval: "10" }, "schedule.interval"],
    ["a zone of an interval", { interval: 10, timezone: "UTC" }, "schedule.timezone"],
    ["a zone that is none", { cron: "* * * * *", timezone: "Mars/Olympus" }, "schedule.timezone"],
    ["four fields", { cron: "* * * *" }, "schedule.cron"],
    ["six fields", { cron: "* * * * * *" }, "schedule.cron"],
    ["minute 60", { cron: "60 * * * *" }, "schedule.cron"],
    ["day 0", { cron: "0 0 0 * *" }, "schedule.cron"],
    ["backwards", { cron: "9-5 * * * *" }, "schedule.cron"],
    ["a step of 0", { cron: "*/0 * * * *" }, "schedule.cron"],
    ["a month's name for a weekday", { cron: "0 0 * * jan" }, "schedule.cron"],
    ["a day that never comes", { cron: "0 0 30 2 *" }, "schedule.cron"],
    ["too long", { cron: `${"0,".repeat(SCHEDULE_LIMITS.cron_characters)}0 * * * *` }, "schedule.cron"],
  ])("%s", (_, value, field) => {
    expect(parseSchedule(value)).toMatchObject({ ok: false, error: { field } });
  });
});
