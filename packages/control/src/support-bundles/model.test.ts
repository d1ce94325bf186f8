import { describe, expect, it } from "vitest";
import { canonicalJson, micros, sha256Hex, type Json } from "@rumi/kernel";
import { unzipped } from "../../test/unzip.ts";
import { BUNDLE_POLICY, bundleOf, type BundlePolicy } from "./model.ts";
import { redactor } from "./redactor.ts";

const ID = "0192f0c8-0000-7000-8000-000000000001";
const made = (texts: Readonly<Record<string, string>>, policy: Partial<BundlePolicy> = {}, known: string[] = []) =>
  bundleOf({
    bundle_id: ID,
    created_at: micros(1_770_000_000_000_000),
    texts,
    redact: redactor(known),
    policy: { ...BUNDLE_POLICY, ...policy },
  });
const leftOut = (files: ReadonlyMap<string, Buffer>): readonly string[] =>
  (files.get("left_out.txt")?.toString() ?? "").split("\n").slice(0, -1);

describe("[G-8.1] a support bundle", () => {
  it("names every file with its size and hash, and the manifest's hash is that of its bytes and of its canonical JSON", () => {
    const bundle = made({ "b.json": "{}", "logs/a.log": "ä\n" });
    const files = unzipped(bundle.archive, `rumi-bundle-${ID}/`);
    expect([...files.keys()]).toEqual(["b.json", "logs/a.log", "manifest.json"]);
    expect(sha256Hex(files.get("manifest.json") ?? "")).toBe(bundle.manifest_sha256);
    expect(sha256Hex(canonicalJson(bundle.manifest as unknown as Json))).toBe(bundle.manifest_sha256);
    for (const { path, size_bytes, sha256 } of bundle.manifest.files)
      expect([path, files.get(path)?.length, sha256Hex(files.get(path) ?? "")]).toEqual([path, size_bytes, sha256]);
    expect(made({ "b.json": "{}", "logs/a.log": "ä\n" }).archive_sha256).toBe(bundle.archive_sha256);
  });

  it("passes none of its limits: what is too much is cut or left out, and named", () => {
    const texts = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`f${i}`, `${"x".repeat(99)}${i}`]));
    const single = made({ long: `${"a".repeat(5_000)}END` }, { max_single_file_bytes: 1_000 });
    expect(single.manifest.files.find(({ path }) => path === "long")?.size_bytes).toBe(1_000);
    expect(unzipped(single.archive, `rumi-bundle-${ID}/`).get("long")?.toString().endsWith("END")).toBe(true);
    expect(leftOut(unzipped(single.archive, `rumi-bundle-${ID}/`))).toEqual(["long: its first 4003 bytes"]);

    const few = made(texts, { max_files: 4 });
    expect(few.manifest.files.map(({ path }) => path)).toEqual(["f0", "f1", "f2", "left_out.txt"]);

    const total = made(texts, { max_total_bytes: 800 });
    const bytes = total.manifest.files.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    expect(bytes).toBeLessThanOrEqual(800);
    expect(total.manifest.files.map(({ path }) => path)).toEqual([
      "f0",
      "f1",
      "f2",
      "f3",
      "f4",
      "f5",
      "f6",
      "left_out.txt",
    ]);

    const path = "p".repeat(101);
    const named = made({ [path]: "x", short: "x" });
    expect(named.manifest.files.map((file) => file.path)).toEqual(["left_out.txt", "short"]);
    for (const bundle of [single, few, total, named])
      expect(leftOut(unzipped(bundle.archive, `rumi-bundle-${ID}/`)).length).toBeGreaterThan(0);
  });

  it("a limit cuts no secret in half: what is known is taken out first", () => {
    const secret = "planted-secret-of-a-home";
    const bundle = made({ log: `${"x".repeat(100)}${secret}` }, { max_single_file_bytes: 12 }, [secret]);
    expect(unzipped(bundle.archive, `rumi-bundle-${ID}/`).get("log")?.toString()).toBe("xx[redacted]");
    expect(bundle.archive.includes("home")).toBe(false);
  });
});

describe("[G-8.1] the redactor", () => {
  const key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIPlanted\n-----END PRIVATE KEY-----";
  const planted: readonly (readonly [string, string, string])[] = [
    ["a known secret", "told hunter2hunter2 to it", "hunter2hunter2"],
    ["a known secret of several lines within JSON", JSON.stringify({ pem: "line-one\nline-two" }), "line-one"],
    ["a private key", key, "MC4CAQ"],
    ["a private key within JSON", JSON.stringify({ text: key }), "MC4CAQ"],
    ["a private key that is cut off", key.slice(0, 50), "MC4CAQ"],
    ["our home's token", `rumi_dev_${"A1b2".repeat(10)}xyz`, "A1b2A1b2"],
    ["an operator's token", `rumi_prod_${"0f".repeat(16)}.${"Zz9_".repeat(10)}abc`, "Zz9_Zz9_"],
    ["a bearer header", "authorization: Bearer abc.def-ghi", "abc.def"],
    ["a cloud's key", "AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"],
    ["a forge's token", `ghp_${"a1B2".repeat(9)}`, "a1B2a1B2"],
    ["a signed token", "eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.SflKxwRJSMeKKF2QT4", "SflKxw"],
    ["a password in an address", "postgres://rumi:topsecretpw@db:5432/rumi", "topsecretpw"],
    ["a named value", '{"api_key": "0123456789"}', "0123456789"],
    ["a named value in an environment's form", "VENUE_SECRET=0123456789", "0123456789"],
    ["a named value within quoted JSON", JSON.stringify(JSON.stringify({ password: "0123456789" })), "0123456789"],
  ];
  it.each(planted)("takes out %s", (_what, text, secret) => {
    const clean = redactor(["hunter2hunter2", "line-one\nline-two"])(text);
    expect(text).toContain(secret);
    expect(clean).not.toContain(secret);
    expect(clean).toContain("[redacted]");
  });
});
