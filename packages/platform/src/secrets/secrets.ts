/**
 * Stored secrets as the rest of the program sees them: set, delete, list, and one port through which a value leaves.
 *
 * How to think: rows say what there is and files hold the values (vault.ts); `reconciler` brings the files to what the rows
 * say. Files are touched one at a time, and the row is read again in that turn, so that nothing is removed that was set anew.
 *
 * Invariants (secrets.test.ts)
 * - The scrubber knows a value before any file does, and at the start before anything is served.
 * - Values leave through `readSecret` only; no answer, event or log line holds one.
 */
import { err, failure, ok, type Clock, type Failure, type Random, type Result, type Scrubber } from "@rumi/kernel";
import type { Reader, Store } from "@rumi/store";
import type { Reconciler } from "../packs/reconciler.ts";
import { readPacks } from "../packs/tables.ts";
import { turns } from "../turns.ts";
import { admitRead, type ReadWindow } from "./rate.ts";
import { readSecretRow, readSecrets, type SecretRow, type SecretTables } from "./tables.ts";
import {
  formOf,
  readValue,
  removeValue,
  settleValue,
  stageValue,
  storedValues,
  sweepStaged,
  type SecretsKey,
  type StoredValues,
} from "./vault.ts";

export type SecretDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly scrubber: Scrubber;
  /** user_data/secrets */
  readonly folder: string;
  readonly key: SecretsKey;
  /** Reads of one pack within a minute. */
  readonly reads_per_minute: number;
  /** Bots of a pack that may move money now. */
  readonly liveBotsUsing: (reader: Reader, pack_id: string) => Promise<readonly string[]>;
};

/**
 * What a pack that was granted a secret gets to see. The caller has checked the grant. Errors RUMI-SEC-001 (none),
 * RUMI-SEC-003 (cannot be opened), RUMI-SEC-004 (too many reads).
 */
export type ReadSecret = (pack_id: string, key: string) => Promise<Result<string, Failure>>;

export interface Secrets {
  readonly form: () => Result<"encrypted" | "plain_text", Failure>;
  /** The value is scrubbed everywhere and durable when it returns; it counts once a row names `file_id`. */
  readonly stage: (of: {
    readonly key: string;
    readonly file_id: string;
    readonly value: string;
    readonly before: SecretRow | undefined;
  }) => Promise<Result<void, Failure>>;
  /** Bots that run live and whose approved pack asks for this secret. */
  readonly liveBotsNeeding: (reader: Reader, key: string) => Promise<readonly string[]>;
  readonly readSecret: ReadSecret;
  /** Tells the scrubber every stored value, once at the start; what could not be opened is the caller's to log. */
  readonly learn: () => Promise<StoredValues>;
  readonly reconciler: Reconciler;
}

export function createSecrets(deps: SecretDeps): Secrets {
  const { store, folder, key: sealing, scrubber, clock } = deps;
  const inTurn = turns();
  const windows = new Map<string, ReadWindow>();

  /** Brings one key's file to what its row says now. */
  const settle = async (key: string): Promise<SecretRow | undefined> => {
    const row = await readSecretRow(store, store, key);
    if (row?.file_id == null) {
      if (row !== undefined) await removeValue(folder, key);
      return undefined;
    }
    await settleValue(folder, key, row.file_id);
    return row;
  };
  const admitted = (pack_id: string): Result<void, Failure> => {
    const limit = deps.reads_per_minute;
    const admission = admitRead(windows.get(pack_id) ?? [], clock.monotonic(), limit);
    windows.set(pack_id, admission.next);
    return admission.kind === "admitted"
      ? ok(undefined)
      : err(failure("RUMI-SEC-004", { pack_id, limit, seconds: admission.wait_seconds }));
  };

  return {
    form: () => formOf(sealing),
    liveBotsNeeding: async (reader, key) => {
      const packs = (await readPacks(reader, store)).filter(
        ({ approved }) => approved?.manifest.required_secrets?.includes(key) === true,
      );
      const bots: string[] = [];
      for (const { pack_id } of packs) bots.push(...(await deps.liveBotsUsing(reader, pack_id)));
      return bots;
    },
    stage: async ({ before, ...staging }) => {
      scrubber.know(staging.key, staging.value);
      // Commands about one key are carried out one after another, so what an earlier one left is nobody's.
      await sweepStaged(folder, new Set([before?.file_id ?? ""]), staging.key);
      return stageValue(deps, staging);
    },
    readSecret: async (pack_id, key) => {
      const may = admitted(pack_id);
      if (!may.ok) return may;
      return inTurn(async () => {
        const row = await settle(key);
        return row === undefined ? err(failure("RUMI-SEC-001", { key })) : readValue(folder, key, sealing);
      });
    },
    learn: async () => {
      const stored = await inTurn(async () => {
        const rows = await readSecrets(store, store);
        await sweepStaged(folder, new Set(rows.flatMap(({ file_id }) => file_id ?? [])));
        for (const { key } of rows) await settle(key);
        return storedValues(folder, sealing);
      });
      for (const { key, value } of stored.values) scrubber.know(key, value);
      return stored;
    },
    reconciler: secretReconciler(store, (key) => inTurn(() => settle(key))),
  };
}

/** Looks at the rows only when one of them is another than at the last look; that costs one sum. */
function secretReconciler(store: Store, settle: (key: string) => Promise<unknown>): Reconciler {
  let left: string | undefined;
  return {
    name: "secrets",
    run: async () => {
      const seen = await readMarks(store);
      if (seen === left) return;
      left = undefined;
      for (const { key } of await readSecrets(store, store)) await settle(key);
      left = seen;
    },
  };
}

async function readMarks(store: Store): Promise<string> {
  const rows = await store.rows(
    store
      .builder<SecretTables>()
      .selectFrom("secret")
      .select((of) => [of.fn.countAll<number>().as("keys"), of.fn.sum<number>("generation").as("generations")]),
  );
  return JSON.stringify(rows);
}
