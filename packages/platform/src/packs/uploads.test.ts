/** Archives that come in a request: counted, hashed, private, gone with their request, and judged as any other archive. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf, sampleManifest, zipped } from "../../test/kit.ts";
import { openPacks, upload, type PackWorld } from "../../test/packs.ts";

const LIMITS = { upload_bytes: 4_096, uploads_at_once: 2 } as const;
const FOLDER = "user_data/pack_uploads";

let world: PackWorld;
beforeEach(async () => void (world = await openPacks(() => ({ uploadLimits: LIMITS }))));
afterEach(() => world.close());

const archive = (changes: Record<string, unknown> = {}): Uint8Array =>
  zipped({
    "p/ecosystem.json": new TextEncoder().encode(JSON.stringify(sampleManifest({ strategies: [], ...changes }))),
  });
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
/** A body that goes on only when it is told to. */
function slowBody(): Readable {
  return new Readable({ read: () => undefined });
}

describe("[R-11.1] receiving", () => {
  it("takes an archive of exactly the limit, and not one byte more", async () => {
    const fits = await world.library.receive(Readable.from([Buffer.alloc(4_000), Buffer.alloc(96)]));
    expect(fits).toMatchObject({
      ok: true,
      value: { received: { bytes: 4_096, sha256: sha256(Buffer.alloc(4_096)) } },
    });
    if (fits.ok) await fits.value.release();
    const over = Readable.from([Buffer.alloc(4_000), Buffer.alloc(97), Buffer.alloc(10_000)]);
    expect(await world.library.receive(over)).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-040", params: { limit: 4_096 } },
    });
    expect(over.destroyed).toBe(false); // its answer goes out over the same connection
    expect(world.children(FOLDER)).toEqual([]);
  });

  it("leaves nothing of what did not arrive whole", async () => {
    const body = slowBody();
    const receiving = world.library.receive(body);
    body.push(Buffer.alloc(1_000));
    await until(() => world.children(FOLDER).length === 1);
    const [name = ""] = world.children(FOLDER);
    expect(statSync(join(world.folder, FOLDER)).mode & 0o777).toBe(0o700);
    expect(statSync(join(world.folder, FOLDER, name)).mode & 0o777).toBe(0o600);
    body.destroy(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
    expect(await receiving).toMatchObject({ ok: false, error: { code: "RUMI-PACK-041" } });
    expect(world.children(FOLDER)).toEqual([]);
  });

  it("a body that ends without its end is not whole", async () => {
    const body = slowBody();
    body.iterator = async function* () {
      yield await Promise.resolve(Buffer.alloc(10));
    } as typeof body.iterator;
    expect(await world.library.receive(body)).toMatchObject({ ok: false, error: { code: "RUMI-PACK-041" } });
    expect(world.children(FOLDER)).toEqual([]);
  });

  it.each([
    ["no room for a byte", "size=8k"],
    ["no room for a file", "size=1m,nr_inodes=2"],
  ])("a full disk (%s) is said as such, and leaves nothing", async (_, options) => {
    const folder = join(world.folder, FOLDER);
    mkdirSync(folder, { recursive: true });
    const isMounted = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder]).status === 0;
    if (!isMounted) return void process.stderr.write("skipped: a small file system cannot be mounted here\n");
    try {
      writeFileSync(join(folder, "filler"), Buffer.alloc(8_192));
      const body = Readable.from([Buffer.alloc(100)]);
      expect(await world.library.receive(body)).toMatchObject({ ok: false, error: { code: "RUMI-SYS-008" } });
      expect(world.children(FOLDER)).toEqual(["filler"]);
    } finally {
      spawnSync("umount", [folder]);
    }
  });

  it("takes so many together and no more; the next one has its turn when one is over", async () => {
    const bodies = [slowBody(), slowBody()];
    const both = bodies.map((body) => world.library.receive(body));
    expect(await world.library.receive(Readable.from([Buffer.alloc(1)]))).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-043", params: { limit: 2 } },
    });
    for (const body of bodies) body.push(null);
    for (const one of await Promise.all(both)) expect(one).toMatchObject({ ok: true });
    expect(await world.library.receive(Readable.from([Buffer.alloc(1)]))).toMatchObject({ ok: true });
  });

  it("keeps one file of the same archive sent twice at once, until the last of them lets go", async () => {
    const twice = await Promise.all([1, 2].map(() => world.library.receive(Readable.from([Buffer.from(archive())]))));
    expect(world.children(FOLDER)).toEqual([`${sha256(archive())}.zip`]);
    for (const [at, one] of twice.entries()) {
      expect(world.children(FOLDER)).toHaveLength(1);
      if (one.ok) await one.value.release();
      expect(world.children(FOLDER)).toHaveLength(1 - at);
    }
  });

  it("what a killed program left is gone after the next start; what is being received is not", async () => {
    const body = slowBody();
    const receiving = world.library.receive(body);
    body.push(archive());
    await until(() => world.children(FOLDER).length === 1);
    mkdirSync(join(world.folder, FOLDER), { recursive: true });
    for (const name of ["0199.part", `${"a".repeat(64)}.zip`]) writeFileSync(join(world.folder, FOLDER, name), "x");
    await world.library.sweep();
    expect(world.children(FOLDER)).toHaveLength(1);
    body.push(null);
    expect(await receiving).toMatchObject({ ok: true, value: { received: { sha256: sha256(archive()) } } });
  });
});

