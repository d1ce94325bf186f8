/** A whole control plane with packs, a recording, a runner socket and a fake runner. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generateKeyPairSync } from "node:crypto";
import { attesterFromPem, type Attester } from "@rumi/ledger";
import { err, failure, millis, ok, systemRandom, type Clock, type Millis } from "@rumi/kernel";
import type { Answer, Declaration, Principal } from "@rumi/operations";
import {
  createPackLibrary,
  PACK_LIMITS,
  platformDeclarations,
  platformMigrations,
  type PlatformDeps,
  type PackDeps,
  type PackLibrary,
} from "@rumi/platform";
import type { Store } from "@rumi/store";
import { loadRecordings, simulatedFunds, type FundsLedger } from "@rumi/venues";
import { dataOf, openWorld, writePack, type World } from "../../platform/test/kit.ts";
import {
  botsUsingPack,
  controlMigrations,
  createControlPlane,
  listenForRunners,
  liveBotsUsingPack,
  runnerSocketPath,
  type BundleSources,
  SECOND_PERSON_WAIT_SECONDS,
  type ControlDeps,
  type ControlPlane,
  type EmergencyFile,
} from "../src/index.ts";
import { fakeRunner, type FakeRunner } from "./fake-runner.ts";

export const RUNNER_KEY: Uint8Array = new Uint8Array(32).fill(9);

/** Signs the stops of every world of a test file. */
export const ATTESTER: Attester = attesterFromPem(
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
);

export type Control = World & {
  readonly control: ControlPlane;
  readonly library: PackLibrary;
  readonly runner: FakeRunner;
  readonly socketPath: string;
  /** Digest of the approved demo pack. */
  readonly digest: string;
  runnerNamed(id: string): FakeRunner;
  rounds(count?: number): Promise<void>;
  until(what: string, check: () => Promise<boolean> | boolean): Promise<void>;
  /** The kit's runner dials in and is ready. */
  dialRunner(): Promise<void>;
  /** A venue outside, on which bots may go live: `OUT`. */
  addVenueOutside(): Promise<void>;
  makeBot(bot_id?: string, over?: Record<string, unknown>): Promise<Answer>;
  move(bot_id: string, from: string, to: string, over?: Record<string, unknown>): Promise<Answer>;
  /** Asks, and confirms the challenge that it is answered with. */
  moveConfirmed(bot_id: string, from: string, to: string): Promise<Answer>;
  /** Confirms what a refused answer asks for. */
  confirm(asked: Answer, over?: Record<string, unknown>, principal?: Principal): Promise<Answer>;
  bot(bot_id?: string): Promise<Record<string, unknown>>;
  close(): Promise<void>;
};

export type ControlOptions = {
  readonly home?: string;
  readonly lease_ttl?: Millis;
  readonly adoption_window?: Millis;
  readonly bare?: boolean;
  readonly environment?: string;
  readonly store?: Store;
  /** Beside those of the product. */
  readonly declarations?: readonly Declaration[];
  readonly dangerous_operations?: "enabled" | "disabled";
  /** In dev none where nothing is said, since the people of most tests were made a moment ago. */
  readonly second_person_wait_seconds?: number;
  readonly emergency_file?: EmergencyFile;
  readonly bundles?: BundleSources;
  /** Awaited whenever an operation looks at a strategy's pack while it loads: what happens meanwhile happens in between. */
  readonly whileLoading?: () => Promise<void>;
  readonly funds?: FundsLedger;
  readonly supply?: NonNullable<ControlDeps["supply"]>;
  /** What the platform is handed beside its packs. */
  readonly platform?: (of: {
    readonly folder: string;
    readonly store: Store;
    readonly clock: Clock;
  }) => Partial<PlatformDeps>;
};

