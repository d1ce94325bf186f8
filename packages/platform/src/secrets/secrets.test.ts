import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createScrubber, failure, millis, ok, systemRandom, type Clock, type Scrubber } from "@rumi/kernel";
import { fixedSafety, guards } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf, openWorld, sampleManifest, writePack, type World } from "../../test/kit.ts";
import { createPackLibrary, PACK_LIMITS, platformDeclarations, platformMigrations } from "../index.ts";
import { parseFernetKey, type FernetKey } from "./fernet.ts";
import { SECRET_LIMITS } from "./limits.ts";
import { secretDeclarations } from "./operations.ts";
import { createSecrets, type SecretDeps, type Secrets } from "./secrets.ts";
import { stageValue, storedValues, type SecretsKey } from "./vault.ts";

const VALUE = "sesame-planted-4b1c9d";
const sealed: SecretsKey = { kind: "key", key: parseFernetKey(Buffer.alloc(32, 1).toString("base64")) as FernetKey };
const without = (plain_text: "allowed" | "refused"): SecretsKey => ({
  kind: "none",
  plain_text,
  problem: "it is lost",
});

let world: World & { close(): Promise<void> };
let deps: SecretDeps;
let secrets: Secrets;
let scrubber: Scrubber;
let live: string[];

const open = async (key: SecretsKey = sealed, path?: string, given?: Store): Promise<void> => {
  scrubber = createScrubber();
  world = await openWorld(
    platformMigrations,
    ({ folder, store, clock }) => {
      deps = {
        store,
        clock,
        random: systemRandom(),
        scrubber,
        folder: join(folder, "user_data/secrets"),
        key,
        reads_per_minute: 60,
        liveBotsUsing: (_reader, pack_id) => Promise.resolve(pack_id === "demo_pack" ? live : []),
      };
      secrets = createSecrets(deps);
      const packs = {
        store,
        clock,
        random: systemRandom(),
        limits: PACK_LIMITS,
        folders: {
          ecosystem: join(folder, "ecosystem"),
          staging: join(folder, "staging"),
          store: join(folder, "packs"),
          backups: join(folder, "backups"),
          uploads: join(folder, "uploads"),
        },
        importRoots: "any" as const,
        botsUsing: () => Promise.resolve([]),
        handlers: join(folder, "handlers"),
      };
      return {
        declarations: [...secretDeclarations(secrets), ...platformDeclarations(packs, createPackLibrary(packs))],
        guards: guards({ safety: fixedSafety("NORMAL") }),
        scrubber,
      };
    },
    path,
    given,
  );
};
/** The same home under another key, as a program would find it. */
const again = (key: SecretsKey): Secrets => createSecrets({ ...deps, key, scrubber: createScrubber() });

beforeEach(async () => {
  live = [];
  await open();
});
afterEach(() => world.close());

const set = (key: string, value: unknown = VALUE) => world.command("secrets.set", { key, value });
const remove = (key: string) => world.command("secrets.delete", { key });
const list = async () => dataOf(await world.query("secrets.list"))["secrets"] as readonly Record<string, unknown>[];
const file = (key: string): string => join(deps.folder, key);
const settled = async (): Promise<readonly string[]> => {
  await secrets.reconciler.run();
  return readdirSync(deps.folder).filter((name) => !name.startsWith("."));
};
const read = async (key: string, from = secrets): Promise<string> => {
  const found = await from.readSecret("pack", key);
  return found.ok ? found.value : found.error.code;
};

