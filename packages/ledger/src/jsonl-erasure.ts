/**
 * Takes the lines of erased events out of the JSONL views.
 *
 * How to think: an erasure is an event like any other, and the writer obeys it when it comes to it, before the place
 * behind it is remembered. So a crash in between repeats it, which changes nothing; a file is replaced whole or not at all.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { once } from "node:events";
import type { LedgerEvent } from "./event.ts";
import { lineIndex } from "./jsonl.ts";

/** What one erasure takes: event ids, and between which log indices they are. */
export type Erasure = { readonly ids: ReadonlySet<string>; readonly first: number; readonly last: number };

const EDGE_BYTES = 65_536;

/** The erasure that an event is; undefined where it is none. One that does not say where is looked for everywhere. */
export function erasureOf({ action, details }: LedgerEvent): Erasure | undefined {
  const { erased_event_ids: ids, first_index, last_index } = details;
  if (action !== "audit.erasure" || !Array.isArray(ids)) return undefined;
  return {
    ids: new Set(ids.filter((id) => typeof id === "string")),
    first: typeof first_index === "number" ? first_index : 0,
    last: typeof last_index === "number" ? last_index : Number.POSITIVE_INFINITY,
  };
}

/** Removes the erased lines from the named files; durable when it answers. */
export async function removeErased(directory: string, names: readonly string[], erasure: Erasure): Promise<void> {
  for (const name of names) {
    const path = join(directory, name);
    if (await mayHold(path, erasure)) await rewrite(path, erasure);
  }
}

const isErased = (line: string, { ids }: Erasure): boolean => {
  const match = /"event_id":"([0-9a-f-]{36})","log_index":\d+\}$/.exec(line);
  return match !== null && ids.has(match[1] ?? "");
};

/** Whether the file's lines lie where the erased ones do: they stand in the order of the log. */
async function mayHold(path: string, { first, last }: Erasure): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const edge = Math.min(size, EDGE_BYTES);
    const read = async (at: number): Promise<string> =>
      (await file.read(Buffer.alloc(edge), 0, edge, at)).buffer.toString("utf8");
    // A line that is longer than what was read says nothing: then the file is looked through.
    const lowest = lineIndex((await read(0)).split("\n", 1)[0] ?? "") ?? 0;
    const highest = lineIndex((await read(size - edge)).trimEnd().split("\n").at(-1) ?? "") ?? Number.POSITIVE_INFINITY;
    return lowest <= last && highest >= first;
  } finally {
    await file.close();
  }
}

async function rewrite(path: string, erasure: Erasure): Promise<void> {
  const temporary = `${path}.erasing`;
  const out = createWriteStream(temporary, { mode: (await stat(path)).mode & 0o777 });
  let removed = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (isErased(line, erasure)) removed += 1;
    else if (!out.write(`${line}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  const file = await open(temporary, "r+");
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
  if (removed > 0) await rename(temporary, path);
  else await rm(temporary);
}
