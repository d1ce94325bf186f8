/** Imports that mean harm are refused with their code and leave nothing; honest ones are put into place whole or not at all. */
import { Buffer } from "node:buffer";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf, SAMPLE_WASM, sampleManifest, writePack } from "../../test/kit.ts";
import { openPacks, upload, type PackWorld } from "../../test/packs.ts";
import { packEntry } from "./digest.ts";
import { writeTree } from "./files.ts";
import type { PackDeps } from "./library.ts";

let world: PackWorld;
let over: Partial<PackDeps> = {};
let live: readonly string[] = [];

const reopen = async (): Promise<void> => {
  world = await openPacks((folder) => ({
    liveBotsUsing: () => Promise.resolve(live),
    ...over,
    ...(over.importRoots === undefined ? {} : { importRoots: [join(folder, "ecosystem"), join(folder, "inbox")] }),
  }));
};
beforeEach(async () => {
  [over, live] = [{}, []];
  await reopen();
});
afterEach(async () => {
  await world.close();
});

const at = (...parts: readonly string[]): string => join(world.folder, ...parts);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const manifestText = (changes: Record<string, unknown> = {}): Uint8Array =>
  text(JSON.stringify(sampleManifest({ strategies: [], ...changes })));
const importOf = (path: string) => world.command("packs.import", { path });
const apply = (staging_id: unknown) => world.command("packs.apply", { staging_id });
const approve = (pack_id = "demo_pack") => world.command("packs.approve", {}, { params: { pack_id } });
const status = async (): Promise<Record<string, unknown>> =>
  dataOf(await world.query("packs.status", {}, { pack_id: "demo_pack" }));
const versionIn = (...parts: readonly string[]): unknown =>
  (JSON.parse(readFileSync(at(...parts, "ecosystem.json"), "utf8")) as { version: unknown }).version;
async function staged(version: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  rmSync(at("inbox"), { recursive: true, force: true });
  return dataOf(await importOf(writePack(at("inbox/demo_pack"), sampleManifest({ version, ...more }))));
}
async function installed(version: string): Promise<void> {
  dataOf(await apply((await staged(version))["staging_id"]));
  await world.reconcile();
  dataOf(await approve());
}

