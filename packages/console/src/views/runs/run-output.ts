/** Follows what a run says: from the beginning, line by line as it comes, again from the beginning where the line was cut. */
import { useEffect, useState } from "react";
import { object, oneOf, ShapeError, text, type Of } from "../../answers/shape.ts";
import { RefusedError } from "../../api.ts";
import { useConsole } from "../../context.ts";
import { sseBlocks, sseEvent } from "../../live/sse.ts";

/** Of a long log the end is kept; the whole is in the API. */
export const KEPT_LINES = 2_000;
const RETRY_MS = 1_000;

const shape = object({ timestamp: text, stream: oneOf("stdout", "stderr", "meta"), data: text });
export type Line = Of<typeof shape>;
export type Output = {
  readonly lines: readonly Line[];
  /** Earlier ones that are not kept. */
  readonly dropped: number;
  readonly state: "connecting" | "live" | "ended" | "lost";
  readonly problem: Error | null;
};

const NOTHING: Output = { lines: [], dropped: 0, state: "connecting", problem: null };

/** What a block of the stream says; null for what says nothing. */
export function saidBy(
  block: string,
): { readonly kind: "line"; readonly line: Line } | { readonly kind: "end" } | null {
  if (/^event: end$/m.test(block)) return /^data: ended$/m.test(block) ? { kind: "end" } : null;
  if (!/^event: line$/m.test(block)) return null;
  const event = sseEvent(block);
  if (event === null) throw new ShapeError("log", "a line that is JSON");
  return { kind: "line", line: shape(event.data, "log") };
}

export function withLines(before: Output, fresh: readonly Line[]): Output {
  const lines = [...before.lines, ...fresh];
  const over = Math.max(0, lines.length - KEPT_LINES);
  return { ...before, lines: lines.slice(over), dropped: before.dropped + over };
}

export function useRunOutput(run_id: number): Output {
  const { api } = useConsole();
  const [output, setOutput] = useState<Output>(NOTHING);
  useEffect(() => {
    const stopped = new AbortController();
    const follow = async (): Promise<boolean> => {
      const stream = await api.codeRunStream(run_id, stopped.signal);
      setOutput({ ...NOTHING, state: "live" });
      const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
      let pending = "";
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return false;
        const { blocks, rest } = sseBlocks(pending + value);
        pending = rest;
        const said = blocks.map(saidBy).filter((one) => one !== null);
        const fresh = said.flatMap((one) => (one.kind === "line" ? [one.line] : []));
        if (fresh.length > 0) setOutput((before) => withLines(before, fresh));
        if (said.some(({ kind }) => kind === "end")) return true;
      }
    };
    const loop = async (): Promise<void> => {
      while (!stopped.signal.aborted) {
        try {
          if (await follow()) return setOutput((before) => ({ ...before, state: "ended" }));
          setOutput((before) => ({ ...before, state: "lost" }));
        } catch (problem) {
          if (stopped.signal.aborted) return;
          const error = problem instanceof Error ? problem : new Error(String(problem));
          setOutput((before) => ({ ...before, state: "lost", problem: error }));
          // What was refused, or does not fit, is no better the next time.
          if (error instanceof RefusedError || error instanceof ShapeError) return;
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    };
    void loop();
    return () => stopped.abort();
  }, [api, run_id]);
  return output;
}