describe("[R-10.1] a secret", () => {
  it("is set, listed without its value, and deleted to a tombstone: one file per key, 0600 in 0700", async () => {
    const made = dataOf(await set("API_KEY"));
    expect(made).toMatchObject({ key: "API_KEY", exists: true, deleted: false, encrypted: true });
    expect(await settled()).toEqual(["API_KEY"]);
    expect(statSync(file("API_KEY")).mode & 0o777).toBe(0o600);
    for (const folder of [deps.folder, join(deps.folder, ".staged")]) expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(await read("API_KEY")).toBe(VALUE);
    const [entry] = await list();
    expect(Object.keys(entry ?? {}).toSorted()).toEqual(["created_at", "deleted", "exists", "key", "updated_at"]);

    expect(dataOf(await remove("API_KEY"))).toMatchObject({ key: "API_KEY", exists: false, deleted: true });
    expect(await settled()).toEqual([]);
    expect(await read("API_KEY")).toBe("RUMI-SEC-001");
    expect(await list()).toEqual([
      { ...entry, exists: false, deleted: true, updated_at: expect.any(String), deleted_at: expect.any(String) },
    ]);
  });

  it("that is set again has its new value and its first day, also after it was deleted", async () => {
    const first = dataOf(await set("API_KEY"));
    await settled();
    await set("API_KEY", "another value");
    expect(await read("API_KEY")).toBe("another value");
    await remove("API_KEY");
    await settled();
    expect(dataOf(await set("API_KEY", "a third value"))).toMatchObject({ created_at: first["created_at"] });
    expect((await list())[0]).not.toHaveProperty("deleted_at");
    expect(await read("API_KEY")).toBe("a third value");
    expect(readdirSync(join(deps.folder, ".staged"))).toEqual([]);
  });

  it.each([
    ["a lower-case key", { key: "api", value: VALUE }, "RUMI-VAL-002"],
    ["a path", { key: "../A", value: VALUE }, "RUMI-VAL-002"],
    ["65 characters", { key: "A".repeat(65), value: VALUE }, "RUMI-VAL-002"],
    ["no value", { key: "A" }, "RUMI-VAL-001"],
    ["an empty value", { key: "A", value: "" }, undefined],
    ["a number", { key: "A", value: 7 }, undefined],
    ["too much", { key: "A", value: "v".repeat(SECRET_LIMITS.value_characters + 1) }, undefined],
    ["another field", { key: "A", value: VALUE, note: "n" }, undefined],
  ])("with %s is refused, and the refusal does not say it", async (_, body, code) => {
    const answer = await world.command("secrets.set", body);
    expect(codeOf(answer)).toMatch(code ?? /^RUMI-VAL-/);
    expect(JSON.stringify(answer)).not.toContain(VALUE);
    expect(await list()).toEqual([]);
  });

  it("that is not there cannot be deleted, nor twice", async () => {
    expect(codeOf(await remove("NONE"))).toBe("RUMI-SEC-001");
    await set("API_KEY");
    await remove("API_KEY");
    expect(codeOf(await remove("API_KEY"))).toBe("RUMI-SEC-001");
  });

  it("is one of a limited number; what is there can be set anew and a deleted one frees its place", async () => {
    for (let at = 0; at < SECRET_LIMITS.secrets; at += 100) {
      const filled = await world.store.commit({
        writes: Array.from({ length: 100 }, (_, one) => ({
          sql: `INSERT INTO secret VALUES ('K${at + one}', 'f', 1, 1, NULL, 1)`,
          parameters: [],
          expect: 1,
        })),
        events: [],
      });
      expect(filled).toMatchObject({ ok: true });
    }
    expect(codeOf(await set("ONE_MORE"))).toBe("RUMI-SEC-006");
    expect(codeOf(await set("K0"))).toBe("done 200");
    await remove("K1");
    expect(codeOf(await set("ONE_MORE"))).toBe("done 200");
  });

  it("is in no row, no event and no line, whatever else it was sent with", async () => {
    const key = "a-key-of-mine";
    for (const other of [{ reason: `it is ${VALUE}` }, {}, {}, { reason: `still ${VALUE}` }]) {
      const answer = await world.command("secrets.set", { key: "API_KEY", value: VALUE, ...other }, { key });
      expect(codeOf(answer)).toBe("reason" in other ? "RUMI-VAL-002" : "done 200");
    }
    expect(codeOf(await world.command("secrets.set", { key: "B", value: "another" }, { key: "another" }))).toBe(
      "RUMI-VAL-002",
    );
    await world.command("packs.approve", { reason: `for ${VALUE}` }, { params: { pack_id: VALUE } });
    const answers = [await world.query("packs.status", {}, { pack_id: VALUE })];
    answers.push(await world.command("packs.scan", {}, { key: VALUE }));
    expect(answers.map(codeOf)).toEqual(["RUMI-PACK-005", "RUMI-VAL-002"]);
    const rows = await Promise.all(
      ["operation_key", "log_payload", "log_entry", "change_feed", "outbox", "secret"].map((table) =>
        world.store.rows({ sql: `SELECT * FROM ${table}`, parameters: [] }),
      ),
    );
    const written = JSON.stringify(rows, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
    );
    expect(written).toContain("API_KEY");
    expect(written).toContain("[secret API_KEY]");
    expect(written + world.lines.join("\n")).not.toContain(VALUE);
    expect(await world.actions()).toContain("secret.set");
  });
});

