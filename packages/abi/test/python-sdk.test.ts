/** The Python runner as a process: the default strategy, errors, logs, batches. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { located, requires, temporaryFolder } from "../../../tools/test-support.ts";
import {
  CALLBACK,
  frameViews,
  type FrameViews,
  makeErrorReport,
  makeFrameViews,
  makeLogLine,
  makeSaveStateCall,
  makeSavedState,
  makeShutdownCall,
  makeTradeEvent,
  OUTPUT_KIND,
  type PipeReply,
  PIPE_HEADER_BYTES,
  readErrorReport,
  readLogLine,
  readPipeReply,
  readSavedState,
  RecordWalker,
  STATUS,
  writeExecutionEvent,
  writeInitCall,
  writePipeRequest,
  writeSaveStateCall,
  writeShutdownCall,
  writeTradeEvent,
} from "../src/index.ts";
import { digest, header, initCall, noisyTrades, nothingSeen, type Seen } from "./bench-market.ts";

const ROOT = join(import.meta.dirname, "../../..");
const CONFIG = {
  window_trades: 60,
  entry_deviation_percent: 220,
  exit_deviation_percent: 20,
  least_deviation_ppm: 100,
  order_quantity: "50",
  order_type: "market",
  allow_short: false,
  cooldown: 5000,
  order_timeout: 30000,
  longest_holding: 1800000,
  max_slippage_bps: 25,
  max_latency: 1000,
  budget: "1",
};
type Answer = { readonly status: number; readonly views: FrameViews; readonly length: number };

class Pipe {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #room = makeFrameViews(1_048_576 + 8);
  #bytes = Buffer.alloc(0);
  constructor(entrypoint: string) {
    this.#child = spawn(
      located("python3") ?? "",
      [
        "-s",
        "-S",
        "-B",
        join(ROOT, "sdk/python/rumi_sdk/_runner.py"),
        JSON.stringify({ entrypoint, limits: { open_files: 32 } }),
      ],
      { env: { PYTHONHASHSEED: "0" } },
    );
    this.#child.stdout.on("data", (data: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
    });
  }
  /** Sends frames in one write and waits for their replies. */
  async ask(callback: number, ...frames: ((to: FrameViews, at: number) => number)[]): Promise<Answer[]> {
    let at = PIPE_HEADER_BYTES;
    for (const frame of frames) at += frame(this.#room, at);
    expect(writePipeRequest(this.#room, 0, callback, frames.length, at - PIPE_HEADER_BYTES)).toBe(at);
    this.#child.stdin.write(Buffer.from(this.#room.u8.slice(0, at)));
    const answers: Answer[] = [];
    const reply: PipeReply = { outputBytes: 0, status: 0 };
    while (answers.length < frames.length) {
      if (this.#bytes.length < 8) {
        await once(this.#child.stdout, "data");
        continue;
      }
      expect(readPipeReply(this.#bytes, 0, reply)).toBe(true);
      if (this.#bytes.length < 8 + reply.outputBytes) {
        await once(this.#child.stdout, "data");
        continue;
      }
      const output = new Uint8Array(this.#bytes.subarray(8, 8 + reply.outputBytes));
      this.#bytes = this.#bytes.subarray(8 + reply.outputBytes);
      answers.push({ status: reply.status, views: frameViews(output.buffer, 0, output.length), length: output.length });
    }
    return answers;
  }
  init(config: unknown, state?: { version: number; bytes: Uint8Array }): Promise<Answer[]> {
    return this.ask(CALLBACK.init, (to, at) => writeInitCall(to, at, header(0, 0), initCall(config, state)));
  }
  async end(): Promise<number | null> {
    const ended = once(this.#child, "exit");
    await this.ask(CALLBACK.shutdown, (to, at) =>
      writeShutdownCall(to, at, header(9, 9), { ...makeShutdownCall(), reason: 1 }),
    );
    return (await ended)[0] as number | null;
  }
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

async function run(trades: number): Promise<{ seen: Seen; state: Uint8Array }> {
  const pipe = new Pipe(join(ROOT, "packs/default/strategies/mean_reversion/mean_reversion.py"));
  expect((await pipe.init(CONFIG))[0]?.status).toBe(0);
  const seen = nothingSeen();
  const ticks = noisyTrades(trades, "reversion");
  for (let i = 0; i < ticks.length; i += 20) {
    const batch = ticks.slice(i, i + 20);
    const atUs = batch[0]?.atUs ?? 0;
    const fills = seen.pending.splice(0);
    const answers = await pipe.ask(
      CALLBACK.event,
      ...fills.map((fill) => (to: FrameViews, at: number) => writeExecutionEvent(to, at, header(i, atUs), fill)),
      ...batch.map(
        (tick, j) => (to: FrameViews, at: number) =>
          writeTradeEvent(to, at, header(i + j, tick.atUs), { ...makeTradeEvent(), price: tick.price }),
      ),
    );
    for (const [j, answer] of answers.entries()) {
      expect(answer.status).toBe(0);
      digest(answer.views, 0, answer.length, batch[j - fills.length]?.price ?? 1, seen);
    }
  }
  const [saved] = await pipe.ask(CALLBACK.save_state, (to, at) =>
    writeSaveStateCall(to, at, header(1, 1), makeSaveStateCall()),
  );
  const into = makeSavedState();
  if (saved === undefined || readSavedState(saved.views, 0, saved.length, into) !== "") throw new Error("state");
  expect(await pipe.end()).toBe(0);
  return { seen, state: into.state.slice() };
}

describe.runIf(requires("python3"))("python SDK over the pipe", () => {
  it("[M-0.1] [M-0.7] mean_reversion trades visibly, twice the same, down to the state's bytes", async () => {
    const [one, two] = await Promise.all([run(12_000), run(12_000)]);
    process.stderr.write(`mean_reversion: ${one.seen.orders} orders on 12,000 trades\n`);
    expect(one.seen.orders).toBeGreaterThan(24);
    expect(two.seen.journal).toEqual(one.seen.journal);
    expect(two.state).toEqual(one.state);
    const pipe = new Pipe(join(ROOT, "packs/default/strategies/mean_reversion/mean_reversion.py"));
    expect((await pipe.init(CONFIG, { version: 1, bytes: one.state }))[0]?.status).toBe(0);
    const [again] = await pipe.ask(CALLBACK.save_state, (to, at) =>
      writeSaveStateCall(to, at, header(1, 1), makeSaveStateCall()),
    );
    const into = makeSavedState();
    if (again === undefined || readSavedState(again.views, 0, again.length, into) !== "") throw new Error("state");
    expect(into.state).toEqual(one.state);
    expect((await pipe.init(CONFIG, { version: 2, bytes: one.state }))[0]?.status).toBe(STATUS.state_refused);
    pipe.kill();
  }, 120_000);

  it("[M-5.2.6] exceptions are coded answers with a traceback, prints are log records, and the process lives on", async () => {
    const folder = temporaryFolder();
    const path = join(folder.path, "s.py");
    writeFileSync(
      path,
      "import rumi_sdk as r, os, sys\nclass S(r.Strategy):\n    def on_event(self, ctx, e):\n        if e.price == 1:\n            raise ValueError('as I like')\n        if e.price == 2:\n            sys.exit(3)\n        if e.price == 3:\n            for _ in range(1000): print('x' * 500)\n        if e.price == 4:\n            os.write(1, b'junk into the pipe')\n        print('hello', ctx.random.below(1000))\n",
    );
    const pipe = new Pipe(path);
    const trade =
      (price: number) =>
      (to: FrameViews, at: number): number =>
        writeTradeEvent(to, at, header(1, 1), { ...makeTradeEvent(), price });
    expect((await pipe.ask(CALLBACK.event, trade(9)))[0]?.status).toBe(STATUS.not_initialised);
    expect((await pipe.init({}))[0]).toMatchObject({ status: 0, length: 0 });
    const [raised, exited, flood, junk, fine] = await pipe.ask(
      CALLBACK.event,
      trade(1),
      trade(2),
      trade(3),
      trade(4),
      trade(5),
    );
    const report = makeErrorReport();
    expect(raised?.status).toBe(STATUS.exception);
    if (raised === undefined || flood === undefined || fine === undefined) throw new Error("no answer");
    expect(readErrorReport(raised.views, 0, raised.length, report)).toBe("");
    expect(new TextDecoder().decode(report.text)).toMatch(/ValueError: as I like/);
    expect(exited?.status).toBe(STATUS.exception);
    expect(flood.status).toBe(0);
    expect(flood.length).toBeLessThan(100_000);
    expect(junk?.status).toBe(0);
    const walker = new RecordWalker();
    walker.begin(fine.views, 0, fine.length);
    expect(walker.step()).toBe(OUTPUT_KIND.log_line);
    const line = makeLogLine();
    expect(readLogLine(fine.views, walker.at, walker.length, line)).toBe("");
    expect(new TextDecoder().decode(line.text)).toMatch(/^hello \d+$/);
    expect(await pipe.end()).toBe(0);
    folder.remove();
  }, 180_000);
});
