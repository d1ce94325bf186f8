/** The text/event-stream format, as far as Rumi's server writes it (docs/formats/api.md). */
export type LiveEvent = {
  /** Position in the change feed; empty where the server gave none. */
  readonly id: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** Complete blocks, and what is not complete yet. */
export function sseBlocks(text: string): {
  readonly blocks: readonly string[];
  readonly rest: string;
} {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  return { rest: blocks.pop() ?? "", blocks };
}

/** null for comments, heartbeats and what carries no JSON object. */
export function sseEvent(block: string): LiveEvent | null {
  let [id, kind] = ["", "message"];
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, name, value] = /^([a-z]+): ?(.*)$/.exec(line) ?? [];
    if (name === "id") id = value ?? "";
    else if (name === "event") kind = value ?? "";
    else if (name === "data") data.push(value ?? "");
  }
  if (data.length === 0) return null;
  const parsed = parsedObject(data.join("\n"));
  return parsed === null ? null : { id, kind, data: parsed };
}

function parsedObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null; // the next read of the API shows what this event would have told
  }
}
