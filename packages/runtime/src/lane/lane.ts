/** The thread's inside: instances by run, commands in order, status told when it changed and at most twice a second. */
import { logCause } from "../cause-text.ts";
import { validateConfig } from "@rumi/abi";
import { announceThread, CallMark } from "@rumi/sandbox";
import { createSimulatedVenue, loadRecordings, type MarketFeed } from "@rumi/venues";
import { err, type Failure, failure, giveWay, type JsonObject, ok, type Result, sha256Hex } from "@rumi/kernel";
import { atItsPrimarysPace, shadowWorldOf, worldOf } from "../shadow/open-shadow.ts";
import { COMPUTE_LIMITS, type ComputeResult } from "../compute/side.ts";
import { venueOptionsOf } from "../instance/gate-context.ts";
import { failureNote } from "../instance/host-status.ts";
import { InstanceHost } from "../instance/host.ts";
import type { HostOptions } from "../instance/host-options.ts";
import type { InstanceSpec, InstanceStatus, LiveVenueSpec } from "../protocol.ts";
import { CheckpointTurns } from "../checkpoint/turns.ts";
import type { LoadStrategyOptions } from "../strategy/load.ts";
import { SYSTEM, type Surroundings } from "../surroundings.ts";
import { openServices } from "../service/open.ts";
import type { ServicePort } from "../service/port.ts";
import { FeedCache } from "./feed-cache.ts";
import type { FromLane, LaneData, ToLane } from "./messages.ts";
import { SharedParts } from "../shared-parts.ts";
import { type KillWord, unpackKillWord } from "../kill-switch/kill-word.ts";
import { lowerGroups } from "./priority.ts";
import { AWAKE, Rests, type Sleeper } from "./rests.ts";

export const LANE_TIMES = {
  beat_ms: 50,
  status_ms: 500,
  /** Statuses that a lane tells in a second; of more instances each is told less often. */
  statuses_per_s: 500,
  rest_ms: 1_000,
} as const;

/** The same in every thread of the machine. */
export const sharedNowMs = (): number => Number(process.hrtime.bigint() / 1_000_000n);

type Hosted = Sleeper & {
  readonly spec: InstanceSpec;
  readonly host: InstanceHost;
  readonly commands: (() => Promise<void>)[];
  /** Somebody woke it while it was awake: it does not rest before it has looked again. */
  isCalled: boolean;
  readonly results: Map<string, ComputeResult>;
  toldAt: number;
  /** Digest of the status that was told last: of thousands of instances the texts themselves are megabytes. */
  told: string;
  toldPhase: InstanceStatus["phase"] | null;
};

export class Lane {
  readonly #data: LaneData;
  readonly #around: Surroundings;
  readonly #hostAround: Pick<HostOptions, "timers" | "wallNow" | "monotonic" | "datasync" | "account" | "log">;
  readonly #tell: (message: FromLane) => void;
  readonly #hosted = new Map<string, Hosted>();
  readonly #fence: BigInt64Array;
  readonly #ports = new Map<string, ServicePort>();
  readonly #feeds = new FeedCache(loadFeed);
  readonly #parts = new SharedParts();
  readonly #turns: CheckpointTurns;
  readonly #rests: Rests;
  /** Starts go one after the other and give way in between: a thousand at once must not silence the lane. */
  #starting: Promise<void> = Promise.resolve();

  constructor(data: LaneData, tell: (message: FromLane) => void, around: Surroundings = SYSTEM) {
    this.#data = data;
    this.#around = around;
    this.#turns = new CheckpointTurns(around.monotonic);
    this.#rests = new Rests(around.timers, around.monotonic);
    const { timers, wallNow, monotonic, datasync, accountOf, log } = around;
    const account = accountOf(monotonic);
    this.#hostAround = { timers, wallNow, monotonic, datasync, account, log };
    this.#tell = tell;
    this.#fence = new BigInt64Array(data.fence);
    announceThread(data.calls);
    const beat = new Int32Array(data.beat);
    around.timers.every(LANE_TIMES.beat_ms, () => Atomics.add(beat, 0, 1));
  }

