/**
 * Server-sent events over fetch, because the browser's EventSource cannot send a token.
 *
 * Resumes with the last id it has seen, so that a dropped connection loses nothing.
 */
export type LiveEvent = {
  readonly id: string;
  readonly kind: string;
  readonly data: Readonly<Record<string, unknown>>;
};
export type LiveState = "connecting" | "live" | "lost";

const RETRY_MS = 1_000;
/** The server sends a heartbeat every 15 s; after twice that the connection counts as dead. */
const SILENCE_MS = 35_000;

export function followEvents(options: {
  readonly token: string;
  readonly onEvent: (event: LiveEvent) => void;
  readonly onState: (state: LiveState) => void;
}): () => void {
  const stopped = new AbortController();
  let lastId: string | null = null;
  const connect = async (): Promise<void> => {
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), SILENCE_MS);
    const response = await fetch("/api/events", {
      headers: {
        authorization: `Bearer ${options.token}`,
        accept: "text/event-stream",
        ...(lastId === null ? {} : { "last-event-id": lastId }),
      },
      signal: AbortSignal.any([stopped.signal, silence.signal]),
    });
    if (!response.ok || response.body === null)
      throw new Error(`events answered ${response.status}`);
    options.onState("live");
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let pending = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        pending += value;
        const blocks = pending.split("\n\n");
        pending = blocks.pop() ?? "";
        for (const block of blocks) {
          const event = parseBlock(block);
          if (event === null) continue;
          if (event.id !== "") lastId = event.id;
          options.onEvent(event);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  };
  const loop = async (): Promise<void> => {
    options.onState("connecting");
    while (!stopped.signal.aborted) {
      try {
        await connect();
      } catch {
        // The state below tells the person; the loop is the answer.
      }
      if (stopped.signal.aborted) return;
      options.onState("lost");
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  };
  void loop();
  return () => stopped.abort();
}

function parseBlock(block: string): LiveEvent | null {
  let [id, kind, data] = ["", "message", ""];
  for (const line of block.split("\n")) {
    if (line.startsWith("id:")) id = line.slice(3).trim();
    else if (line.startsWith("event:")) kind = line.slice(6).trim();
    else if (line.startsWith("data:")) data += line.slice(5).trimStart();
  }
  return data === "" ? null : { id, kind, data: JSON.parse(data) as Record<string, unknown> };
}
