import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { homePaths, makeHomeFolders, type HomePaths } from "./layout.ts";
import { findSecretsKey, openSecretsKey, SECRETS_KEY_FILE } from "./secrets-key.ts";
import { readSettings } from "./settings.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");
let folder: ReturnType<typeof temporaryFolder>;
let paths: HomePaths;
beforeEach(() => {
  folder = temporaryFolder();
  paths = homePaths(folder.path);
  makeHomeFolders(paths);
});
afterEach(() => folder.remove());

type Mode = "auto" | "true" | "false";
const path = (): string => join(paths.settings, SECRETS_KEY_FILE);
const asked = (secrets_allow_plaintext: Mode, secrets_key: string | null = null) => ({
  secrets_key,
  secrets_allow_plaintext,
});
const openUnder = (mode: Mode, key: string | null = null): string => {
  const opened = openSecretsKey(paths, asked(mode, key));
  if (!opened.ok) return opened.error.code;
  return opened.value.kind === "key" ? Buffer.from(opened.value.key.signing).toString("hex") : opened.value.plain_text;
};

describe("[R-10.2] the key for secrets", () => {
  it("is the environment's, then the file's, then a new one with mode 0600 that stays", () => {
    const made = openUnder("auto");
    expect([openUnder("auto"), statSync(path()).mode & 0o777]).toEqual([made, 0o600]);
    expect(Buffer.from(readFileSync(path(), "utf8").trim(), "base64url")).toHaveLength(32);
    expect(openUnder("auto", KEY)).toBe("07".repeat(16));
    expect(findSecretsKey(paths, asked("auto"))).toMatchObject({ value: { source: "file" } });
    rmSync(path());
    expect(openUnder("auto", KEY)).toBe("07".repeat(16));
    expect(existsSync(path())).toBe(false);
    expect(findSecretsKey(paths, asked("auto", KEY))).toMatchObject({ value: { source: "environment" } });
    expect(findSecretsKey(paths, asked("auto"))).toMatchObject({ value: { source: "none" } });
    expect(existsSync(path())).toBe(false);
  });

  it.each(["rubbish", "", "c2hvcnQ="])(
    "in the file that is %j is a failure with a code, and is not replaced",
    (text) => {
      writeFileSync(path(), text);
      for (const mode of ["auto", "true", "false"] as const) expect(openUnder(mode)).toBe("RUMI-SYS-002");
      expect(readFileSync(path(), "utf8")).toBe(text);
    },
  );

  it("that lies where no file can be read is a failure with a code", () => {
    mkdirSync(path());
    expect(openUnder("auto")).toBe("RUMI-SYS-002");
  });

  it.each(["rubbish", "c2hvcnQ=", "ab".repeat(32)])(
    "in the environment that is %s stops the start and is not said",
    (text) => {
      const read = readSettings({ RUMI_SECRETS_KEY: text });
      expect(read).toMatchObject({ ok: false, error: { code: "RUMI-SYS-002", params: { name: "RUMI_SECRETS_KEY" } } });
      expect(JSON.stringify(read)).not.toContain(text);
    },
  );
});

describe("[R-10.3] RUMI_SECRETS_ALLOW_PLAINTEXT", () => {
  it.each(["auto", "true", "false"] as const)("%s with a key seals", (mode) => {
    expect(openUnder(mode, KEY)).toBe("07".repeat(16));
    writeFileSync(path(), KEY);
    expect(openUnder(mode)).toBe("07".repeat(16));
  });
  it("auto and true make a key where there is none; false makes none and refuses", () => {
    for (const mode of ["auto", "true"] as const) {
      expect(openUnder(mode)).toMatch(/^[0-9a-f]{32}$/);
      rmSync(path());
    }
    expect([openUnder("false"), existsSync(path())]).toEqual(["refused", false]);
  });
  it("auto and true keep plain text only where a key cannot be written either", () => {
    rmSync(paths.settings, { recursive: true });
    expect([openUnder("auto"), openUnder("true"), openUnder("false")]).toEqual(["allowed", "allowed", "refused"]);
  });
  it("another word stops the start", () => {
    expect(readSettings({ RUMI_SECRETS_ALLOW_PLAINTEXT: "yes" })).toMatchObject({ ok: false });
    expect(readSettings({ RUMI_SECRET_GET_RATE_LIMIT: "0" })).toMatchObject({ ok: false });
    expect(readSettings({})).toMatchObject({
      value: { settings: { secrets_key: null, secrets_allow_plaintext: "auto", secret_get_rate_limit: 60 } },
    });
  });
});
