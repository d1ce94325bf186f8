/** What a failure came from, for the log at the rim; never for an answer. */
export function causeText(cause: unknown): string {
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return typeof cause === "string" ? cause : (JSON.stringify(cause) ?? "unknown");
}