export async function openControl(options: ControlOptions = {}): Promise<Control> {
  let control: ControlPlane | undefined;
  let library: PackLibrary | undefined;
  const random = systemRandom();
  const world = await openWorld(
    [...platformMigrations, ...controlMigrations],
    ({ folder, store, clock }) => {
      const folders = {
        ecosystem: join(folder, "ecosystem"),
        staging: join(folder, "user_data/pack_staging"),
        store: join(folder, "user_data/packs"),
        backups: join(folder, "user_data/pack_backups"),
        uploads: join(folder, "user_data/pack_uploads"),
      };
      const deps: PackDeps = {
        store,
        clock,
        random,
        folders,
        limits: PACK_LIMITS,
        importRoots: "any",
        botsUsing: (reader, pack_id) => botsUsingPack(reader, store, pack_id),
        liveBotsUsing: (reader, pack_id) => liveBotsUsingPack(reader, store, pack_id),
      };
      const packs = createPackLibrary(deps);
      const logger = {
        warning: (message: string, fields?: unknown) =>
          void (
            process.env["RUMI_TEST_LOG"] !== undefined && process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
          ),
        info: () => {},
        error: (message: string, fields?: unknown) =>
          void process.stderr.write(`${message} ${(fields as { error?: Error } | undefined)?.error?.stack ?? ""}\n`),
      };
      library = packs;
      control = createControlPlane({
        store,
        clock,
        random,
        logger,
        environment: options.environment ?? "dev",
        dangerous_operations: options.dangerous_operations ?? "enabled",
        attester: ATTESTER,
        second_person_wait_seconds:
          options.second_person_wait_seconds ??
          ((options.environment ?? "dev") === "dev" ? 0 : SECOND_PERSON_WAIT_SECONDS),
        funds: options.funds ?? simulatedFunds,
        ...(options.emergency_file === undefined ? {} : { emergency_file: options.emergency_file }),
        ...(options.bundles === undefined ? {} : { bundles: options.bundles }),
        ...(options.supply === undefined ? {} : { supply: options.supply }),
        runDir: (bot_id, run_id) => join(folder, "user_data/runs", bot_id, run_id),
        packs: {
          ...packs,
          approvedStrategy: async (reader, reference) => {
            await options.whileLoading?.();
            return packs.approvedStrategy(reader, reference);
          },
          verifyStrategy: async (reference) => {
            await options.whileLoading?.();
            return packs.verifyStrategy(reference);
          },
        },
        inspectRecordings: async (files) => {
          const loaded = await loadRecordings(files);
          return loaded.ok ? ok(loaded.value.report) : loaded;
        },
        proveEvent: (_reader, event_id) => Promise.resolve(err(failure("RUMI-BOT-027", { event_id }))),
        lease_ttl: options.lease_ttl ?? millis(20_000),
        adoption_window: options.adoption_window ?? millis(0),
      });
      return {
        declarations: [
          ...platformDeclarations(
            {
              ...deps,
              mayApprove: control.supplyCheck,
              handlers: join(folder, "user_data/capabilities/handlers"),
              ...options.platform?.({ folder, store, clock }),
            },
            packs,
          ),
          ...control.declarations,
          ...(options.declarations ?? []),
        ],
        guards: control.guards,
        know: (registry) => control?.know(registry),
      };
    },
    options.home,
    options.store,
  );
  if (control === undefined || library === undefined) throw new Error("the world made no control plane");
  const plane = control;
  const path = runnerSocketPath(join(world.folder, "runner.sock"), "/tmp");
  if (!path.ok) throw new Error("no path");
  const server = await listenForRunners({
    path: path.value,
    key: RUNNER_KEY,
    home_id: "home-1",
    random,
    clock: world.clock,
    logger: {
      warning: (message: string, fields?: unknown) =>
        void (
          process.env["RUMI_TEST_LOG"] !== undefined && process.stderr.write(`${message} ${JSON.stringify(fields)}\n`)
        ),
      info: () => {},
      error: () => {},
    },
    onConnection: (connection) => plane.hub.attach(connection),
  });
  if (!server.ok) throw new Error(server.error.code);

  let digest = "";
  if (options.bare !== true && options.home === undefined) {
    writePack(join(world.folder, "ecosystem/demo_pack"));
    dataOf(await world.command("packs.scan", {}));
    digest = String(
      dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }))["approved_digest"],
    );
    dataOf(await world.command("venues.register", venueBody(world)));
  }
  const rounds = async (count = 3): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      for (const reconciler of plane.reconcilers) await reconciler.run();
      await new Promise((resolve) => setTimeout(resolve, 15));
      await plane.hub.idle();
    }
  };
  const until: Control["until"] = async (what, check) => {
    for (let i = 0; i < 300; i += 1) {
      await rounds(1);
      if (await check()) return;
    }
    throw new Error(`it never came to: ${what}`);
  };
  const confirm: Control["confirm"] = (asked, over = {}, principal) => {
    const { challenge_id, intent_hash, phrase } = challengeOf(asked);
    return world.command(
      "challenges.confirm",
      given({ command_id: world.id(), intent_hash, phrase, reason: "meant", ...over }),
      { params: { challenge_id }, ...(principal === undefined ? {} : { principal }) },
    );
  };
  const runnerNamed = (id: string): FakeRunner => fakeRunner(path.value, RUNNER_KEY, id);
  const runner = runnerNamed("runner-1");
  return {
    ...world,
    control: plane,
    library,
    digest,
    rounds,
    until,
    runnerNamed,
    socketPath: path.value,
    runner,
    dialRunner: async () => {
      await runner.dial();
      await until("a ready runner", () => plane.hub.ready().length === 1);
    },
    addVenueOutside: async () => {
      dataOf(
        await world.command("venues.register", {
          command_id: world.id(),
          venue_id: "OUT",
          kind: "venue_sim",
          url: "http://127.0.0.1:8900",
          key: { file: "/keys/out.json" },
          instruments: [INSTRUMENT],
          reason: "test",
        }),
      );
    },
    makeBot: (bot_id = "bot-1", over = {}) =>
      world.command("bots.create", { ...botBody(world, bot_id, digest), ...over }),
    move: (bot_id, from, to, over = {}) =>
      world.command("commands.submit", { ...commandBody(world, bot_id, from, to), ...over }),
    confirm,
    moveConfirmed: async (bot_id, from, to) =>
      confirm(await world.command("commands.submit", commandBody(world, bot_id, from, to))),
    bot: async (bot_id = "bot-1") => dataOf(await world.query("bots.show", {}, { bot_id })),
    close: async () => {
      plane.close();
      await server.value.close();
      await world.close();
    },
  };
}

