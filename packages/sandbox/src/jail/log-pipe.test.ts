import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { LogPipe, QUIET_MS } from "./log-pipe.ts";

const PIPE_BYTES = 65_536;
let folder: ReturnType<typeof temporaryFolder>;
let writer: number;
let pipe: LogPipe;
let now_ms: number;

beforeEach(() => {
  folder = temporaryFolder();
  const path = join(folder.path, "log");
  execFileSync("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  // A writer that does not block says EAGAIN where a strategy would wait for room.
  writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  now_ms = 1_000;
  pipe = new LogPipe(reader, { bytes_per_second: 10_000_000, bytes_per_run: 10_000_000, now_ms: () => now_ms });
});

afterEach(() => {
  pipe.close();
  closeSync(writer);
  folder.remove();
});

/** What a strategy says in one event. */
const say = (bytes: number): void => expect(writeSync(writer, Buffer.alloc(bytes, "x"))).toBe(bytes);
const isFull = (): boolean => {
  try {
    writeSync(writer, "x");
    return false;
  } catch {
    return true;
  }
};

it("[M-5.2.4] a log that speaks is emptied after every answer, so that no event waits for what others said", () => {
  for (let event = 0; event < 40; event += 1) {
    say(PIPE_BYTES);
    pipe.look();
  }
  expect(pipe.counts()).toMatchObject({ bytes_seen: 40 * PIPE_BYTES, bytes_dropped: 0 });
});

it("[M-5.2.4] an empty log is left alone for a moment; what is said then is taken at the next look and never lost", () => {
  pipe.look();
  say(PIPE_BYTES);
  pipe.look();
  expect(isFull()).toBe(true);
  now_ms += QUIET_MS;
  pipe.look();
  // It has spoken: the same moment no longer matters.
  say(PIPE_BYTES);
  pipe.look();
  say(PIPE_BYTES);
  pipe.look();
  // Quiet again, and asked for while it is.
  pipe.look();
  say(5);
  expect(pipe.text()).toBe("x".repeat(3 * PIPE_BYTES + 5));
});

it("[M-5.2.4] what was said in the last moment is kept when the pipe closes", () => {
  pipe.look();
  say(7);
  pipe.close();
  expect(pipe.counts().bytes_seen).toBe(7);
  pipe = new LogPipe(openSync("/dev/null", "r"), { bytes_per_second: 1, bytes_per_run: 1, now_ms: () => now_ms });
});
