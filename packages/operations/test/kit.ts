/** What tests of the pipeline and of the server share: the real store in a throw-away folder, and sample operations. */
import { generateKeyPairSync } from "node:crypto";
import {
  type Clock,
  ID_PATTERNS,
  type Micros,
  err,
  failure,
  micros,
  millis,
  ok,
  seededRandom,
  systemRandom,
  uuidv7,
} from "@rumi/kernel";
import { type Migrations, type Store, openSqliteStore, write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { temporaryFolder } from "../../../tools/test-support.ts";
import {
  type Declaration,
  type Guards,
  type LogLevel,
  type Metrics,
  type Pipeline,
  type PipelineSettings,
  type RegisteredOperation,
  ROOT,
  createLogger,
  createMetrics,
  createPipeline,
  createRegistry,
  defineObservation,
  defineOperation,
  defineQuery,
  fixedSafety,
  guards,
} from "../src/index.ts";

/** A clock that moves only when told. */
export type TestClock = Clock & { advance(ms: number): void };
export function testClock(start: Micros = micros(1_770_000_000_000_000)): TestClock {
  let at = start;
  let elapsed = 0;
  let sleepers: { until: number; wake: () => void }[] = [];
  return {
    now: () => at,
    monotonic: () => millis(elapsed),
    sleep: (duration, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        sleepers.push({ until: elapsed + duration, wake: resolve });
        signal?.addEventListener("abort", () => resolve());
      }),
    advance: (ms) => {
      elapsed += ms;
      at = micros(at + ms * 1_000);
      const due = sleepers.filter(({ until }) => until <= elapsed);
      sleepers = sleepers.filter(({ until }) => until > elapsed);
      for (const { wake } of due) wake();
    },
  };
}

export type CounterTables = { counter: { id: string; value: number; version: number } };
export const COUNTER_MIGRATIONS: Migrations = {
  owner: "counters",
  steps: [
    {
      name: "001-counter",
      sqlite: ["CREATE TABLE counter (id TEXT PRIMARY KEY, value INTEGER NOT NULL, version INTEGER NOT NULL)"],
      postgres: ["CREATE TABLE counter (id TEXT PRIMARY KEY, value BIGINT NOT NULL, version BIGINT NOT NULL)"],
    },
  ],
};
type Counter = CounterTables["counter"];

const counterId = Type.String({ pattern: ID_PATTERNS.bot, description: "Name of the counter." });
const commandFields = {
  command_id: Type.String({ format: "uuid" }),
  reason: Type.String({ minLength: 1, maxLength: 500 }),
};
const ALL = ["view_only", "operator", "admin", "break_glass"] as const;

async function loadCounter(
  reader: { rows: Store["rows"] },
  { counter_id }: { readonly counter_id: string },
  { store }: { readonly store: Pick<Store, "builder"> },
): Promise<Counter | null> {
  const [row] = await reader.rows<Counter>(
    store.builder<CounterTables>().selectFrom("counter").selectAll().where("id", "=", counter_id),
  );
  return row ?? null;
}