/** Without what is undefined, as JSON would have it. */
function given(body: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(JSON.stringify(body)) as Record<string, unknown>;
}

export type ChallengeNote = {
  readonly challenge_id: string;
  readonly intent_hash: string;
  readonly phrase: string;
  readonly expiry: string;
  readonly requires: readonly string[];
  readonly state: string;
  readonly blocked_by: readonly unknown[];
};

/** The challenge that an answer asks to be confirmed, or a test failure that says what it answered instead. */
export function challengeOf(answer: Answer): ChallengeNote {
  const challenge = answer.kind === "refused" ? answer.extras["challenge"] : undefined;
  if (challenge === undefined)
    throw new Error(`no challenge: ${answer.kind === "refused" ? answer.failure.code : answer.kind}`);
  return challenge as ChallengeNote;
}

export const INSTRUMENT = {
  instrument_id: "XRPETH.SIM",
  price_digits: 8,
  quantity_digits: 2,
  tick_size: 1,
  lot_size: 1,
  min_quantity: 1,
  max_quantity: 100_000_000,
  base_currency: "XRP",
  quote_currency: "ETH",
};

export function venueBody(world: Pick<World, "folder" | "id">): Record<string, unknown> {
  const path = join(world.folder, "recordings/trades.csv");
  mkdirSync(join(world.folder, "recordings"), { recursive: true });
  const rows = Array.from(
    { length: 20 },
    (_, i) => `${i + 1},0.0015${i},${i + 1}.5,${i + 1},${i + 1},${1_570_752_000_000 + i * 1_000},true,true`,
  );
  writeFileSync(path, `${rows.join("\n")}\n`);
  return {
    command_id: world.id(),
    venue_id: "SIM",
    kind: "recording",
    files: [{ path, format: "binance_agg_trades", instrument: INSTRUMENT }],
    reason: "test",
  };
}

export function botBody(world: Pick<World, "id">, bot_id: string, digest: string): Record<string, unknown> {
  return {
    command_id: world.id(),
    bot_id,
    strategy: { pack_id: "demo_pack", strategy_id: "ema-cross", strategy_version: "1.0.0", digest },
    venue: "SIM",
    instruments: ["XRPETH.SIM"],
    config: { fast: 10 },
    capital: "1000",
    labels: { team: "a" },
    runbook: "docs/runbooks/bots.md",
    reason: "crosses two moving averages of XRP against ETH",
  };
}

export function commandBody(
  world: Pick<World, "id">,
  bot_id: string,
  from: string,
  to: string,
): Record<string, unknown> {
  return {
    command_id: world.id(),
    target: { bot_id },
    requested_transition: { from, to },
    reason: "test",
    trace_id: world.id(),
    run_id: world.id(),
    schema_version: 1,
  };
}