describe("[R-11.1] an import that means harm", () => {
  const archive = (files: Zippable): string => {
    const path = at("evil.rumipack");
    writeFileSync(path, zipSync({ "p/ecosystem.json": manifestText(), ...files }));
    return path;
  };
  const folder = (): string => writePack(at("evil"), sampleManifest({ strategies: [] }), {});
  const cases: readonly (readonly [string, string, () => string])[] = [
    ["a path out of the folder", "RUMI-PACK-009", () => archive({ "p/../../../evil": text("x") })],
    ["an absolute path", "RUMI-PACK-009", () => archive({ "/etc/cron.d/evil": text("x") })],
    ["a path with NUL", "RUMI-PACK-009", () => archive({ "p/a\0.txt": text("x") })],
    ["a path in another Unicode form", "RUMI-PACK-009", () => archive({ "p/e\u0301": text("x") })],
    ["a name that reads backwards", "RUMI-PACK-009", () => archive({ "p/exe.\u202etxt": text("x") })],
    ["a name with an invisible space", "RUMI-PACK-009", () => archive({ "p/run\u200b.py": text("x") })],
    ["a file that is also a folder", "RUMI-PACK-009", () => archive({ "p/a": text("x"), "p/a/b": text("x") })],
    ["names apart by case", "RUMI-PACK-009", () => archive({ "p/Run.py": text("x"), "p/run.py": text("y") })],
    [
      "a link in an archive",
      "RUMI-PACK-009",
      () => archive({ "p/link": [text("/etc/passwd"), { os: 3, attrs: 0o120777 * 65_536 }] }),
    ],
    ["two packs in one archive", "RUMI-PACK-011", () => archive({ "q/ecosystem.json": manifestText() })],
    [
      "ten thousand files in an archive",
      "RUMI-PACK-008",
      () => archive(Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`p/${n}`, new Uint8Array()]))),
    ],
    [
      "two thousand and one files in an archive",
      "RUMI-PACK-008",
      () => archive(Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`p/${n}`, new Uint8Array()]))),
    ],
    [
      "ten thousand files in a folder",
      "RUMI-PACK-008",
      () => {
        const path = folder();
        for (let n = 0; n < 10_000; n += 1) writeFileSync(join(path, String(n)), "");
        return path;
      },
    ],
    [
      "a bomb that claims more than a pack may hold",
      "RUMI-PACK-008",
      () => claiming(archive({ "p/bomb": [new Uint8Array(1_000_000), { level: 9 }] }), 600_000_000),
    ],
    [
      "a bomb that claims less than it holds",
      "RUMI-PACK-010",
      () => claiming(archive({ "p/bomb": [new Uint8Array(1_000_000), { level: 9 }] }), 10),
    ],
    [
      "a bomb whose entries share their bytes",
      "RUMI-PACK-010",
      () => sharing(archive({ "p/bomb1": [new Uint8Array(1_000_000), { level: 9 }], "p/bomb2": new Uint8Array(1) })),
    ],
    [
      "a link in a folder",
      "RUMI-PACK-009",
      () => {
        symlinkSync("/etc/passwd", join(folder(), "link"));
        return at("evil");
      },
    ],
    [
      "a link to a folder in a folder",
      "RUMI-PACK-009",
      () => {
        symlinkSync("/etc", join(folder(), "link"));
        return at("evil");
      },
    ],
    [
      "a hard link in a folder",
      "RUMI-PACK-009",
      () => {
        writeFileSync(at("elsewhere"), "still changed from there");
        linkSync(at("elsewhere"), join(folder(), "run.py"));
        return at("evil");
      },
    ],
  ];
  for (const [name, code, make] of cases)
    it(`is refused: ${name}`, async () => {
      const answer = await importOf(make());
      expect(codeOf(answer)).toBe(code);
      expect(world.children("user_data/pack_staging")).toEqual([]);
      expect(world.children("ecosystem")).toEqual([]);
      expect(dataOf(await world.query("packs.list"))).toMatchObject({ count: 0 });
      expect(await world.actions()).not.toContain("pack.imported");
    });

  for (const [name, code, make] of cases.filter(([what]) => !what.includes("in a folder")))
    it(`is refused where it is sent in a request as well: ${name}`, async () => {
      const path = make();
      const sent = readFileSync(path);
      rmSync(path);
      const { answer } = await upload(world, sent, { name: "evil.rumipack" });
      expect(codeOf(answer)).toBe(code);
      for (const folder of ["user_data/pack_staging", "user_data/pack_uploads", "ecosystem"])
        expect(world.children(folder), folder).toEqual([]);
      expect(dataOf(await world.query("packs.list"))).toMatchObject({ count: 0 });
      expect(await world.actions()).not.toContain("pack.imported");
    });

  it("two thousand files are a pack", async () => {
    const files = Object.fromEntries(Array.from({ length: 1_999 }, (_, n) => [`p/${n}`, new Uint8Array()]));
    expect(dataOf(await importOf(archive(files)))).toMatchObject({ files: 2_000 });
  });
});

/** The archive, whose last entry now claims to unpack to so many bytes. */
function claiming(path: string, bytes: number): string {
  const archive = readFileSync(path);
  archive.writeUInt32LE(bytes, lastEntry(archive) + 24);
  writeFileSync(path, archive);
  return path;
}

/** The archive, whose last entry is now the bytes of the one before it. */
function sharing(path: string): string {
  const archive = readFileSync(path);
  const last = lastEntry(archive);
  const before = archive.lastIndexOf(CENTRAL, last - 1);
  for (const field of [16, 20, 24, 42]) archive.writeUInt32LE(archive.readUInt32LE(before + field), last + field);
  archive.writeUInt16LE(archive.readUInt16LE(before + 10), last + 10);
  writeFileSync(path, archive);
  return path;
}