export const addToCounter = defineOperation({
  name: "counters.add",
  summary: "Adds to a counter.",
  http: {
    method: "POST",
    path: "/api/counters/{counter_id}/add",
    aliases: ["/counters/{counter_id}/add"],
  },
  input: Type.Object(
    {
      ...commandFields,
      counter_id: counterId,
      by: Type.Integer({ minimum: -1_000, maximum: 1_000, default: 1, description: "How much." }),
      mode: Type.Optional(Type.Union([Type.Literal("paper"), Type.Literal("live")])),
      note: Type.Optional(Type.String({ maxLength: 100 })),
      extra: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ value: Type.Integer() }),
  key: "command_id",
  permission: ["operator", "admin"],
  risk: ({ by }) => (by < 0 ? "tighten" : "increase"),
  danger: ({ mode }, counter) =>
    mode === "live"
      ? {
          kind: "confirm",
          requires: ["phrase"],
          phrase: "I UNDERSTAND LIVE RISK",
          base: { version: counter?.version ?? 0 },
        }
      : { kind: "none" },
  target: ({ counter_id }) => ({ resource_type: "counter", resource_id: counter_id }),
  gates: [],
  load: loadCounter,
  decide: (counter, { counter_id, by, note }, { store, reason }) => {
    if (note === "boom") throw new Error("a planted fault");
    const value = (counter?.value ?? 0) + by;
    if (value > 1_000_000)
      return err(
        failure("RUMI-VAL-012", { field: "$.by", problem: "the counter is full" }, { reasonCode: "COUNTER_FULL" }),
      );
    const sql = store.builder<CounterTables>();
    return ok({
      writes: [
        counter === null
          ? write(
              sql
                .insertInto("counter")
                .values({ id: counter_id, value, version: 1 })
                .onConflict((on) => on.doNothing()),
              1,
            )
          : write(
              sql
                .updateTable("counter")
                .set({ value, version: counter.version + 1 })
                .where("id", "=", counter_id)
                .where("version", "=", counter.version),
              1,
            ),
      ],
      events: [
        {
          action: "bot.state.transition",
          resource_type: "counter",
          resource_id: counter_id,
          outcome: "SUCCESS" as const,
          details: { from: null, to: "IDLE", generation: Math.abs(value) },
        },
      ],
      outbox: [{ kind: "counter.announce", key: counter_id, payload: { value } }],
      data: { value, by, reason },
    });
  },
  preview: (counter, { by }) => ({
    before: counter?.value ?? 0,
    after: (counter?.value ?? 0) + by,
  }),
});

export const setSecret = defineOperation({
  name: "vault.set",
  summary: "Keeps a secret.",
  http: { method: "POST", path: "/api/vault" },
  input: Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 64 }),
      value: Type.String({ minLength: 1, maxLength: 1_000 }),
    },
    { additionalProperties: false },
  ),
  output: Type.Object({ name: Type.String() }),
  success: [201],
  key: "header",
  permission: ["admin"],
  secret_fields: ["value"],
  risk: () => "neutral",
  danger: () => ({ kind: "none" }),
  target: ({ name }) => ({ resource_type: "secret", resource_id: name }),
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  gates: [],
  load: () => Promise.resolve(null),
  decide: (_facts, { name }) => ok({ writes: [], events: [], outbox: [], data: { name, status: "kept" }, status: 201 }),
});

export const gated = defineOperation({
  name: "gated.run",
  summary: "Needs a gate.",
  http: { method: "POST", path: "/api/gated" },
  input: Type.Object({}, { additionalProperties: false }),
  output: Type.Object({}),
  key: "header",
  permission: ALL,
  risk: () => "increase",
  danger: () => ({ kind: "none" }),
  target: () => ({ resource_type: "gate", resource_id: "data" }),
  gates: ["data"],
  load: () => Promise.resolve(null),
  decide: () => ok({ writes: [], events: [], outbox: [], data: {} }),
});

export const readCounter = defineQuery({
  name: "counters.get",
  summary: "Shows a counter.",
  http: { method: "GET", path: "/api/counters/{counter_id}" },
  input: Type.Object(
    { counter_id: counterId, limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }) },
    { additionalProperties: false },
  ),
  output: Type.Object({ value: Type.Integer(), limit: Type.Integer() }),
  permission: ALL,
  read: async (reader, input, context) => {
    const counter = await loadCounter(reader, input, context);
    return counter === null
      ? err(failure("RUMI-SYS-011", { what: "counter", id: input.counter_id }))
      : ok({ value: counter.value, limit: input.limit });
  },
});

export const reportCounter = defineObservation({
  name: "counters.report",
  input: Type.Object({ counter_id: counterId, value: Type.Integer() }, { additionalProperties: false }),
  load: loadCounter,
  decide: (counter, { counter_id, value }, { store }) => {
    const same = counter?.value === value;
    const sql = store.builder<CounterTables>();
    return {
      writes:
        same || counter === null
          ? []
          : [
              write(
                sql
                  .updateTable("counter")
                  .set({ value, version: counter.version + 1 })
                  .where("id", "=", counter_id)
                  .where("version", "=", counter.version),
                1,
              ),
            ],
      events: same
        ? []
        : [
            {
              action: "bot.state.transition",
              resource_type: "counter",
              resource_id: counter_id,
              outcome: "SUCCESS" as const,
              details: { from: null, to: "IDLE", generation: Math.abs(value) },
            },
          ],
      outbox: [],
      data: { changed: !same },
    };
  },
});

