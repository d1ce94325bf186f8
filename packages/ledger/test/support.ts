/** What the ledger's tests share: a key, events, and a whole small log in memory. */
import { type Failure, type Micros, type Result, type Uuid, micros, seededRandom, uuidv7 } from "@rumi/kernel";
import {
  type DetailsOf,
  type EventAction,
  type LedgerEvent,
  type LogHead,
  type NoteSigner,
  type PreparedLeaf,
  emptyHead,
  generateSigner,
  logOrigin,
  makeEvent,
  planAppend,
  prepareLeaf,
  signCheckpoint,
} from "../src/index.ts";
import type { LogSource, PayloadSource } from "../src/source.ts";
import { tileWidth } from "../src/tiles.ts";
import { ok } from "@rumi/kernel";

export const START: Micros = micros(1_790_000_000_000_000);
export const ORIGIN: string = logOrigin("dev", "0192f0c8-0000-7000-8000-000000000001");
export const SIGNER: NoteSigner = generateSigner(ORIGIN, seededRandom("ledger tests"));

export function must<T>(result: Result<T, Failure>): T {
  if (!result.ok) throw new Error(`${result.error.code} ${JSON.stringify(result.error.params)}`);
  return result.value;
}

export function codeOf(result: Result<unknown, Failure>): string | undefined {
  return result.ok ? undefined : result.error.code;
}

const COMMON = {
  reason: "a test",
  approval_id: null,
  expires_at: null,
  trace_id: "0af7651916cd43dd8448eb211c80319c",
  run_id: null,
  request_id: null,
  fingerprint: null,
} as const;

export function eventOf<A extends EventAction>(n: number, action: A, details: DetailsOf<A>): LedgerEvent {
  const occurred_at = micros(START + n * 1_000_000);
  const event_id = uuidv7(occurred_at, seededRandom(`event ${n}`));
  return makeEvent({
    event_id,
    action,
    actor: "user:root",
    resource_type: "bot",
    resource_id: `bot-${n % 7}`,
    outcome: "SUCCESS",
    occurred_at,
    common: COMMON,
    details,
  });
}

export function sampleEvent(n: number): LedgerEvent {
  if (n % 3 === 0) return eventOf(n, "bot.state.transition", { from: "IDLE", to: "RUNNING_PAPER" });
  if (n % 3 === 1) return eventOf(n, "controlplane.command.applied", { operation: "bots.start", status_code: 200 });
  return eventOf(n, "pack.approved", { version: `1.0.${n}` });
}

/** A log as a store would hold it, for reading and for tampering with. */
export class MemoryLog implements LogSource, PayloadSource {
  head: LogHead = emptyHead();
  root: Uint8Array = planAppend(emptyHead(), []).root;
  readonly entries: Uint8Array[] = [];
  readonly opened: ({ salt: Uint8Array; payload: string } | undefined)[] = [];
  readonly events: LedgerEvent[] = [];
  readonly tiles: Map<string, Uint8Array> = new Map();
  note: string = signCheckpoint({ origin: ORIGIN, size: 0, root: this.root }, SIGNER);

  append(events: readonly LedgerEvent[]): readonly PreparedLeaf[] {
    const leaves = events.map((event, i) =>
      must(prepareLeaf(event, seededRandom(`salt ${this.entries.length + i}`).bytes(32))),
    );
    const plan = planAppend(this.head, leaves);
    for (const tile of plan.tiles) this.tiles.set(`${tile.level}/${tile.index}`, tile.data);
    this.head = plan.head;
    this.root = plan.root;
    this.entries.push(...leaves.map((leaf) => leaf.leaf));
    this.opened.push(...leaves.map(({ salt, payload }) => ({ salt, payload })));
    this.events.push(...events);
    this.note = signCheckpoint({ origin: ORIGIN, size: this.head.size, root: this.root }, SIGNER);
    return leaves;
  }

  async checkpoint(): Promise<string | undefined> {
    return this.note;
  }
  async leaves(from: number, to: number): Promise<Result<readonly Uint8Array[], Failure>> {
    return ok(this.entries.slice(from, to));
  }
  async tile(level: number, index: number): Promise<Uint8Array | undefined> {
    const tile = this.tiles.get(`${level}/${index}`);
    return tile?.subarray(0, 32 * tileWidth(level, index, this.head.size));
  }
  async payloads(from: number, to: number): Promise<readonly ({ salt: Uint8Array; payload: string } | undefined)[]> {
    return this.opened.slice(from, to);
  }
}

export function logOf(count: number): MemoryLog {
  const log = new MemoryLog();
  log.append(Array.from({ length: count }, (_, n) => sampleEvent(n)));
  return log;
}

export function eventIdOf(log: MemoryLog, index: number): Uuid {
  const event = log.events[index];
  if (event === undefined) throw new Error(`no event ${index}`);
  return event.event_id;
}