describe("[R-10.1] a crash", () => {
  it("before the commit leaves the old value, and nothing of the new one", async () => {
    await set("API_KEY");
    await settled();
    expect(await stageValue(deps, { key: "API_KEY", file_id: "nobody", value: "never committed" })).toEqual(
      ok(undefined),
    );
    const started = again(sealed);
    await started.learn();
    expect(await read("API_KEY", started)).toBe(VALUE);
    expect(readdirSync(join(deps.folder, ".staged"))).toEqual([]);
  });

  it("after the commit leaves the new value, whether somebody reads it or not", async () => {
    await set("API_KEY");
    expect(existsSync(file("API_KEY"))).toBe(false);
    const started = again(sealed);
    expect((await started.learn()).values).toEqual([{ key: "API_KEY", value: VALUE }]);
    expect(existsSync(file("API_KEY"))).toBe(true);
  });

  it("after a deletion's commit takes the file away at the next start", async () => {
    await set("API_KEY");
    await settled();
    await remove("API_KEY");
    await again(sealed).learn();
    expect(existsSync(file("API_KEY"))).toBe(false);
  });

  it("and whatever else: at the start the scrubber knows every value before anybody asks", async () => {
    await set("API_KEY");
    const known = createScrubber();
    await createSecrets({ ...deps, scrubber: known }).learn();
    expect(known.text(`x ${VALUE}`)).toBe("x [secret API_KEY]");
  });
});

describe("[R-10.2] a file", () => {
  const other: SecretsKey = { kind: "key", key: parseFernetKey(Buffer.alloc(32, 2).toString("base64")) as FernetKey };

  it("that is of another key, or damaged, or gone, is a failure with a code on use, and the others are read", async () => {
    for (const key of ["FINE", "DAMAGED", "GONE"]) await set(key, `${VALUE} ${key}`);
    await settled();
    expect(readFileSync(file("FINE"), "utf8")).toMatch(/^gAAAA[\w-]+=*$/);
    writeFileSync(file("DAMAGED"), readFileSync(file("DAMAGED"), "utf8").replace(/.{8}$/, "AAAAAAAA"));
    rmSync(file("GONE"));
    expect([await read("FINE"), await read("DAMAGED"), await read("GONE")]).toEqual([
      `${VALUE} FINE`,
      "RUMI-SEC-003",
      "RUMI-SEC-003",
    ]);
    expect(await read("FINE", again(other))).toBe("RUMI-SEC-003");
    expect(await read("FINE", again(without("allowed")))).toBe("RUMI-SEC-003");
    const { values, unreadable } = await storedValues(deps.folder, sealed);
    expect([values.map(({ key }) => key), unreadable.map(({ key }) => key)]).toEqual([["FINE"], ["DAMAGED"]]);
  });

  it("that cannot be written changes nothing, and says so", async () => {
    mkdirSync(join(world.folder, "user_data"), { recursive: true });
    writeFileSync(deps.folder, "a file where the folder should be");
    expect(codeOf(await set("API_KEY"))).toBe("RUMI-SEC-005");
    expect(await list()).toEqual([]);
  });
});

