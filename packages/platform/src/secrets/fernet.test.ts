import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { requires } from "../../../../tools/test-support.ts";
import { openFernet, parseFernetKey, sealFernet, type FernetKey } from "./fernet.ts";

/** The specification's own example. */
const KEY_TEXT = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
const TOKEN = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
const EXAMPLE = { iv: Uint8Array.from({ length: 16 }, (_, at) => at), seconds: 499_162_800 };

const key = parseFernetKey(KEY_TEXT) as FernetKey;
const seal = (text: string): string => sealFernet(key, Buffer.from(text), EXAMPLE);
const opened = (token: string, under = key): string | undefined => {
  const bytes = openFernet(under, token);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
};

/** Another implementation: Python's `cryptography` where it is there, else its standard library with openssl for AES. */
const PYTHON = `
import sys, base64, hmac, hashlib, subprocess
key, token = sys.argv[1], sys.argv[2]
try:
    from cryptography.fernet import Fernet
    sys.stdout.buffer.write(Fernet(key).decrypt(token.encode()))
except ImportError:
    k, t = base64.urlsafe_b64decode(key), base64.urlsafe_b64decode(token)
    assert t[0] == 0x80 and hmac.compare_digest(hmac.new(k[:16], t[:-32], hashlib.sha256).digest(), t[-32:])
    sys.stdout.buffer.write(subprocess.run(
        ["openssl", "enc", "-d", "-aes-128-cbc", "-K", k[16:].hex(), "-iv", t[9:25].hex()],
        input=t[25:-32], stdout=subprocess.PIPE, check=True).stdout)
`;

describe("[R-10.2] Fernet", () => {
  it("makes the specification's token from the specification's key, time and text, and opens it", () => {
    expect(seal("hello")).toBe(TOKEN);
    expect(opened(TOKEN)).toBe("hello");
  });

  it.runIf(requires("python3"))("is opened by an implementation of another language, whatever its length", () => {
    for (const text of ["x", "sk-planted-value", "0123456789abcdef", "鍵 ".repeat(100), "a\nb\n"]) {
      const done = spawnSync("python3", ["-c", PYTHON, KEY_TEXT, seal(text)], { encoding: "utf8" });
      expect([done.status, done.stdout, done.stderr]).toEqual([0, text, ""]);
    }
  });

  it("opens nothing that is not as it was made: every byte counts", () => {
    const bytes = Buffer.from(TOKEN, "base64url");
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8((bytes[at] ?? 0) ^ 1, at);
      expect(opened(changed.toString("base64url")), `byte ${at}`).toBeUndefined();
    }
  });

  it.each([
    ["empty", ""],
    ["no Base64", "gAAA!"],
    ["cut short", TOKEN.slice(0, 40)],
    ["a block too few", Buffer.from(TOKEN, "base64url").subarray(0, 57).toString("base64url")],
    ["with something behind it", `${TOKEN}AAAA`],
  ])("opens no token that is %s", (_, token) => {
    expect(opened(token)).toBeUndefined();
  });

  it("opens nothing under another key", () => {
    const other = parseFernetKey(Buffer.alloc(32, 7).toString("base64")) as FernetKey;
    expect(opened(TOKEN, other)).toBeUndefined();
  });

  it.each([
    ["URL-safe", KEY_TEXT, true],
    ["plain Base64", KEY_TEXT.replaceAll("_", "/").replaceAll("-", "+"), true],
    ["without its padding", KEY_TEXT.slice(0, -1), true],
    ["too short", "c2hvcnQ=", false],
    ["too long", `${KEY_TEXT}AAAA`, false],
    ["hexadecimal", "ab".repeat(32), false],
    ["empty", "", false],
  ])("a key that is %s", (_, text, isKey) => {
    expect(parseFernetKey(text) !== undefined).toBe(isKey);
  });
});
