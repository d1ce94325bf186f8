/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
/** What tests of platform and control share: a real store, the real pipeline, and small packs on disk. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  digestOf,
  micros,
  millis,
  NO_SECRETS,
  ok,
  systemClock,
  systemRandom,
  uuidv7,
  type Clock,
  type Failure,
  type Random,
  type Result,
  type Scrubber,
} from "@rumi/kernel";
import {
  createLogger,
  createMetrics,
  createPipeline,
  createRegistry,
  fixedSafety,
  guards,
  scrubbedStore,
  type Answer,
  type Declaration,
  type Guards,
  type Pipeline,
  type Principal,
  type RegisteredOperation,
  type RegisteredQuery,
  type Registry,
} from "@rumi/operations";
import { Value } from "@sinclair/typebox/value";
import { zipSync, type Zippable } from "fflate";
import { openPostgresStore, openSqliteStore, type Migrations, type Store } from "@rumi/store";
import { generateKeyPairSync } from "node:crypto";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { startPostgres, type TestServer } from "../../store/test/postgres-server.ts";
import { removeTree } from "../src/packs/files.ts";

export const ROOT: Principal = { id: "user:root", roles: ["view_only", "operator", "admin"] };

/** Wall time that really passes, so that the database's clock and ours agree. */
export function realClock(): Clock & { skip(ms: number): void } {
  let ahead_ms = 0;
  const system = systemClock();
  return {
    /** Lets wall time pass at once; what was promised until then is over. */
    skip: (ms) => void (ahead_ms += ms),
    now: () => micros(Math.round((performance.timeOrigin + performance.now() + ahead_ms) * 1_000)),
    monotonic: () => millis(performance.now()),
    sleep: (...wait) => system.sleep(...wait),
  };
}

/** One key for all worlds of a test file, so that a home can be opened again. */
export const signer = {
  origin: "rumi.test/log",
  private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
};

export type World = {
  readonly folder: string;
  readonly store: Store;
  readonly clock: ReturnType<typeof realClock>;
  readonly pipeline: Pipeline;
  readonly registry: Registry;
  readonly lines: string[];
  command(
    name: string,
    body: Record<string, unknown>,
    over?: { readonly params?: Record<string, string>; readonly principal?: Principal; readonly key?: string },
  ): Promise<Answer>;
  query(
    name: string,
    query?: Record<string, string>,
    params?: Record<string, string>,
    principal?: Principal,
  ): Promise<Answer>;
  id(): string;
  actions(): Promise<readonly string[]>;
};

let postgres: Promise<TestServer> | undefined;

/** Where worlds are on PostgreSQL (on-postgres.test.ts): ends their server. */
export async function stopPostgres(): Promise<void> {
  await (await postgres)?.stop();
  postgres = undefined;
}

/** A database of its own on this worker's server. */
async function openOnPostgres(
  migrations: readonly Migrations[],
  clock: Clock,
  random: Random,
): Promise<Result<Store, Failure>> {
  postgres ??= startPostgres();
  const server = await postgres;
  return openPostgresStore({
    server: await server.database(),
    migrations,
    signer,
    clock,
    random,
    before_migration: () => Promise.resolve(ok(undefined)),
  });
}

/** Makes the store first, then whatever hangs on it, then the pipeline over all declarations. */
export async function openWorld(
  migrations: readonly Migrations[],
  make: (of: { readonly folder: string; readonly store: Store; readonly clock: Clock }) => {
    readonly declarations: readonly Declaration[];
    readonly guards?: Guards;
    /** Told what there is, as the program tells it. */
    readonly know?: (registry: Registry) => void;
    /** Where it knows secrets, log and pipeline keep none of them, as in the program. */
    readonly scrubber?: Scrubber;
  },
  path?: string,
  /** Another store than a new SQLite file. */
  given?: Store,
): Promise<World & { close(): Promise<void> }> {
  const temporary = temporaryFolder();
  const folder = path ?? temporary.path;
  const clock = realClock();
  const random = systemRandom();
  const opened =
    given !== undefined
      ? ok(given)
      : process.env["RUMI_TEST_STORE"] === "postgres"
        ? await openOnPostgres(migrations, clock, random)
        : await openSqliteStore({
            path: join(folder, "store.db"),
            backup_folder: folder,
            migrations,
            signer,
            random,
            writer: { kind: "in_process" },
          });
  if (!opened.ok) throw new Error(`${opened.error.code} ${JSON.stringify(opened.error.params)}`);
  const store = opened.value;
  const { declarations, guards: asked, know, scrubber = NO_SECRETS } = make({ folder, store, clock });
  const registry = createRegistry(declarations);
  know?.(registry);
  const lines: string[] = [];
  const pipeline = createPipeline({
    store: scrubbedStore(store, scrubber),
    scrubber,
    registry,
    guards: asked ?? guards({ safety: fixedSafety("NORMAL") }),
    clock,
    random,
    metrics: createMetrics(),
    fingerprintKey: new Uint8Array(32).fill(7),
    logger: createLogger({
      level: "INFO",
      format: "json",
      clock,
      sink: (line) => lines.push(line),
      redact: scrubber.text,
    }),
  });
  const id = (): string => uuidv7(clock.now(), random);
  const found = <T>(map: ReadonlyMap<string, T>, name: string): T => {
    const one = map.get(name);
    if (one === undefined) throw new Error(`nothing is called ${name}`);
    return one;
  };
  return {
    folder,
    store,
    clock,
    pipeline,
    registry,
    lines,
    id,
    command: async (name, body, over = {}) => {
      const operation = found(registry.operations, name);
      const answer = await pipeline.execute(operation, {
        raw: { params: over.params ?? {}, query: {}, body },
        principal: over.principal ?? ROOT,
        idempotencyKey: over.key ?? null,
        trace_id: id(),
        remote: "127.0.0.1",
      });
      return asDeclared(operation, answer);
    },
    query: async (name, query = {}, params = {}, principal = ROOT) => {
      const declared = found(registry.queries, name);
      const raw = { params, query, body: undefined };
      return asDeclared(declared, await pipeline.query(declared, { raw, principal, trace_id: id() }));
    },
    actions: async () =>
      (await store.rows<{ action: string }>({ sql: "SELECT action FROM log_entry ORDER BY idx", parameters: [] })).map(
        (row) => row.action,
      ),
    close: async () => {
      await store.close();
      await removeTree(temporary.path);
      temporary.remove();
    },
  };
}

