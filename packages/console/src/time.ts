/** Instants as a person reads them: this browser's own time zone; the exact UTC text belongs into the title. */
const CLOCK = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", hour12: false });
const DAY = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });

export function clockText(at_ms: number): string {
  return Number.isNaN(at_ms) ? "?" : CLOCK.format(at_ms);
}

export function dayText(iso: string): string {
  const at = Date.parse(iso);
  return Number.isNaN(at) ? iso : DAY.format(at);
}

/** The clock alone for what is of today, else the day as well. */
export function sinceText(iso: string, now_ms: number): string {
  const day = dayText(iso);
  const today = DAY.format(now_ms).slice(0, "2026-11-20".length);
  return day.startsWith(today) ? clockText(Date.parse(iso)) : day;
}

/** How long, in two units at most: `59 s`, `12:05`, `3 h 20`, `2 d 4 h`. */
export function remainingText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)];
  const two = (value: number): string => String(value).padStart(2, "0");
  if (minutes === 0) return `${seconds} s`;
  if (hours === 0) return `${minutes}:${two(seconds % 60)}`;
  return days === 0 ? `${hours} h ${two(minutes % 60)}` : `${days} d ${hours % 24} h`;
}

/** A moment of the market, which may be recorded and long ago: UTC, as the chart has it. */
export function marketTime(time_us: number): string {
  return new Date(time_us / 1_000).toISOString().slice(0, "2026-11-20T12:00:00".length).replace("T", " ");
}