describe("[R-11.1] [R-5.2] an import that was sent", () => {
  it("waits as one from a path does, under the name that its sender gave it, and is applied the same way", async () => {
    const { answer } = await upload(world, archive(), { name: "mine \u202e.zip", reason: "from the maker" });
    const staged = dataOf(answer);
    expect(staged).toMatchObject({ pack_id: "demo_pack", version: "1.0.0", files: 1 });
    expect(dataOf(await world.query("packs.staged"))).toMatchObject({
      staged: [{ staging_id: staged["staging_id"], origin: expect.stringMatching(/^upload:mine /) as string }],
      upload_limit_bytes: 4_096,
    });
    expect(world.children(FOLDER)).toEqual([]);
    await world.reconcile(); // a sweep leaves what waits
    dataOf(await world.command("packs.apply", { staging_id: staged["staging_id"] }));
    await world.reconcile();
    expect(dataOf(await world.query("packs.status", {}, { pack_id: "demo_pack" }))).toMatchObject({ state: "pending" });
  });

  it("the same wish acts once; its key with another archive is another request", async () => {
    const first = await upload(world, archive(), { reason: "x" }, "one-wish");
    const second = await upload(world, archive(), { reason: "x" }, "one-wish");
    expect([first.answer.kind, second.answer.kind, second.answer.duplicate_suppressed]).toEqual(["done", "done", true]);
    expect((await world.actions()).filter((action) => action === "pack.imported")).toHaveLength(1);
    const other = await upload(world, archive({ version: "2.0.0" }), { reason: "x" }, "one-wish");
    expect(codeOf(other.answer)).toBe("RUMI-CMD-002");
    expect(world.children("user_data/pack_staging")).toHaveLength(1);
  });

  it("an announced digest is compared; another archive is refused and nothing of it is staged", async () => {
    const { answer } = await upload(world, archive(), { sha256: sha256(archive({ version: "2.0.0" })) });
    expect(codeOf(answer)).toBe("RUMI-PACK-042");
    expect(world.children("user_data/pack_staging")).toEqual([]);
    expect((await upload(world, archive(), { sha256: sha256(archive()) })).answer.kind).toBe("done");
  });

  it("two at once are two imports, the same twice is one, and nobody names an archive that was not received", async () => {
    const [one, two] = await Promise.all([
      upload(world, archive()),
      upload(world, archive({ pack_id: "other_pack", pack_identity: "local:other_pack" })),
    ]);
    expect([dataOf(one.answer)["pack_id"], dataOf(two.answer)["pack_id"]]).toEqual(["demo_pack", "other_pack"]);
    const again = await Promise.all([upload(world, archive()), upload(world, archive())]);
    expect(new Set(again.map(({ answer }) => dataOf(answer)["staging_id"]))).toEqual(
      new Set([dataOf(one.answer)["staging_id"]]),
    );
    expect(dataOf(await world.query("packs.staged"))).toMatchObject({ count: 2 });
    const gone = await world.command("packs.upload", { received: { sha256: sha256(archive()), bytes: 1 } });
    expect(codeOf(gone)).toBe("RUMI-PACK-041");
  });
});

async function until(isSo: () => boolean): Promise<void> {
  for (let waited = 0; waited < 500 && !isSo(); waited += 1) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isSo()).toBe(true);
}