const CENTRAL = Buffer.from([0x50, 0x4b, 0x01, 0x02]);
const lastEntry = (archive: Buffer): number => archive.lastIndexOf(CENTRAL);

describe("[R-11.1] import roots, where the API is not on loopback", () => {
  beforeEach(async () => {
    await world.close();
    over = { importRoots: [] };
    await reopen();
  });

  it("a folder in a root is imported; elsewhere, a way round and a link out of a root are refused", async () => {
    const pack = writePack(at("inbox/demo_pack"), sampleManifest());
    const outside = writePack(at("outside/demo_pack"), sampleManifest());
    symlinkSync(outside, at("inbox/link"));
    expect(dataOf(await importOf(pack))).toMatchObject({ pack_id: "demo_pack" });
    for (const path of [
      outside,
      at("inbox/../outside/demo_pack"),
      at("inbox/link"),
      at("inbox"),
      "/etc/passwd",
      "/etc/nowhere",
    ])
      expect(codeOf(await importOf(path)), path).toBe("RUMI-PACK-016");
    expect(codeOf(await importOf(at("inbox/nowhere")))).toBe("RUMI-VAL-006");
  });
});

describe("[R-11.1] apply", () => {
  it("keeps what it replaces under a name that no other backup has, also after an uninstall", async () => {
    const backups: unknown[] = [];
    for (const [old, next] of [
      ["1.0.0", "1.1.0"],
      ["2.0.0", "2.1.0"],
    ] as const) {
      await installed(old);
      const answer = dataOf(await apply((await staged(next))["staging_id"]));
      await world.reconcile();
      expect(versionIn("ecosystem/demo_pack")).toBe(next);
      expect(versionIn(String(answer["backup"]))).toBe(old);
      backups.push(answer["backup"]);
      dataOf(await world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } }));
      await world.reconcile();
    }
    expect(backups.map((name) => versionIn(String(name)))).toEqual(["1.0.0", "2.0.0"]);
  });

  it("of a first version has nothing to keep", async () => {
    expect(dataOf(await apply((await staged("1.0.0"))["staging_id"]))).toMatchObject({ backup: null });
  });

  const POINTS = ["before the first step", "between the two steps", "after the last step"] as const;
  /** The move of an applied import, by hand as far as this point. */
  const movedUntil = (point: (typeof POINTS)[number], backup: unknown): void => {
    if (point === "before the first step") return;
    mkdirSync(at("user_data/pack_backups"), { recursive: true });
    renameSync(at("ecosystem/demo_pack"), at(String(backup)));
    const [staging_id] = world.children("user_data/pack_staging");
    if (point === "after the last step")
      renameSync(at("user_data/pack_staging", staging_id ?? ""), at("ecosystem/demo_pack"));
  };

  for (const point of POINTS)
    it(`[R-5.1] a scan ${point} of its move sees the tree that is being moved, and what was changed in it`, async () => {
      await installed("1.0.0");
      const { backup } = dataOf(await apply((await staged("1.1.0"))["staging_id"]));
      dataOf(await approve());
      movedUntil(point, backup);
      const scan = async () => dataOf(await world.command("packs.scan", {}));
      const pack = { pack_id: "demo_pack", version: "1.1.0" };
      expect(await scan()).toMatchObject({ scanned: 1, modified: [], packs: [{ ...pack, status: "approved" }] });
      if (point !== "after the last step") return;
      writeFileSync(at("ecosystem/demo_pack/more.txt"), "x");
      expect(await scan()).toMatchObject({ modified: ["demo_pack"], packs: [{ ...pack, status: "modified" }] });
      await world.reconcile();
      expect(await status()).toMatchObject({ status: "modified", version: "1.1.0" });
    });

  for (const point of POINTS)
    it(`that was cut off ${point} is finished by the next run; the old tree is whole in the backups`, async () => {
      await installed("1.0.0");
      const { backup } = dataOf(await apply((await staged("1.1.0"))["staging_id"]));
      movedUntil(point, backup);
      expect(await world.library.verify("demo_pack")).toMatchObject({ ok: false, error: { code: "RUMI-PACK-007" } });
      await world.reconcile();
      expect([versionIn("ecosystem/demo_pack"), versionIn(String(backup))]).toEqual(["1.1.0", "1.0.0"]);
      expect(await status()).toMatchObject({ status: "modified", version: "1.1.0" });
      expect(world.children("user_data/pack_staging")).toEqual([]);
      dataOf(await approve());
      expect(await world.library.verify("demo_pack")).toMatchObject({ ok: true });
    });

  it("does not touch a folder that came back between two runs", async () => {
    await installed("1.0.0");
    const { backup } = dataOf(await apply((await staged("1.1.0"))["staging_id"]));
    mkdirSync(at("user_data/pack_backups"), { recursive: true });
    renameSync(at("ecosystem/demo_pack"), at(String(backup)));
    writePack(at("ecosystem/demo_pack"), sampleManifest({ version: "9.9.9" }));
    await world.reconcile();
    expect([versionIn(String(backup)), versionIn(`${String(backup)}-2`)]).toEqual(["1.0.0", "9.9.9"]);
    expect(versionIn("ecosystem/demo_pack")).toBe("1.1.0");
  });

  it("refuses what was changed in staging, and what is gone from there", async () => {
    const { staging_id } = await staged("1.0.0");
    writeFileSync(at("user_data/pack_staging", String(staging_id), "run.py"), "evil");
    expect(codeOf(await apply(staging_id))).toBe("RUMI-PACK-009");
    rmSync(at("user_data/pack_staging", String(staging_id)), { recursive: true });
    expect(codeOf(await apply(staging_id))).toBe("RUMI-PACK-014");
    expect(world.children("ecosystem")).toEqual([]);
    expect(dataOf(await apply((await staged("1.0.0"))["staging_id"]))).toMatchObject({ pack_id: "demo_pack" });
  });

  it("refuses a folder that is another pack's, by its pack_id and by its pack_identity", async () => {
    const { staging_id } = await staged("1.0.0");
    writePack(at("ecosystem/demo_pack"), sampleManifest({ pack_id: "other_pack" }));
    expect(codeOf(await apply(staging_id))).toBe("RUMI-PACK-003");
    dataOf(await world.command("packs.scan", {}));
    expect(codeOf(await apply(staging_id))).toBe("RUMI-PACK-003");
    await world.close();
    await reopen();
    writePack(at("ecosystem/demo_pack"), sampleManifest({ pack_identity: "other:demo_pack" }));
    expect(codeOf(await apply((await staged("1.0.0"))["staging_id"]))).toBe("RUMI-PACK-015");
    expect(existsSync(at("ecosystem/demo_pack/ecosystem.json"))).toBe(true);
  });

  it("[R-27.1] of another identity says pack_identity mismatch, and works once the installed pack is removed", async () => {
    await installed("1.0.0");
    const { staging_id } = await staged("2.0.0", { pack_identity: "other:demo_pack" });
    const refused = await apply(staging_id);
    expect(refused).toMatchObject({ kind: "refused", failure: { code: "RUMI-PACK-015" } });
    expect(versionIn("ecosystem/demo_pack")).toBe("1.0.0");
    dataOf(await world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } }));
    dataOf(await apply(staging_id)); // before the old folder is gone
    await world.reconcile();
    expect(versionIn("ecosystem/demo_pack")).toBe("2.0.0");
    expect(dataOf(await approve())).toMatchObject({ status: "approved", pack_identity: "other:demo_pack" });
    await world.reconcile();
    expect(versionIn("ecosystem/demo_pack")).toBe("2.0.0");
  });

  it("of other bytes under a live bot is dangerous; of the approved ones it is not", async () => {
    await installed("1.0.0");
    live = ["bot-1"];
    expect(dataOf(await apply((await staged("1.0.0"))["staging_id"]))).toMatchObject({ status: "approved" });
    await world.reconcile();
    // This world keeps no challenges: what needs one is refused as such.
    expect(codeOf(await apply((await staged("1.1.0"))["staging_id"]))).toBe("RUMI-CMD-003");
    expect(versionIn("ecosystem/demo_pack")).toBe("1.0.0");
  });
});

