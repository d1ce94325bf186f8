import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ERROR_CATALOGUE, micros, millis, seededRandom, type Clock } from "@rumi/kernel";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { openKeys } from "./keys.ts";
import { homePaths, makeHomeFolders, openHome, type HomePaths } from "./layout.ts";
import { lockHome } from "./lock.ts";
import { SECOND_PERSON_WAIT_SECONDS } from "@rumi/control";
import { LEAST_WAIT_SECONDS, SETTINGS, readSettings } from "./settings.ts";

const clock: Clock = {
  now: () => micros(1_771_934_400_000_000),
  monotonic: () => millis(0),
  sleep: async () => {},
};
const random = seededRandom("home");

let folder: ReturnType<typeof temporaryFolder>;
let paths: HomePaths;
beforeEach(() => {
  folder = temporaryFolder();
  paths = homePaths(folder.path);
  expect(makeHomeFolders(paths).ok).toBe(true);
});
afterEach(() => folder.remove());

const value = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};
const code = (result: { ok: boolean; error?: { code: string } }): string =>
  result.ok ? "ok" : (result.error?.code ?? "?");

describe("layout", () => {
  it("makes a home once and finds it again", () => {
    const first = value(openHome({ paths, environment: "dev", clock, random }));
    const again = value(openHome({ paths, environment: "dev", clock, random }));
    expect(first.created).toBe(true);
    expect(again.created).toBe(false);
    expect(again.home).toEqual(first.home);
  });

  it("[G-3.1] refuses a home of another environment", () => {
    value(openHome({ paths, environment: "dev", clock, random }));
    expect(code(openHome({ paths, environment: "prod", clock, random }))).toBe("RUMI-SYS-002");
  });

  it("refuses a newer layout and leaves it as it is", () => {
    value(openHome({ paths, environment: "dev", clock, random, target: 7 }));
    const before = readFileSync(join(paths.settings, "home.json"), "utf8");
    expect(code(openHome({ paths, environment: "dev", clock, random, target: 1 }))).toBe("RUMI-SYS-006");
    expect(readFileSync(join(paths.settings, "home.json"), "utf8")).toBe(before);
  });

  it("backs up before it migrates, step by step", () => {
    value(openHome({ paths, environment: "dev", clock, random, target: 1 }));
    writeFileSync(join(paths.settings, "old.txt"), "old");
    let seenBackup = false;
    const opened = value(
      openHome({
        paths,
        environment: "dev",
        clock,
        random,
        target: 3,
        migrations: [
          {
            from: 1,
            run: () => {
              const [backup = ""] = readdirSync(paths.backups);
              seenBackup = existsSync(join(paths.backups, backup, "settings/old.txt"));
            },
          },
          { from: 2, run: ({ settings }) => writeFileSync(join(settings, "new.txt"), "new") },
        ],
      }),
    );
    expect(seenBackup).toBe(true);
    expect(opened.migrated_from).toBe(1);
    expect(opened.home.layout_version).toBe(3);
    expect(existsSync(join(paths.settings, "new.txt"))).toBe(true);
  });

  it("names a home file that is damaged", () => {
    writeFileSync(join(paths.settings, "home.json"), "{");
    expect(code(openHome({ paths, environment: "dev", clock, random }))).toBe("RUMI-SYS-002");
  });
});

