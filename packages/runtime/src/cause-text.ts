/** What failures came from, for the log at the rim; never for an answer. */
import type { Failure } from "@rumi/kernel";

export type Log = (line: string) => void;
export const toStderr: Log = (line) => void process.stderr.write(`${line}\n`);

/** A failure without a cause has said everything. */
export function logCause({ code, cause }: Pick<Failure, "code" | "cause">, log: Log = toStderr): void {
  if (cause !== undefined) log(`${code} ${causeText(cause)}`);
}

export function causeText(cause: unknown): string {
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return typeof cause === "string" ? cause : (JSON.stringify(cause) ?? "unknown");
}