describe("[R-11.1] what is written is what was judged", () => {
  it("modes included: what is approved has the digest that the import told", async () => {
    const folder = writePack(at("inbox/demo_pack"), sampleManifest(), {
      "strategies/ema.wasm": SAMPLE_WASM,
      "bin/tool": "#!/bin/sh\n",
    });
    chmodSync(join(folder, "bin/tool"), 0o755);
    const { staging_id, digest } = dataOf(await importOf(folder));
    dataOf(await apply(staging_id));
    await world.reconcile();
    expect(dataOf(await approve())).toMatchObject({ approved_digest: digest });
  });

  it("a file that changes while it is read is refused, and nothing is left of the others", async () => {
    const entries = ["a", "b"].map((path) => packEntry({ path, mode: "100644", data: text(path) }));
    const target = at("user_data/pack_staging/stg-x");
    for (const other of [text("changed"), undefined]) {
      const written = await writeTree(target, entries, (path) => (path === "b" ? other : text(path)));
      expect(written).toMatchObject({ ok: false, error: { code: "RUMI-PACK-009", params: { path: "b" } } });
      expect(world.children("user_data/pack_staging")).toEqual([]);
    }
    expect(await writeTree(target, entries, text)).toMatchObject({ ok: true });
    expect(world.children("user_data/pack_staging/stg-x")).toEqual(["a", "b"]);
  });
});