describe("lock", () => {
  it("is refused while another process holds it, and free once that process is killed", async () => {
    const script = `
      const { DatabaseSync } = require("@photostructure/sqlite");
      const d = new DatabaseSync(${JSON.stringify(join(paths.settings, ".lock"))});
      d.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
      process.stdout.write("held"); setInterval(() => {}, 1000);`;
    const holder = spawn(process.execPath, ["-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(holder.stdout, "data");
    expect(code(lockHome(paths))).toBe("RUMI-SYS-005");
    holder.kill("SIGKILL");
    await once(holder, "exit");
    value(lockHome(paths)).release();
  });
});

describe("keys", () => {
  it("[R-19.1] are made once, with mode 0600, and stay", () => {
    const first = value(openKeys(paths, { rotate_hmac: false }));
    const again = value(openKeys(paths, { rotate_hmac: false }));
    expect(again).toEqual(first);
    for (const name of [".hmac_key", ".ledger_key", ".attestation_key"]) {
      expect(statSync(join(paths.settings, name)).mode & 0o777).toBe(0o600);
    }
  });

  it("[R-19.1] RUMI_HMAC_ROTATE rotates once, however long it stays on, and again after it was off", () => {
    const first = value(openKeys(paths, { rotate_hmac: false }));
    const rotated = value(openKeys(paths, { rotate_hmac: true }));
    const left = value(openKeys(paths, { rotate_hmac: true }));
    expect(rotated.hmac).not.toEqual(first.hmac);
    expect(rotated.hmac_rotated).toBe(true);
    expect(left.hmac).toEqual(rotated.hmac);
    value(openKeys(paths, { rotate_hmac: false }));
    expect(value(openKeys(paths, { rotate_hmac: true })).hmac).not.toEqual(rotated.hmac);
  });

  it("names a damaged key instead of replacing it", () => {
    value(openKeys(paths, { rotate_hmac: false }));
    writeFileSync(join(paths.settings, ".ledger_key"), "rubbish");
    expect(code(openKeys(paths, { rotate_hmac: false }))).toBe("RUMI-SYS-002");
    expect(readFileSync(join(paths.settings, ".ledger_key"), "utf8")).toBe("rubbish");
  });
});

describe("settings", () => {
  it.each([
    ["RUMI_API_PORT", "8765x"],
    ["RUMI_API_PORT", "70000"],
    ["RUMI_LOG_LEVEL", "info"],
    ["RUMI_LOG_FORMAT", "xml"],
    ["RUMI_ENVIRONMENT", "production"],
    ["RUMI_SECURITY_MODE", ""],
    ["RUMI_HMAC_ROTATE", "yes"],
    ["RUMI_CORS_ORIGINS", "localhost"],
    ["RUMI_MAX_REQUEST_BODY_BYTES", "1e6"],
    ["RUMI_HOME", ""],
    ["RUMI_API_BIND_ADDRESS", ""],
    ["RUMI_DIAGNOSTICS_VERBOSE", "1"],
  ])("[R-26.1] %s=%s stops the start with a code that names it", (name, text) => {
    const read = readSettings({ [name]: text });
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.error).toMatchObject({ code: "RUMI-SYS-002", params: { name } });
  });
  it("[R-26.1] has the guide's defaults", () => {
    const { settings } = value(readSettings({}));
    expect(settings).toMatchObject({
      api_port: 8765,
      api_bind_address: "127.0.0.1",
      security_mode: "strict",
      container_engine: "auto",
      log_level: "INFO",
      log_format: "json",
      max_request_body_bytes: 1_048_576,
      hmac_rotate: false,
      cors_origins: [],
    });
  });
  it("[L-N10] the waiting time of second persons is a day, longer where asked for, and shorter in dev only", () => {
    expect(LEAST_WAIT_SECONDS).toBe(SECOND_PERSON_WAIT_SECONDS);
    const wait = (RUMI_SECOND_PERSON_WAIT_SECONDS: string, RUMI_ENVIRONMENT: string) => {
      const read = readSettings({ RUMI_SECOND_PERSON_WAIT_SECONDS, RUMI_ENVIRONMENT });
      return read.ok ? read.value.settings.second_person_wait_seconds : read.error.code;
    };
    expect(value(readSettings({})).settings.second_person_wait_seconds).toBe(SECOND_PERSON_WAIT_SECONDS);
    expect(wait("0", "dev")).toBe(0);
    for (const environment of ["stage", "prod"]) {
      expect(wait(String(SECOND_PERSON_WAIT_SECONDS - 1), environment)).toBe("RUMI-SYS-002");
      expect(wait(String(SECOND_PERSON_WAIT_SECONDS + 1), environment)).toBe(SECOND_PERSON_WAIT_SECONDS + 1);
    }
  });
  it("reports a misspelt variable", () => {
    expect(value(readSettings({ RUMI_API_PROT: "1" })).unknown).toEqual(["RUMI_API_PROT"]);
  });
  it("every row has a meaning and a code exists for its refusal", () => {
    for (const row of Object.values(SETTINGS)) expect(row.meaning.length).toBeGreaterThan(10);
    expect(ERROR_CATALOGUE["RUMI-SYS-002"].status).toBe(500);
  });
});

it("a home on a file is refused with a code", () => {
  const file = join(folder.path, "file");
  writeFileSync(file, "");
  expect(code(makeHomeFolders(homePaths(file)))).toBe("RUMI-SYS-003");
  mkdirSync(join(folder.path, "other"));
});
