import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Component } from "../locks/component.ts";
import { componentsOf } from "../locks/lock.ts";
import { ADVISORY_LIMITS, openAdvisories, type AdvisoryLimits } from "./directory.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rumi-advisories-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const record = (id: string, modified = "2026-01-01T00:00:00Z"): string =>
  JSON.stringify({
    id,
    modified,
    affected: [
      {
        package: { ecosystem: "npm", name: "a" },
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }],
      },
    ],
  });
const A1: Component = {
  ecosystem: "npm",
  name: "a",
  version: "1.0.0",
  purl: "pkg:npm/a@1.0.0",
  origin: "registry",
  hashes: [],
};
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function put(files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
}
async function refusal(files: Readonly<Record<string, string | Uint8Array>>, limits: Partial<AdvisoryLimits> = {}) {
  put(files);
  const opened = await openAdvisories(folder, { ...ADVISORY_LIMITS, ...limits });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return opened.ok ? "opened" : [opened.error.code, ...Object.values(opened.error.params)].join(" ");
}
async function opened(path = folder) {
  const read = await openAdvisories(path);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
}

describe("[L-51.1] a directory of advisories", () => {
  it("[L-51.1] every form that OSV is shared in, at any depth, with the digest that sha256sum's list has", async () => {
    const files = {
      "npm/one/X-1.json": `\ufeff${record("X-1")}\r\n`,
      "lines.ndjson": `${record("X-2")}\r\n\n${record("X-3")}`,
      "packed.ndjson.gz": gzipSync(`${record("X-4")}\n${record("X-5", "2026-03-01T00:00:00Z")}\n`),
      "npm/all.zip": zipSync({
        "X-6.json": bytes(record("X-6")),
        "X-1.json": bytes(record("X-1")),
        "README.md": bytes("x"),
      }),
      LICENSE: "words",
      "index.json": '{"fetched_at":"2026-04-01T00:00:00Z"}',
    };
    put(files);
    const all = await opened();
    expect(all).toMatchObject({
      count: 6,
      withdrawn: 0,
      newest_modified: "2026-03-01T00:00:00.000000Z",
      fetched_at: "2026-04-01T00:00:00.000000Z",
      files_ignored: ["LICENSE", "npm/all.zip:README.md"],
    });
    expect(all.match([A1]).map(({ advisory_id }) => advisory_id)).toEqual(["X-1", "X-2", "X-3", "X-4", "X-5", "X-6"]);
    const hex = (content: string | Uint8Array): string => createHash("sha256").update(content).digest("hex");
    const list = Object.entries(files)
      .filter(([name]) => name !== "LICENSE")
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, content]) => `${hex(content)}  ${name}\n`);
    expect(all.digest).toBe(`sha256:${hex(list.join(""))}`);
    put({ LICENSE: "other words" });
    expect((await opened()).digest).toBe(all.digest);
    put({ "npm/one/X-1.json": record("X-1", "2026-01-02T00:00:00Z") });
    expect((await opened()).digest).not.toBe(all.digest);
  });

  it("[L-51.1] an empty directory holds nothing, and says so", async () => {
    expect(await opened()).toMatchObject({ count: 0, newest_modified: null, fetched_at: null });
  });

  it("[L-51.1] a directory that is read by halves is not read: each broken file is named", async () => {
    const good = { "good.json": record("X-1") };
    const rows: readonly (readonly [string, Readonly<Record<string, string | Uint8Array>>])[] = [
      ["RUMI-SUP-007 bad.json 2", { "bad.json": '{"id":"X",\n"id":"Y"}' }],
      ["RUMI-SUP-007 bad.json 1 it has no id", { "bad.json": "{}" }],
      ["RUMI-SUP-007 bad.json 1 it ends too early", { "bad.json": "" }],
      ["RUMI-SUP-007 bad.json 1 it is no UTF-8", { "bad.json": Buffer.from([0x22, 0xff, 0x22]) }],
      ["RUMI-SUP-007 bad.json 1 it is nested deeper", { "bad.json": "[".repeat(100_000) }],
      ["RUMI-SUP-007 bad.ndjson 3", { "bad.ndjson": `${record("X")}\n\n{"id":1}\n` }],
      ["RUMI-SUP-007 bad.ndjson.gz 1", { "bad.ndjson.gz": gzipSync("[]") }],
      ["RUMI-SUP-006 bad.ndjson.gz it does not unpack", { "bad.ndjson.gz": gzipSync(record("X")).subarray(0, 40) }],
      ["RUMI-SUP-006 all.zip it is not a zip archive", { "all.zip": "no zip" }],
      ["RUMI-SUP-007 all.zip:X.json 1", { "all.zip": zipSync({ "X.json": bytes("{}") }) }],
      ["RUMI-SUP-006 index.json", { "index.json": "{}" }],
      ["RUMI-SUP-006 index.json", { "index.json": '{"fetched_at":"2026-04-01T00:00:00Z","more":1}' }],
    ];
    for (const [expected, files] of rows) expect(await refusal({ ...good, ...files })).toContain(expected);
    expect(await refusal(good)).toBe("opened");
    expect((await openAdvisories(join(folder, "missing"))).ok).toBe(false);
    symlinkSync("/etc/hostname", join(folder, "link.json"));
    expect(await refusal(good)).toContain("RUMI-SUP-006 link.json it is a link");
  });

  it("[L-51.1] an archive that lies about its size, or is a bomb, is refused before it is unpacked", async () => {
    const bomb = zipSync({ "X.json": new Uint8Array(ADVISORY_LIMITS.record_bytes + 1) });
    expect(bomb.length).toBeLessThan(10_000);
    expect(await refusal({ "all.zip": bomb })).toContain("RUMI-SUP-008 all.zip:X.json");
    const liar = Buffer.from(bomb);
    // The size that the central directory claims, 24 bytes into its only entry.
    const at = liar.indexOf(Buffer.from("504b0102", "hex"));
    liar.writeUInt32LE(10, at + 24);
    expect(await refusal({ "all.zip": liar })).toContain("RUMI-SUP-006 all.zip:X.json it does not unpack to the size");
    // A claim beyond the limit is refused for what it claims, before anybody looks at what is packed.
    const small = Buffer.from(zipSync({ "X.json": bytes(record("X")) }));
    small.writeUInt32LE(2 ** 32 - 2, small.indexOf(Buffer.from("504b0102", "hex")) + 24);
    expect(await refusal({ "all.zip": small })).toContain("RUMI-SUP-008 all.zip:X.json");
    const wrong = Buffer.from(zipSync({ "X.json": bytes(record("X")) }));
    wrong.writeUInt32LE(1, wrong.indexOf(Buffer.from("504b0102", "hex")) + 16);
    expect(await refusal({ "all.zip": wrong })).toContain("its checksum is wrong");
    const locked = Buffer.from(zipSync({ "X.json": bytes(record("X")) }));
    locked.writeUInt16LE(1, locked.indexOf(Buffer.from("504b0102", "hex")) + 8);
    expect(await refusal({ "all.zip": locked })).toContain("it is encrypted");
    const blown = gzipSync(Buffer.alloc(ADVISORY_LIMITS.record_bytes * 4, 32));
    expect(await refusal({ "x.ndjson.gz": blown })).toContain("RUMI-SUP-008 x.ndjson.gz");
  });

  it("[L-51.1] every limit refuses the first beyond it and takes the last within", async () => {
    const two = { "a.json": record("X-1"), "b/c/d.json": record("X-2") };
    const size = bytes(record("X-1")).length;
    const rows: readonly (readonly [Partial<AdvisoryLimits>, Partial<AdvisoryLimits>])[] = [
      [{ depth: 1 }, { depth: 2 }],
      [{ files: 1 }, { files: 2 }],
      [{ records: 1 }, { records: 2 }],
      [{ file_bytes: size - 1 }, { file_bytes: size }],
      [{ record_bytes: size - 1 }, { record_bytes: size }],
      [{ bytes: size * 2 - 1 }, { bytes: size * 2 }],
    ];
    for (const [beyond, within] of rows) {
      expect([beyond, await refusal(two, beyond)]).toEqual([beyond, expect.stringContaining("RUMI-SUP-008") as string]);
      expect([within, await refusal(two, within)]).toEqual([within, "opened"]);
    }
    const many = zipSync({ "a.json": bytes(record("X-1")), "b.json": bytes(record("X-2")) });
    expect(await refusal({ "all.zip": many }, { files: 1 })).toContain("RUMI-SUP-008 all.zip");
  });
});