describe("[R-10.3] without a key", () => {
  it("plain text is kept where that is allowed, and says so; it is read back and told from a token", async () => {
    await world.close();
    await open(without("allowed"));
    expect(dataOf(await set("API_KEY", "gAAAAA looks like a token"))).toMatchObject({ encrypted: false });
    await settled();
    expect(readFileSync(file("API_KEY"), "utf8")).toContain("gAAAAA looks like a token");
    expect(statSync(file("API_KEY")).mode & 0o777).toBe(0o600);
    expect(await read("API_KEY")).toBe("gAAAAA looks like a token");
    expect(await read("API_KEY", again(sealed))).toBe("gAAAAA looks like a token");
    expect((await storedValues(deps.folder, sealed)).plain_text).toEqual(["API_KEY"]);
  });

  it("nothing is kept where it is not, and the refusal says what to do", async () => {
    await world.close();
    await open(without("refused"));
    expect(codeOf(await set("API_KEY"))).toBe("RUMI-SEC-002");
    expect([await list(), existsSync(deps.folder)]).toEqual([[], false]);
  });

  it("with a key plain text is never written, whatever is allowed", async () => {
    await set("API_KEY");
    await settled();
    expect(readFileSync(file("API_KEY"), "utf8")).not.toContain(VALUE);
  });
});

it("[R-10.4] readSecret: the 61st read of a pack within a minute is refused, another pack's is not, and time frees it", async () => {
  let now_ms = 0;
  const clock: Clock = { ...deps.clock, monotonic: () => millis(now_ms) };
  const limited = createSecrets({ ...deps, clock });
  await set("API_KEY");
  for (let at = 0; at < 60; at += 1) expect(await read("API_KEY", limited)).toBe(VALUE);
  expect(await limited.readSecret("pack", "API_KEY")).toEqual({
    ok: false,
    error: failure("RUMI-SEC-004", { pack_id: "pack", limit: 60, seconds: 60 }),
  });
  expect(await limited.readSecret("another", "API_KEY")).toEqual(ok(VALUE));
  now_ms = SECRET_LIMITS.read_window_ms;
  expect(await read("API_KEY", limited)).toBe(VALUE);
});

it("[R-10.4] reads of what is not there count too, or keys could be tried without end", async () => {
  const limited = createSecrets({ ...deps, reads_per_minute: 1 });
  expect([await read("NONE", limited), await read("NONE", limited)]).toEqual(["RUMI-SEC-001", "RUMI-SEC-004"]);
});

it("[R-10.1] deleting what a live bot's pack asks for is dangerous; setting it, and deleting any other, is not", async () => {
  for (const key of ["NEEDED", "OTHER"]) await set(key);
  const folder = writePack(join(world.folder, "ecosystem/demo_pack"), sampleManifest({ required_secrets: ["NEEDED"] }));
  expect(existsSync(folder)).toBe(true);
  await world.command("packs.scan", {});
  expect(codeOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }))).toBe("done 200");
  live = ["ema"];
  const asked = await world.command("secrets.delete", { key: "NEEDED", dry_run: true });
  expect(dataOf(asked)).toMatchObject({ dry_run: true, preview: { live_bots_that_need_it: ["ema"] } });
  expect(dataOf(asked)["would"]).not.toBe("apply");
  expect(codeOf(await remove("NEEDED"))).not.toBe("done 200");
  expect((await list()).filter((one) => one["exists"] === true)).toHaveLength(2);
  expect(codeOf(await set("NEEDED", "rotated"))).toBe("done 200");
  expect(codeOf(await remove("OTHER"))).toBe("done 200");
  live = [];
  expect(codeOf(await remove("NEEDED"))).toBe("done 200");
});