  take(message: ToLane): void {
    if (message.type === "start") {
      this.#starting = this.#starting.then(() => this.#start(message)).then(() => giveWay(this.#around.timers));
      return;
    }
    const hosted = this.#hosted.get(message.run_id);
    if (hosted === undefined)
      return this.#refuse(
        message.request,
        failure("RUMI-STR-035", { run_id: message.run_id, epoch: 0 }, { reasonCode: "M.INSTANCE.UNKNOWN" }),
      );
    if (message.type === "input") {
      void hosted.host.input(message.input).then((result) => this.#reply(message.request, result));
    } else {
      const { host } = hosted;
      const run = {
        stop: () => host.stop(message.reason),
        pause: () => host.pause(message.reason),
        continue: () => host.continue(),
        handover: () => host.handover(),
        suspend: () => host.suspend().then(() => ok(host.status())),
        inspect: () => Promise.resolve(ok(host.inspect())),
        // A turn begins with the kill switch's word, durable before anything else is done.
        heed: () => host.turn().then(() => ok(host.status())),
      }[message.command];
      hosted.commands.push(async () => this.#reply(message.request, await host.carryOut(run)));
    }
    this.#wake(hosted);
  }

  async #start(message: Extract<ToLane, { type: "start" }>): Promise<void> {
    const spec = this.#parts.shared(message.spec);
    const results = new Map<string, ComputeResult>();
    const opened = await this.#open({ ...message, spec }, results).catch((cause: unknown) =>
      err(failure("RUMI-SYS-001", { trace_id: spec.trace_id }, { cause })),
    );
    if (!opened.ok) return this.#refuse(message.request, opened.error);
    const hosted: Hosted = {
      spec,
      host: opened.value,
      commands: [],
      isCalled: false,
      restsUntil: 0,
      restPlace: AWAKE,
      goOn: () => void this.#live(hosted),
      results,
      toldAt: 0,
      told: "",
      toldPhase: null,
    };
    this.#hosted.set(spec.run_id, hosted);
    this.#tell({ type: "reply", request: message.request, ok: true, status: opened.value.status() });
    hosted.goOn();
  }

  async #open(
    { spec: asked, slot, progress }: Extract<ToLane, { type: "start" }>,
    results: Map<string, ComputeResult>,
  ): Promise<Result<InstanceHost, Failure>> {
    const { python, watch, jails } = this.#data;
    const config = validateConfig(asked.descriptor.config_schema, asked.config);
    if (!config.ok) return config;
    const spec = { ...atItsPrimarysPace(asked), config: config.value };
    // Its processes stand behind everything else too, whenever they are started.
    const behind = this.#data.lane === "compute" ? { onStarted: lowerGroups } : {};
    const native = { watch, now_ms: sharedNowMs, ...behind };
    const pythonOf = { native, jails, ...(python === null ? {} : { python: { home: python, ...native } }) };
    const admitted = spec.admission === undefined ? {} : { admitted: spec.admission.key };
    const { monotonic } = this.#around;
    const report = this.#around.admit({ ...spec, ...pythonOf, ...admitted, monotonic });
    if (!report.admitted)
      return err(
        report.failure ??
          failure(
            "RUMI-STR-033",
            { check: report.checks.find((check) => !check.passed)?.check ?? "" },
            { reasonCode: report.checks.find((check) => !check.passed)?.reason_code ?? "M.ADMISSION.REFUSED" },
          ),
      );
    const { live } = spec.venue;
    if (live !== undefined && spec.follows !== undefined) {
      const world = shadowWorldOf(spec, spec.follows, this.#hostAround.datasync);
      return world.ok ? this.#openOver(world.value, spec, slot, pythonOf) : world;
    }
    if (live !== undefined) return this.#openOutside(live, spec, slot, pythonOf);
    const feed = await this.#feeds.take(spec);
    if (!feed.ok) return feed;
    const venue = createSimulatedVenue(venueOptionsOf(spec.instruments, spec.venue));
    const opened = venue.ok
      ? await this.#openOver(
          { ...worldOf(spec, feed.value, venue.value), ...besideOf(progress, results) },
          spec,
          slot,
          pythonOf,
        )
      : venue;
    if (!opened.ok) this.#feeds.giveBack(spec);
    return opened;
  }

  async #openOutside(
    to: LiveVenueSpec,
    spec: InstanceSpec,
    slot: number,
    pythonOf: Pick<LoadStrategyOptions, "python" | "native" | "jails">,
  ): Promise<Result<InstanceHost, Failure>> {
    const outside = this.#around.openLive({
      spec,
      live: to,
      environment: process.env,
      mayEmit: this.#mayEmit(slot),
      ...this.#hostAround,
    });
    if (!outside.ok) return outside;
    const live = outside.value;
    live.onActivity = () => {
      const hosted = this.#hosted.get(spec.run_id);
      if (hosted !== undefined) this.#wake(hosted);
    };
    const opened = await this.#openOver({ feed: live.feed, venue: live.venue, live }, spec, slot, pythonOf);
    if (!opened.ok) live.close();
    return opened;
  }

  #mayEmit(slot: number): () => boolean {
    const { monotonicNs } = this.#around;
    return () => monotonicNs() < Atomics.load(this.#fence, slot);
  }

  #killWord(slot: number): () => KillWord {
    return () => unpackKillWord(Atomics.load(this.#fence, this.#fence.length / 2 + slot));
  }

  async #openOver(
    world: Pick<HostOptions, "feed" | "venue" | "live"> & Beside,
    spec: InstanceSpec,
    slot: number,
    pythonOf: Pick<LoadStrategyOptions, "python" | "native" | "jails">,
  ): Promise<Result<InstanceHost, Failure>> {
    const { calls, without } = this.#data;
    const strategy = this.#around.loadStrategy({
      descriptor: spec.descriptor,
      mark: new CallMark(calls, slot, spec.descriptor.resources.event_timeout_ms),
      ...(without === undefined ? {} : { without }),
      pack_dir: spec.pack_dir,
      pack_digest: spec.pack_digest,
      isolation: spec.isolation,
      ...(spec.isolation_level === undefined ? {} : { isolation_level: spec.isolation_level }),
      ...pythonOf,
      ...(pythonOf.python === undefined ? {} : { python: { ...pythonOf.python, standby: "warm" as const } }),
    });
    if (!strategy.ok) return strategy;
    const services = openServices(spec, this.#data.python);
    if (!services.ok) {
      strategy.value.close();
      return services;
    }
    if (services.value !== null) this.#ports.set(spec.run_id, services.value);
    let told = 0;
    const opened = await InstanceHost.open({
      ...world,
      ...(services.value === null ? {} : { services: services.value }),
      ...this.#hostAround,
      spec,
      strategy: strategy.value,
      mayEmit: this.#mayEmit(slot),
      ...(spec.follows === undefined ? { killWord: this.#killWord(slot) } : {}),
      turns: this.#turns,
      onDurable: (seq) => {
        if (seq > told) this.#tell({ type: "durable", run_id: spec.run_id, seq });
        told = seq;
      },
      onSegment: (segment) => this.#tell({ type: "segment", segment }),
    });
    if (!opened.ok) strategy.value.close();
    return opened;
  }

  /** One instance's life in this lane until it rests: commands, a slice, give way. */
  async #live(hosted: Hosted): Promise<void> {
    const { host, spec } = hosted;
    for (;;) {
      hosted.isCalled = false;
      for (const command of hosted.commands.splice(0)) await command();
      const did = await host.turn();
      this.#tellStatus(hosted, false);
      for (const result of hosted.results.values()) this.#tell({ type: "result", run_id: spec.run_id, result });
      hosted.results.clear();
      if (host.phase === "stopped" || host.phase === "failed") return this.#leave(hosted);
      if (did === "idle" && !hosted.isCalled) return this.#rest(hosted);
      await giveWay(this.#around.timers);
    }
  }

  async #leave(hosted: Hosted): Promise<void> {
    const { run_id } = hosted.spec;
    this.#tellStatus(hosted, true);
    this.#hosted.delete(run_id);
    this.#ports.get(run_id)?.close();
    this.#ports.delete(run_id);
    this.#feeds.giveBack(hosted.spec);
    for (const command of hosted.commands.splice(0)) await command();
  }

  /** Until the next row is due, so that many quiet instances cost nothing; a command or an input wakes it before. */
  #rest(hosted: Hosted): void {
    const due = hosted.host.dueIn ?? this.#around.idle_ms;
    const untold = hosted.toldAt + this.#statusEvery() - this.#around.monotonic();
    const rest = untold > 0 ? Math.min(LANE_TIMES.rest_ms, untold) : LANE_TIMES.rest_ms;
    this.#rests.rest(hosted, Math.ceil(Math.min(rest, due)));
  }

  #wake(hosted: Hosted): void {
    if (!this.#rests.wake(hosted)) hosted.isCalled = true;
  }

  #statusEvery(): number {
    return Math.max(LANE_TIMES.status_ms, (this.#hosted.size * 1_000) / LANE_TIMES.statuses_per_s);
  }

  /** A new phase is told at once. */
  #tellStatus(hosted: Hosted, now: boolean): void {
    const at = this.#around.monotonic();
    const moved = hosted.host.phase !== hosted.toldPhase;
    if (!now && !moved && at - hosted.toldAt < this.#statusEvery()) return;
    hosted.toldAt = at;
    hosted.toldPhase = hosted.host.phase;
    const text = JSON.stringify(hosted.host.status());
    const digest = sha256Hex(text);
    if (digest === hosted.told) return;
    hosted.told = digest;
    this.#tell({ type: "status", text });
  }

  #reply(request: number, result: Result<InstanceStatus, Failure>): void {
    if (result.ok) this.#tell({ type: "reply", request, ok: true, status: result.value });
    else this.#refuse(request, result.error);
  }

  #refuse(request: number, of: Failure): void {
    logCause(of, this.#around.log);
    this.#tell({
      type: "reply",
      request,
      ok: false,
      failure: failureNote(of),
      details: (of.details ?? {}) as JsonObject,
    });
  }
}

