/** What a page asks for, as the line that asks for the same on the command line. */
export type LineValue = string | number | object;

const PLAIN = /^[A-Za-z0-9._:/=@-]+$/;

export function rumiLine(words: string, flags: Readonly<Record<string, LineValue>>): string {
  const given = Object.entries(flags).map(
    ([name, value]) =>
      `--${name.replaceAll("_", "-")} ${quoted(typeof value === "object" ? JSON.stringify(value) : String(value))}`,
  );
  return ["rumi", words, ...given].join(" ");
}

/** For a POSIX shell: nothing inside is expanded. */
export function quoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Hand-made verbs where there are some, else the command itself cannot be written in one readable line. */
const MOVE: Readonly<Record<string, string>> = {
  RUNNING_PAPER: "start",
  RUNNING_SHADOW: "start",
  RUNNING_LIVE: "start",
  PAUSED: "pause",
  STOPPING: "stop",
  QUARANTINED: "quarantine",
  IDLE: "release",
};
const MODE: Readonly<Record<string, string>> = { RUNNING_SHADOW: "shadow", RUNNING_LIVE: "live" };

export function moveLine(bot_id: string, to: string, reason: string): string {
  const mode = MODE[to];
  return rumiLine(`bots ${MOVE[to] ?? "show"} ${bot_id}`, { ...(mode === undefined ? {} : { mode }), reason });
}
