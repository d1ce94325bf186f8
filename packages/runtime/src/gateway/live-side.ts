/**
 * The outside of a live instance: a feed that grows, a tape behind it, the gateway, and the line of inputs they bring.
 *
 * How to think: what comes from outside is first written (rows to the tape) or first recorded (reports to the journal, by
 * the host, between two rows), and only then seen by the machine. Rows wait until the host looks (`take`, `sync`): then
 * they are written in one piece and published; a group that is full before that is written where it came in. `begin` opens
 * the doors when the replay is over.
 *
 * Invariants (live.test.ts, live-side.test.ts)
 * - The same tape and the same journal give the same machine; nothing is sent while they are replayed.
 * - After the lease is over no row is written any more.
 * - A tape that cannot be written ends this instance when the host looks; nothing is thrown into a socket's listener.
 */
import { err, failure, invariant, ok, type Failure, type Result, type Timers } from "@rumi/kernel";
import type { ExecutionVenue, FeedNotice, FeedRow, MarketFeed, MarketFeedSource } from "@rumi/venues";
import type { InstanceSpec } from "../protocol.ts";
import { parseMoney } from "../gate/money.ts";
import type { CapitalFence } from "./capital-fence.ts";
import { ExternalVenue } from "./external-venue.ts";
import { OrderGateway } from "./gateway.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import type { GatewayCondition, GatewayInput } from "./reports.ts";
import { QuietWatch } from "./quiet-watch.ts";
import { TAPE_LIMITS, type TapeLimits } from "../tape/limits.ts";
import { neededRow, readLife } from "../tape/earlier.ts";
import type { TapeStream } from "../tape/reader.ts";
import { TapeWriter } from "../tape/writer.ts";
import type { Datasync } from "../journal/datasync.ts";

export type LiveOptions = {
  readonly spec: Pick<InstanceSpec, "run_dir" | "instruments" | "limits" | "epoch" | "start" | "from">;
  readonly execution: ExecutionVenue;
  readonly market: MarketFeedSource;
  readonly mayEmit: () => boolean;
  readonly monotonic: () => number;
  readonly wallNow: () => number;
  readonly limits?: GatewayLimits;
  readonly tape?: Partial<TapeLimits>;
  readonly timers?: Timers;
  readonly datasync?: Datasync;
};

const CONDITIONS: Readonly<
  Record<FeedNotice, { readonly condition: GatewayCondition; readonly reason: string | null }>
> = {
  connected: { condition: "feed_connected", reason: null },
  disconnected: { condition: "feed_disconnected", reason: "M.FEED.DISCONNECTED" },
  gap_filled: { condition: "feed_gap_filled", reason: null },
  gap_lost: { condition: "feed_gap_lost", reason: "M.FEED.GAP" },
  stale: { condition: "feed_stale", reason: "M.FEED.STALE" },
  fresh: { condition: "feed_fresh", reason: null },
};

export class LiveSide {
  readonly venue: ExternalVenue;
  /** Called when there is something to take. */
  onActivity: () => void = () => undefined;
  readonly #o: LiveOptions;
  readonly #limits: GatewayLimits;
  readonly #feed: TapeStream["feed"];
  readonly #gateway: OrderGateway;
  readonly #read: TapeStream;
  /** Appended to the tape, not in the file yet; the machine sees them when they are. */
  #received: FeedRow[] = [];
  readonly #inputs: GatewayInput[] = [];
  readonly #conditions: Record<string, number> = {};
  #tape: TapeWriter | undefined;
  #quiet: QuietWatch | undefined;
  #received_us = 0;
  /** Why the tape could not be written. */
  #broken: { readonly cause: unknown } | null = null;
  #ended = false;
  #openThere: number | null | undefined;
  #closed = false;