/** Real advisories, where somebody has laid them beside the project. */
const shared =
  process.env["RUMI_OSV_DATA"] ?? fileURLToPath(new URL("../../../../../shared/data/osv", import.meta.url));
describe.runIf(existsSync(shared))("[L-51.1] real advisories", () => {
  it("[L-51.1] the Python database opens whole, and known weaknesses are found at their boundaries", async () => {
    const all = await opened(shared);
    expect(all.count).toBeGreaterThan(2_000);
    expect(readdirSync(shared)).toContain("GHSA-35jh-r3h4-6jhm.json");
    const text = "PyYAML==5.3.1\nurllib3==1.26.4\nDjango==99.0\n";
    const packages = {
      "node_modules/lodash": { version: "4.17.20" },
      "node_modules/b/node_modules/lodash": { version: "4.17.21" },
      "node_modules/lodash-es": { version: "4.17.20" },
    };
    const read = componentsOf([
      { kind: "requirements", name: "requirements.lock", text },
      { kind: "package-lock", name: "package-lock.json", text: JSON.stringify({ lockfileVersion: 3, packages }) },
    ]);
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    const found = all.match(read.value);
    const of = (purl: string) => found.filter(({ component }) => component.purl === purl);
    expect(of("pkg:npm/lodash@4.17.20")).toMatchObject([
      { advisory_id: "GHSA-35jh-r3h4-6jhm", severity: "high", score: 7.2, fixed_in: ["4.17.21"] },
    ]);
    expect(of("pkg:npm/lodash-es@4.17.20")).toHaveLength(1);
    expect(of("pkg:npm/lodash@4.17.21")).toEqual([]);
    const yaml = of("pkg:pypi/pyyaml@5.3.1").find(({ advisory_id }) => advisory_id === "GHSA-8q59-q68h-6hv4");
    expect(yaml).toMatchObject({ severity: "critical", score: 9.8 });
    expect(yaml?.aliases).toContain("CVE-2020-14343");
    expect(of("pkg:pypi/urllib3@1.26.4").length).toBeGreaterThan(0);
    expect(of("pkg:pypi/django@99.0")).toEqual([]);
  });
});
