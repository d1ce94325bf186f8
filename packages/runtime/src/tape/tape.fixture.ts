/** A process of its own for tape.test.ts: writes a tape until it is killed, or reads a large one in little memory. */
import { invariant } from "@rumi/kernel";
import { listSegments } from "./segments.ts";
import { rowAt, type Task } from "../../test/tape-kit.ts";
import { TapeStream } from "./reader.ts";
import { TapeWriter } from "./writer.ts";

const task = JSON.parse(process.argv[2] ?? "") as Task;
/** Once the pipe has it: a line that is only queued is not sent while a loop is running. */
const say = (line: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
  });

function writer(): TapeWriter {
  const from = { files: 0, first_row: 0, last_seq: null, received_us: 0 };
  return new TapeWriter({ run_dir: task.path, epoch: 1, ...from, books: () => [], needed_row: () => 0 });
}

if (task.task === "write") {
  const tape = writer();
  for (let n = 0; ; n += 1) {
    tape.append(rowAt(n), n);
    if (n % 9 !== 8) continue;
    tape.flush();
    await say(String(n + 1));
  }
} else {
  const tape = writer();
  const rows = Math.ceil((task.megabytes * 1e6) / 64);
  for (let n = 0; n < rows; n += 1) {
    tape.append(rowAt(n), n);
    if (tape.isFull) tape.flush();
  }
  tape.flush();
  tape.close();
  const opened = TapeStream.open(task.path);
  invariant(opened.ok, "the tape is there");
  const stream = opened.value;
  const resident = (): number => process.memoryUsage().rss / 1e6;
  // What the compiler and the first window take is not the tape's.
  stream.fill(200_000);
  const before = resident();
  let most = before;
  while (!stream.ended) {
    invariant(stream.fill(stream.feed.length + 4_096) === null, "the tape is whole");
    stream.feed.forget(stream.feed.length - 65_536);
    most = Math.max(most, resident());
  }
  const bytes = listSegments(task.path).segments.reduce((sum, one) => sum + one.bytes, 0);
  await say(JSON.stringify({ rows: stream.feed.length, bytes, grown_mb: most - before }));
}
