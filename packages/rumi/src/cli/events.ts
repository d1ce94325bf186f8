/**
 * Server-sent events for the command line: each event once, in order, resumed by its id after a lost connection.
 */
import { millis, type Clock } from "@rumi/kernel";
import type { ApiClient } from "./client.ts";

export type LiveEvent = {
  readonly id: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
};

const RETRY_MS = 500;

/** Follows `GET /api/events` until the signal; `onEvent` sees each event once. */
export async function followEvents(options: {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onEvent: (event: LiveEvent) => void;
  /** Where to begin: `0` is the oldest that is kept; null is now. */
  readonly from: string | null;
}): Promise<void> {
  const { client, clock, signal, onEvent } = options;
  let last = options.from;
  while (!signal.aborted) {
    try {
      for await (const event of streamEvents(client, last, signal)) {
        if (event.id !== "") last = event.id;
        onEvent(event);
      }
    } catch (problem) {
      if (signal.aborted) return;
      if (!(problem instanceof Error)) throw problem;
      // The connection ended; the loop resumes after the last event that was seen.
    }
    await clock.sleep(millis(RETRY_MS), signal);
  }
}

async function* streamEvents(client: ApiClient, last: string | null, signal: AbortSignal): AsyncGenerator<LiveEvent> {
  const response = await fetch(new URL("/api/events", client.base_url), {
    headers: {
      authorization: `Bearer ${client.token}`,
      accept: "text/event-stream",
      ...(last === null ? {} : { "last-event-id": last }),
    },
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(`events answered ${response.status}`);
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of response.body) {
    pending += decoder.decode(chunk as Uint8Array, { stream: true });
    const blocks = pending.split("\n\n");
    pending = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== undefined) yield event;
    }
  }
}

/** One block of an event stream; undefined for comments and heartbeats. */
export function parseEvent(block: string): LiveEvent | undefined {
  let [id, kind, data] = ["", "message", ""];
  for (const line of block.split("\n")) {
    if (line.startsWith("id:")) id = line.slice(3).trim();
    else if (line.startsWith("event:")) kind = line.slice(6).trim();
    else if (line.startsWith("data:")) data += line.slice(5).trimStart();
  }
  return data === "" ? undefined : { id, kind, data: JSON.parse(data) as Record<string, unknown> };
}
