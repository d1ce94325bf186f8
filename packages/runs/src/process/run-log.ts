/**
 * What a process said, as JSON lines `{timestamp, stream, data}`, written as it comes; secrets that are known are taken out.
 *
 * Invariants (process.test.ts): text survives being cut anywhere, also inside a character; beyond its limit nothing is kept and
 * the last line says how much was not; the digest is that of the file.
 */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { createHash } from "node:crypto";
import { StringDecoder } from "node:string_decoder";
import { isoFromMicros, type Clock, type Scrubber } from "@rumi/kernel";
import { RUN_LIMITS } from "../limits.ts";

export type LogStream = "stdout" | "stderr" | "meta";
export type LogEnd = {
  readonly sha256: string;
  readonly bytes: number;
  readonly dropped_bytes: number;
  readonly output_bytes: number;
};

export interface RunLog {
  meta(data: string): void;
  output(stream: "stdout" | "stderr", chunk: Buffer): void;
  /** The newest of what was said, for looking at it. */
  tail(): string;
  /** Durable when it returns. */
  close(): LogEnd;
}

const TAIL_CHARACTERS = 65_536;

export function createRunLog(
  path: string,
  {
    clock,
    scrubber,
    limit_bytes,
  }: { readonly clock: Clock; readonly scrubber: Scrubber; readonly limit_bytes: number },
): RunLog {
  const file = openSync(path, "w", 0o600);
  const hash = createHash("sha256");
  const decoders = { stdout: new StringDecoder("utf8"), stderr: new StringDecoder("utf8") };
  /** Kept back until its line ends, so that a secret is not cut in two. */
  const held = { stdout: "", stderr: "" };
  let bytes = 0;
  let dropped = 0;
  let output = 0;
  let tail = "";
  const put = (stream: LogStream, data: string, room: "limited" | "always"): void => {
    const text = `${JSON.stringify({ timestamp: isoFromMicros(clock.now()), stream, data: scrubber.text(data) })}\n`;
    const line = Buffer.from(text);
    if (room === "limited" && bytes + line.length > limit_bytes) {
      dropped += Buffer.byteLength(data);
      return;
    }
    writeSync(file, line);
    hash.update(line);
    bytes += line.length;
  };
  const flush = (stream: "stdout" | "stderr", text: string): void => {
    for (let at = 0; at < text.length;) {
      let end = Math.min(at + RUN_LIMITS.record_characters, text.length);
      if (end < text.length && isHigh(text.charCodeAt(end - 1))) end -= 1; // a character is not cut
      put(stream, text.slice(at, end), "limited");
      at = end;
    }
  };
  return {
    meta: (data) => put("meta", data, "always"),
    output: (stream, chunk) => {
      output += chunk.length;
      const text = held[stream] + decoders[stream].write(chunk);
      tail = (tail + text).slice(-TAIL_CHARACTERS);
      const end = text.lastIndexOf("\n") + 1;
      const cut = end === 0 && text.length >= RUN_LIMITS.record_characters ? text.length : end;
      held[stream] = text.slice(cut);
      if (cut > 0) flush(stream, text.slice(0, cut));
    },
    tail: () => tail,
    close: () => {
      for (const stream of ["stdout", "stderr"] as const) flush(stream, held[stream] + decoders[stream].end());
      if (dropped > 0)
        put("meta", `${dropped} bytes of output beyond the limit of ${limit_bytes} were not kept`, "always");
      fsyncSync(file);
      closeSync(file);
      return { sha256: hash.digest("hex"), bytes, dropped_bytes: dropped, output_bytes: output };
    },
  };
}

const isHigh = (code: number): boolean => code >= 0xd800 && code <= 0xdbff;
