/**
 * Server-sent events over fetch, because the browser's EventSource cannot send a token.
 *
 * Resumes with the last id it has seen, so that a dropped connection loses nothing; where the server says that
 * rows are gone (`gap`), or what arrives is no event, the listener is told to read everything afresh. Where the stream
 * is not allowed to somebody (a policy may forbid it), the page reads on by itself and says so.
 */
import { sseBlocks, sseEvent, type LiveEvent } from "./sse.ts";

/** `polled`: nobody may listen, and the page asks every few seconds instead. */
export type LiveState = "connecting" | "live" | "polled" | "lost";

const RETRY_MS = 1_000;
const FORBIDDEN_RETRY_MS = 15_000;
/** The server sends a heartbeat every 15 s; after twice that the connection counts as dead. */
const SILENCE_MS = 35_000;

export function followEvents(options: {
  readonly token: string;
  readonly onEvent: (event: LiveEvent) => void;
  /** What is on the page may be behind. */
  readonly onGap: () => void;
  readonly onState: (state: LiveState) => void;
}): () => void {
  const stopped = new AbortController();
  let lastId: string | null = null;
  /** What the connection's end says of the state. */
  const connect = async (): Promise<"lost" | "polled"> => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const response = await fetch("/api/events", {
        cache: "no-store",
        headers: {
          authorization: `Bearer ${options.token}`,
          accept: "text/event-stream",
          ...(lastId === null ? {} : { "last-event-id": lastId }),
        },
        signal: AbortSignal.any([stopped.signal, silence.signal]),
      });
      if (response.status === 403) return "polled";
      if (!response.ok || response.body === null) throw new Error(`events answered ${response.status}`);
      options.onState("live");
      options.onGap();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let pending = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return "lost";
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        const { blocks, rest } = sseBlocks(pending + value);
        pending = rest;
        for (const block of blocks) {
          const event = sseEvent(block);
          if (event === null) continue;
          if (event.id !== "") lastId = event.id;
          if (event.kind === "gap") options.onGap();
          else options.onEvent(event);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  };
  const loop = async (): Promise<void> => {
    options.onState("connecting");
    while (!stopped.signal.aborted) {
      // The state tells the person; the loop is the answer.
      const end = await connect().catch(() => "lost" as const);
      if (stopped.signal.aborted) return;
      options.onState(end);
      await new Promise((resolve) => setTimeout(resolve, end === "polled" ? FORBIDDEN_RETRY_MS : RETRY_MS));
    }
  };
  void loop();
  return () => stopped.abort();
}