/** The answer as it came; a test failure where it is none that its declaration describes (L-12.1). */
function asDeclared({ definition }: RegisteredOperation | RegisteredQuery, answer: Answer): Answer {
  if (answer.kind === "refused") return answer;
  const other = answer.data as { readonly dry_run?: boolean; readonly spooled?: boolean };
  const isConfirmation = definition.kind === "operation" && definition.redeems === true;
  if (isConfirmation || other.dry_run === true || other.spooled === true) return answer;
  const statuses: readonly number[] = definition.kind === "operation" ? (definition.success ?? [200]) : [200];
  if (!statuses.includes(answer.status))
    throw new Error(`${definition.name} answers ${answer.status}, which it does not declare as a success`);
  // As JSON has it; the envelope adds these two where the body has a command_id.
  const sent = JSON.parse(JSON.stringify(answer.data)) as object;
  const data = { command_id: answer.command_id, status: "applied", ...sent };
  const [problem] = Value.Errors(definition.output, data);
  if (problem !== undefined)
    throw new Error(`${definition.name} answers what it does not declare: ${problem.path} ${problem.message}`);
  return answer;
}

export const SAMPLE_WASM: Uint8Array = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);

export function sampleDescriptor(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    strategy_id: "ema-cross",
    strategy_version: "1.0.0",
    runtime_kind: "rust_wasm",
    instance_model: "single",
    entrypoint: "strategies/ema.wasm",
    capabilities: {
      subscribe: ["trade"],
      order_types: ["limit", "market"],
      venues: ["*"],
      instruments: ["*"],
      external_services: [],
      lane: "ll",
    },
    resources: {
      event_timeout_ms: 50,
      fuel_per_event: 1_000_000,
      memory_bytes: 16_777_216,
      threads: 1,
      cpu: 0.5,
      queue_events: 10_000,
      intents_per_event: 8,
      intents_per_second: 50,
      log_bytes_per_second: 65_536,
      log_bytes_per_run: 10_485_760,
      state_bytes: 65_536,
    },
    state_schema_version: 1,
    config_schema: {
      fast: { type: "integer", minimum: 1, maximum: 1_000, unit: "trades", required: true },
      api_key: { type: "string", required: false, secret: true },
      slow: { type: "integer", minimum: 1, maximum: 5_000, unit: "trades", required: false, default: 50 },
    },
    io_contracts: { abi: 1, events: 1, intents: 1 },
    binary_hash: digestOf(SAMPLE_WASM),
    ...over,
  };
}

/** An archive whose bytes are the same whenever it is made: what sends one wish twice sends the same archive. */
export const zipped = (entries: Zippable): Uint8Array<ArrayBuffer> =>
  new Uint8Array(zipSync(entries, { mtime: new Date(2_000, 0, 1) }));

export function sampleManifest(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    pack_id: "demo_pack",
    pack_identity: "local:demo_pack",
    version: "1.0.0",
    vocabulary: { types: ["strategy"] },
    strategies: [sampleDescriptor()],
    ...over,
  };
}

export function writePack(
  folder: string,
  manifest: Record<string, unknown> = sampleManifest(),
  files: Readonly<Record<string, Uint8Array | string>> = { "strategies/ema.wasm": SAMPLE_WASM },
): string {
  for (const [path, data] of Object.entries({ ...files, "ecosystem.json": JSON.stringify(manifest) })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), data);
  }
  return folder;
}

/** The answer's data, or a test failure that says why it was refused. */
export function dataOf(answer: Answer): Record<string, unknown> {
  if (answer.kind === "done") return answer.data as Record<string, unknown>;
  throw new Error(
    `refused: ${answer.failure.code} ${JSON.stringify(answer.failure.params)} ${JSON.stringify(answer.failure.details ?? {})}`,
  );
}

export function codeOf(answer: Answer): string {
  return answer.kind === "refused" ? answer.failure.code : `done ${answer.status}`;
}
