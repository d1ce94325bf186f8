/**
 * The program's own log (not the audit log): one line per message, JSON or text, in the platform guide's
 * two forms. The sink is given; nothing here opens a file or writes to the terminal.
 *
 * Invariants
 * - Both example lines of the guide come out byte for byte (rim.test.ts).
 * - Every text goes through the redaction hook before it leaves, and a line stays the JSON that it was (rim.test.ts).
 */
import { type Clock, isoFromMicros, mapTexts } from "@rumi/kernel";

export const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ["json", "text"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export type LogFields = Readonly<Record<string, unknown>> & { readonly correlation_id?: string };

export interface Logger {
  log(level: LogLevel, message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  critical(message: string, fields?: LogFields): void;
  /** A logger of a part: `kernel` of `rumi` is `rumi.kernel`. */
  child(part: string): Logger;
}

export type LogSettings = {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly clock: Clock;
  /** Takes one whole line without its line end. */
  readonly sink: (line: string) => void;
  /** Replaces secrets in a text; applied to the message and to every field. */
  readonly redact?: (text: string) => string;
};

export function createLogger(settings: LogSettings, module = "rumi"): Logger {
  const least = LOG_LEVELS.indexOf(settings.level);
  const redact = settings.redact ?? ((text: string): string => text);
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const timestamp = isoFromMicros(settings.clock.now());
    const lineOf = settings.format === "json" ? jsonLine : textLine;
    settings.sink(lineOf(timestamp, level, module, redact(message), mapTexts(fields, redact)));
  };
  return {
    log,
    debug: (message, fields) => log("DEBUG", message, fields),
    info: (message, fields) => log("INFO", message, fields),
    warning: (message, fields) => log("WARNING", message, fields),
    error: (message, fields) => log("ERROR", message, fields),
    critical: (message, fields) => log("CRITICAL", message, fields),
    child: (part) => createLogger(settings, `${module}.${part}`),
  };
}

/** What went wrong and what it came from, innermost last; for the one place that logs it. */
export function causeChain(error: unknown): readonly string[] {
  const chain: string[] = [];
  for (
    let at: unknown = error;
    at !== undefined && at !== null && chain.length < 10;
    at = (at as { cause?: unknown }).cause
  ) {
    if (at instanceof Error) chain.push(at.stack ?? `${at.name}: ${at.message}`);
    else chain.push(typeof at === "string" ? at : JSON.stringify(at));
  }
  return chain;
}

function jsonLine(
  timestamp: string,
  level: LogLevel,
  module: string,
  message: string,
  { correlation_id, ...rest }: LogFields,
): string {
  const members = {
    timestamp,
    level,
    module,
    message,
    ...(correlation_id === undefined ? {} : { correlation_id }),
    ...rest,
  };
  return `{${Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`)
    .join(", ")}}`;
}

function textLine(timestamp: string, level: LogLevel, module: string, message: string, fields: LogFields): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === "string" ? oneLine(value) : JSON.stringify(value)}`);
  return `${timestamp} [${level}] ${module} - ${oneLine(message)}${pairs.length === 0 ? "" : ` (${pairs.join(", ")})`}`;
}

/** A text from outside must not be able to forge a second line. */
function oneLine(text: string): string {
  return text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
}