export const SAMPLES: readonly Declaration[] = [addToCounter, setSecret, gated, readCounter, reportCounter];

/** The real store, in this process, on a fresh file. */
export async function openTestStore(folder: string, signer = testSigner()): Promise<Store> {
  const opened = await openSqliteStore({
    path: `${folder}/store.db`,
    backup_folder: folder,
    migrations: [COUNTER_MIGRATIONS],
    signer,
    random: seededRandom("salts"),
    writer: { kind: "in_process" },
  });
  if (!opened.ok) throw new Error(`${opened.error.code} ${JSON.stringify(opened.error.params)}`);
  return opened.value;
}
export function testSigner(): {
  readonly origin: string;
  readonly key_name: string;
  readonly private_key_pem: string;
} {
  return {
    origin: "rumi.test/log",
    key_name: "rumi.test/log",
    private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

export type Kit = {
  readonly store: Store;
  readonly clock: TestClock;
  readonly metrics: Metrics;
  readonly pipeline: Pipeline;
  readonly lines: string[];
  readonly operation: (name: string) => RegisteredOperation;
  /** Sends a command as root (or whoever `over` names). */
  readonly send: (
    name: string,
    body: Record<string, unknown>,
    over?: {
      readonly key?: string;
      readonly principal?: typeof ROOT;
      readonly params?: Record<string, string>;
    },
  ) => ReturnType<Pipeline["execute"]>;
  readonly id: () => string;
  readonly rows: <Row>(sql: string) => Promise<readonly Row[]>;
  readonly actions: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
};

export type KitOptions = {
  readonly guards?: Partial<Guards>;
  readonly settings?: Partial<PipelineSettings>;
  readonly store?: (real: Store) => Store;
  readonly declarations?: readonly Declaration[];
  readonly level?: LogLevel;
};

export async function openKit(options: KitOptions = {}): Promise<Kit> {
  const folder = temporaryFolder();
  const real = await openTestStore(folder.path);
  const store = options.store?.(real) ?? real;
  const kit = kitOn(store, options);
  return {
    ...kit,
    close: async () => {
      await real.close();
      folder.remove();
    },
  };
}

/** A pipeline of its own on a store: a second one on the same store is the program after a restart. */
export function kitOn(store: Store, options: KitOptions = {}): Kit {
  const clock = testClock();
  const metrics = createMetrics();
  const random = systemRandom();
  const lines: string[] = [];
  const registry = createRegistry(options.declarations ?? SAMPLES);
  const pipeline = createPipeline({
    store,
    registry,
    guards: guards({ safety: fixedSafety("NORMAL"), ...options.guards }),
    clock,
    random,
    metrics,
    fingerprintKey: new Uint8Array(32).fill(7),
    logger: createLogger({
      level: options.level ?? "INFO",
      format: "json",
      clock,
      sink: (line) => lines.push(line),
    }),
    ...options.settings,
  });
  const operation = (name: string): RegisteredOperation => {
    const found = registry.operations.get(name);
    if (found === undefined) throw new Error(`no operation ${name}`);
    return found;
  };
  const rows = <Row>(sql: string): Promise<readonly Row[]> => store.rows<Row>({ sql, parameters: [] });
  return {
    store,
    clock,
    metrics,
    pipeline,
    lines,
    operation,
    rows,
    send: (name, body, over = {}) =>
      pipeline.execute(operation(name), {
        raw: { params: over.params ?? {}, query: {}, body },
        principal: over.principal ?? ROOT,
        idempotencyKey: over.key ?? null,
        trace_id: uuidv7(clock.now(), random),
        remote: "127.0.0.1",
      }),
    id: () => uuidv7(clock.now(), random),
    actions: async () =>
      (await rows<{ action: string }>("SELECT action FROM log_entry ORDER BY idx")).map(({ action }) => action),
    close: () => Promise.resolve(),
  };
}