  private constructor(options: LiveOptions, read: TapeStream) {
    this.#o = options;
    this.#limits = options.limits ?? GATEWAY_LIMITS;
    this.#feed = read.feed;
    this.#read = read;
    this.venue = new ExternalVenue(options.spec.instruments);
    this.#gateway = new OrderGateway({
      venue: options.execution,
      book: this.venue,
      fence: fenceOf(options.spec),
      mayEmit: options.mayEmit,
      monotonic: options.monotonic,
      wallNow: options.wallNow,
      emit: (input) => this.#put(input),
      limits: this.#limits,
      ...(options.timers === undefined ? {} : { timers: options.timers }),
    });
  }

  /** Reads what an earlier life received and this one still needs; nothing is connected yet. Error RUMI-STR-045. */
  static open(options: LiveOptions): Result<LiveSide, Failure> {
    const { start, from, run_dir } = options.spec;
    // It goes on from another run: the rows that are there are that run's, and become its own (tape/carried.ts).
    const carried = start === "fresh" ? from?.run_dir : undefined;
    const read = readLife(carried ?? run_dir);
    if (!read.ok) return read;
    if (start === "fresh" && carried === undefined && read.value.files > 0)
      return err(failure("RUMI-STR-022", { path: run_dir }, { reasonCode: "M.RUN.EXISTS" }));
    return ok(new LiveSide(options, read.value));
  }

  get feed(): MarketFeed {
    return this.#feed.feed;
  }
  /** No row will follow. */
  get ended(): boolean {
    return this.#ended;
  }
  /** Nothing of ours is open or in doubt at the venue. */
  get isSettled(): boolean {
    return this.venue.live().length === 0;
  }
  /** The venue's last word on how many orders of ours it holds; `null`: it gave none. Absent until it was asked. */
  get openThere(): number | null | undefined {
    return this.#openThere;
  }
  async askOpen(): Promise<number | null> {
    return (this.#openThere = await this.#gateway.askOpen());
  }
  get settle_ms(): number {
    return this.#limits.settle_ms;
  }
  counters(): Readonly<Record<string, number>> {
    return { gateway_queued: this.#gateway.queued, orders_fenced_total: this.#gateway.fenced, ...this.#conditions };
  }

  /** Opens the doors: from here on rows and reports come in and orders go out. */
  begin(): void {
    const { spec, market, mayEmit, datasync, tape } = this.#o;
    const { files, last_seq, received_us, torn } = this.#read;
    this.#tape = new TapeWriter({
      run_dir: spec.run_dir,
      epoch: spec.epoch,
      files,
      first_row: this.#feed.length,
      last_seq,
      received_us,
      books: () => this.#feed.books(),
      needed_row: () => neededRow(spec.run_dir),
      ...(tape === undefined ? {} : { limits: tape }),
      ...(datasync === undefined ? {} : { datasync }),
    });
    this.#received_us = received_us;
    if (torn !== null) this.#tell("tape_mended", "M.TAPE.TORN", `${torn.bytes} bytes after row ${this.#feed.length}`);
    this.venue.onOutgoing = (request) => this.#gateway.accept(request);
    this.#gateway.begin();
    this.#quiet = new QuietWatch({
      after_ms: this.#limits.quiet_market_ms,
      monotonic: this.#o.monotonic,
      timers: this.#o.timers,
      quiet: (silent_ms) => this.#tell("feed_quiet", "M.FEED.QUIET", `${Math.round(silent_ms)} ms`),
      resumed: (silent_ms) => this.#tell("feed_resumed", null, `${Math.round(silent_ms)} ms`),
    });
    market.start(last_seq, {
      row: (row, seq) => {
        if (this.#closed || this.#ended || this.#broken !== null || !mayEmit()) return;
        if (this.#feed.length + this.#received.length >= this.#limits.feed_rows) return this.#end("M.FEED.FULL");
        const isLater = row.received_time_us >= this.#received_us;
        const received = isLater ? row : { ...row, received_time_us: this.#received_us };
        this.#received_us = received.received_time_us;
        this.#tape?.append(received, seq);
        this.#received.push(received);
        if (this.#tape?.isFull === true) this.#publish();
        this.#quiet?.heard();
        this.onActivity();
      },
      notice: (notice, detail) => {
        const { condition, reason } = CONDITIONS[notice];
        this.#tell(condition, reason, detail);
      },
      end: () => this.#end(null),
    });
  }

  /** The next input that says something new; it is to be recorded and applied before the one after it is asked for. */
  take(cursor: number): GatewayInput | undefined {
    this.#publishOrThrow();
    this.#feed.forget(cursor - (this.#o.tape?.rows_behind ?? TAPE_LIMITS.rows_behind));
    for (let input = this.#inputs.shift(); input !== undefined; input = this.#inputs.shift())
      if (input.input === "gateway") {
        const name = `gateway_${input.condition}_total`;
        this.#conditions[name] = (this.#conditions[name] ?? 0) + 1;
        return input;
      } else if (this.venue.wants(input.report)) return input;
    return undefined;
  }

  /** Everything received so far is on the disk; under a lease that is over, what was published before. */
  async sync(): Promise<void> {
    this.#publishOrThrow();
    await this.#tape?.sync();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.venue.onOutgoing = null;
    this.#quiet?.close();
    this.#o.market.close();
    this.#gateway.close();
    this.#tape?.close();
    this.#tape = undefined;
  }

  /** Rows are in the file before they are in the feed; after the lease is over they are nobody's. */
  #publish(): void {
    if (this.#received.length === 0 || this.#broken !== null || !this.#o.mayEmit()) return;
    try {
      this.#tape?.flush();
      for (const row of this.#received) this.#feed.add(row);
    } catch (cause) {
      this.#broken = { cause };
    }
    this.#received.length = 0;
  }

  /** For the host, which ends the instance for what is thrown; a listener has nobody above it but the lane. */
  #publishOrThrow(): void {
    this.#publish();
    if (this.#broken !== null) throw this.#broken.cause;
  }

  #end(reason_code: string | null): void {
    if (this.#ended) return;
    this.#publish();
    this.#ended = true;
    this.#quiet?.close();
    if (reason_code !== null) this.#tell("feed_disconnected", reason_code, `${this.#feed.length} rows`);
    this.#o.market.close();
    this.onActivity();
  }

  #tell(condition: GatewayCondition, reason_code: string | null, detail: string): void {
    const note = { condition, reason_code, client_order_id: null, detail };
    this.#put({ input: "gateway", ...note, received_time_us: this.#o.wallNow() });
  }

  #put(input: GatewayInput): void {
    if (this.#closed) return;
    this.#inputs.push(input);
    this.onActivity();
  }
}

function fenceOf({ instruments, limits }: LiveOptions["spec"]): CapitalFence {
  const capital = parseMoney(limits.capital);
  invariant(capital !== undefined, "the capital was checked when the specification came in");
  return { instruments, capital };
}