/** What an instance with a Compute side, or such a side, is opened with besides. */
type Beside = Pick<HostOptions, "progress" | "onResult">;
function besideOf(
  progress: Extract<ToLane, { type: "start" }>["progress"],
  results: Map<string, ComputeResult>,
): Beside {
  if (progress === undefined) return {};
  const shared = { progress: { role: progress.role, rows: new Int32Array(progress.rows) } };
  return progress.role === "lead" ? shared : { ...shared, onResult: (result) => keepNewest(results, result) };
}

/** Of each tag the newest, and no more tags than there may be. */
function keepNewest(results: Map<string, ComputeResult>, result: ComputeResult): void {
  if (results.has(result.tag) || results.size < COMPUTE_LIMITS.tags) results.set(result.tag, result);
}

/** The recording with the confirmed digests, its instruments numbered as the specification numbers them. */
export async function loadFeed(
  spec: Pick<InstanceSpec, "venue" | "instruments">,
): Promise<Result<MarketFeed, Failure>> {
  const { files } = spec.venue;
  const loaded = await loadRecordings(files);
  if (!loaded.ok) return loaded;
  for (const [index, file] of files.entries()) {
    if (loaded.value.report.files[index]?.sha256 !== file.sha256)
      return err(
        failure(
          "RUMI-STR-034",
          { path: file.path, problem: "its digest is not the confirmed one" },
          { reasonCode: "M.RECORDING.DIGEST" },
        ),
      );
  }
  const { feed, instruments } = loaded.value;
  const places = instruments.map((one) =>
    spec.instruments.findIndex((other) => other.instrument_id === one.instrument_id),
  );
  if (places.includes(-1))
    return err(
      failure(
        "RUMI-STR-034",
        { path: files[0]?.path ?? "", problem: "it holds an instrument that the instance does not list" },
        { reasonCode: "M.RECORDING.INSTRUMENT" },
      ),
    );
  if (places.some((place, index) => place !== index))
    for (let row = 0; row < feed.length; row += 1) feed.instrument[row] = places[feed.instrument[row] ?? 0] ?? 0;
  return ok(feed);
}
