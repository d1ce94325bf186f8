/** Bounded record of what a jailed process writes to its log: kept up to two caps, the rest counted. */
export type LogCounts = {
  readonly bytes_seen: number;
  readonly bytes_dropped: number;
  readonly capped_seconds: number;
};

export class BoundedLog {
  private readonly perSecond: number;
  private readonly perRun: number;
  private readonly now_ms: () => number;
  private readonly kept: Buffer[] = [];
  private keptBytes = 0;
  private seen = 0;
  private second = -1;
  private inSecond = 0;
  private capped = 0;
  private cappedThisSecond = false;

  constructor(options: {
    readonly bytes_per_second: number;
    readonly bytes_per_run: number;
    readonly now_ms: () => number;
  }) {
    this.perSecond = options.bytes_per_second;
    this.perRun = options.bytes_per_run;
    this.now_ms = options.now_ms;
  }

  take(chunk: Uint8Array): void {
    const second = Math.floor(this.now_ms() / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.inSecond = 0;
      this.cappedThisSecond = false;
    }
    this.seen += chunk.length;
    const room = Math.max(0, Math.min(chunk.length, this.perSecond - this.inSecond, this.perRun - this.keptBytes));
    if (room < chunk.length && !this.cappedThisSecond) {
      this.cappedThisSecond = true;
      this.capped += 1;
    }
    if (room === 0) return;
    this.kept.push(Buffer.from(chunk.subarray(0, room)));
    this.keptBytes += room;
    this.inSecond += room;
  }

  counts(): LogCounts {
    return { bytes_seen: this.seen, bytes_dropped: this.seen - this.keptBytes, capped_seconds: this.capped };
  }

  text(): string {
    return Buffer.concat(this.kept).toString("utf8");
  }
}