describe("[R-11.1] what a killed process left", () => {
  it("is taken away at the next start; what waits to be applied stays", async () => {
    const { staging_id } = await staged("1.0.0");
    for (const name of ["stg-half.new-abc", "stg-unknown", ".removed-x"])
      mkdirSync(at("user_data/pack_staging", name, "pack"), { recursive: true });
    mkdirSync(at("user_data/packs/.new-x"), { recursive: true });
    await world.reconcile();
    expect(world.children("user_data/pack_staging")).toEqual([staging_id]);
    expect(world.children("user_data/packs")).toEqual([]);
  });
});

describe("[R-5.1] what an approval would change", () => {
  it("is shown while the pack waits, and again when it is approved", async () => {
    await installed("1.0.0");
    const asked = {
      required_secrets: ["API_KEY"],
      required_network: ["api.example.com", { domain: "*.example.org", ports: [443, 8443] }],
      host_execution: true,
    };
    dataOf(await apply((await staged("1.1.0", asked))["staging_id"]));
    const added = [
      "network:api.example.com",
      "network:*.example.org:443",
      "network:*.example.org:8443",
      "secret:API_KEY",
      "host_execution",
    ];
    expect(await status()).toMatchObject({ status: "modified", permission_diff: { added, removed: [] } });
    expect(dataOf(await world.query("packs.pending"))).toMatchObject({ packs: [{ permission_diff: { added } }] });
    expect(dataOf(await approve())).toMatchObject({ permission_diff: { added, removed: [] } });
    expect(await status()).toMatchObject({ status: "approved", permission_diff: { added: [], removed: [] } });
    await world.reconcile();
    dataOf(await apply((await staged("1.2.0"))["staging_id"]));
    expect(await status()).toMatchObject({ permission_diff: { added: [], removed: added } });
  });

  it("a folder and an archive of it stage the same tree", async () => {
    const path = at("demo.ZIP");
    writeFileSync(
      path,
      zipSync({
        "any-top/ecosystem.json": text(JSON.stringify(sampleManifest({ version: "1.0.0" }))),
        "any-top/strategies/ema.wasm": SAMPLE_WASM,
      }),
    );
    expect(dataOf(await importOf(path))).toMatchObject({ staging_id: (await staged("1.0.0"))["staging_id"] });
  });
});
