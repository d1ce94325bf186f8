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
