/** A small log in memory, signed with the golden key, and every way to tamper with it. */
import { beforeEach, describe, expect, it } from "vitest";
import tlog from "../../../../docs/formats/tlog.v1.json";
import { createLogVerifier, UnreachableLog, type LogVerifier } from "./log-verifier.ts";
import { concat, hex, leafHash, nodeHash, rootOfPrefix, toBase64, type Hash } from "./merkle.ts";
import { openCheckpoint, parseVerifierKey } from "./note.ts";
import { tileIndexPath, tileReader } from "./tiles.ts";

const ENTRIES = 1_000;
const entries = await Promise.all(Array.from({ length: ENTRIES }, (_, at) => leafOf(`entry ${at}`)));
const others = await Promise.all(Array.from({ length: ENTRIES }, (_, at) => leafOf(`other ${at}`)));

function leafOf(text: string): Promise<Hash> {
  return leafHash(new TextEncoder().encode(text));
}

/** Every tile of the first `size` leaves. */
async function tilesOf(leaves: readonly Hash[], size: number): Promise<Map<string, Hash>> {
  const files = new Map<string, Hash>();
  let row = leaves.slice(0, size);
  for (let level = 0; row.length > 0; level += 1) {
    const next: Hash[] = [];
    for (let at = 0; at < row.length; at += 256) {
      const hashes = row.slice(at, at + 256);
      const partial = hashes.length === 256 ? "" : `.p/${hashes.length}`;
      files.set(`tile/${level}/${tileIndexPath(at / 256)}${partial}`, concat(...hashes));
      if (hashes.length === 256) next.push(await subtree(hashes));
    }
    row = next;
  }
  return files;
}

async function subtree(hashes: readonly Hash[]): Promise<Hash> {
  const [first] = hashes;
  if (hashes.length === 1 && first !== undefined) return first;
  const half = hashes.length / 2;
  return nodeHash(await subtree(hashes.slice(0, half)), await subtree(hashes.slice(half)));
}

const seed = Uint8Array.from(tlog.key.seed_hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const PKCS8 = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);
const signer = await crypto.subtle.importKey("pkcs8", concat(PKCS8, seed), { name: "Ed25519" }, false, ["sign"]);

async function noteOf(size: number, root: Hash): Promise<string> {
  const body = `${tlog.key.name}\n${size}\n${toBase64(root)}\n`;
  const signature = new Uint8Array(await crypto.subtle.sign("Ed25519", signer, new TextEncoder().encode(body)));
  const { id } = await parseVerifierKey(tlog.key.vkey);
  return `${body}\n— ${tlog.key.name} ${toBase64(concat(id, signature))}\n`;
}

const files = new Map<string, Hash>();
const memory = new Map<string, string>();
const put = (path: string, text: string): void => void files.set(path, new TextEncoder().encode(text));

async function publish(size: number, leaves: readonly Hash[] = entries): Promise<void> {
  files.clear();
  for (const [path, bytes] of await tilesOf(leaves, size)) files.set(path, bytes);
  const reader = tileReader(size, (path) => Promise.resolve(files.get(path) ?? new Uint8Array()), new Map());
  put("log.vkey", `${tlog.key.vkey}\n`);
  put("checkpoint", await noteOf(size, await rootOfPrefix(size, reader)));
}

/** As a fresh page of the same browser. */
const page = (): LogVerifier =>
  createLogVerifier((path) => Promise.resolve(files.get(path) ?? null), {
    getItem: (name) => memory.get(name) ?? null,
    setItem: (name, value) => void memory.set(name, value),
  });

beforeEach(() => memory.clear());

describe("the tree", () => {
  it("has the roots of tlog.v1.json", async () => {
    for (const { size, root_hex } of tlog.roots.filter(({ size }) => size <= ENTRIES)) {
      const tiles = await tilesOf(entries, size);
      const reader = tileReader(size, (path) => Promise.resolve(tiles.get(path) ?? new Uint8Array()), new Map());
      expect([size, hex(await rootOfPrefix(size, reader))]).toEqual([size, root_hex]);
    }
  });
  it.each([
    [0, "000"],
    [999, "999"],
    [1_000, "x001/000"],
    [1_234_067, "x001/x234/067"],
  ])("names the tile %i %s", (index, path) => {
    expect(tileIndexPath(index)).toBe(path);
  });
});

describe("the badge", () => {
  it("verifies a log, remembers it, and verifies its growth", async () => {
    await publish(300);
    expect(await page().verify()).toEqual({
      kind: "verified",
      size: 300,
      remembered: 0,
      origin: tlog.key.name,
      instead_of: null,
    });
    await publish(1_000);
    expect(await page().verify()).toMatchObject({ kind: "verified", size: 1_000, remembered: 300 });
  });
  it("finds a tile that was changed", async () => {
    await publish(300);
    const tile = files.get("tile/0/001.p/44");
    if (tile === undefined) throw new Error("no such tile");
    tile[40] = (tile[40] ?? 0) ^ 1;
    expect(await page().verify()).toMatchObject({
      kind: "broken",
      problem: "the tiles do not add up to the signed root",
    });
  });
  it("finds a tile that is missing or cut", async () => {
    await publish(300);
    files.set("tile/0/001.p/44", new Uint8Array(32));
    expect((await page().verify()).kind).toBe("broken");
    files.delete("tile/0/001.p/44");
    expect((await page().verify()).kind).toBe("broken");
  });
  it("finds a head that was not signed", async () => {
    await publish(300);
    put("checkpoint", (await noteOf(300, entries[0] ?? new Uint8Array())).replace("\n300\n", "\n299\n"));
    expect(await page().verify()).toMatchObject({
      kind: "broken",
      problem: "the checkpoint's signature is wrong",
    });
  });
  it("finds a log that was cut back, with everything in it consistent", async () => {
    await publish(300);
    await page().verify();
    await publish(257);
    expect(await page().verify()).toMatchObject({
      kind: "broken",
      problem: "the log has 257 entries; this browser has seen 300",
    });
  });
  it("finds a log that was rewritten and grew since", async () => {
    await publish(300);
    await page().verify();
    await publish(1_000, others);
    expect(await page().verify()).toMatchObject({
      kind: "broken",
      problem: "the first 300 entries were rewritten",
    });
  });
  it("finds a log that is gone, and another key", async () => {
    await publish(300);
    await page().verify();
    files.delete("checkpoint");
    expect((await page().verify()).kind).toBe("broken");
    await publish(300);
    const [name] = [...memory.keys()];
    memory.set(name ?? "", JSON.stringify({ key: "another", size: 1, root: "" }));
    expect(await page().verify()).toMatchObject({
      kind: "broken",
      problem: "the log has another key than this browser remembers",
    });
  });
  it("tells of a sound log that is not the one of before, until somebody says that it is meant", async () => {
    await publish(300);
    memory.set("rumi.log", "rumi.local/dev/another");
    const one = page();
    expect(await one.verify()).toMatchObject({ kind: "verified", instead_of: "rumi.local/dev/another" });
    expect(await page().verify(), "looking again is no word").toMatchObject({ instead_of: "rumi.local/dev/another" });
    one.accept(tlog.key.name);
    expect(await one.verify()).toMatchObject({ kind: "verified", instead_of: null });
    expect(await page().verify()).toMatchObject({ kind: "verified", instead_of: null });
  });
  it("a log without entries is empty; a server that is away says nothing about the log", async () => {
    files.clear();
    put("log.vkey", tlog.key.vkey);
    expect((await page().verify()).kind).toBe("empty");
    const away = createLogVerifier(() => Promise.reject(new UnreachableLog("away")), {
      getItem: () => null,
      setItem: () => {},
    });
    expect((await away.verify()).kind).toBe("unreachable");
  });
  it("recovers when what was wrong is right again", async () => {
    await publish(1_000);
    const one = page();
    const good = files.get("tile/1/000.p/3") ?? new Uint8Array();
    files.set("tile/1/000.p/3", new Uint8Array(good.length));
    expect((await one.verify()).kind).toBe("broken");
    files.set("tile/1/000.p/3", good);
    expect((await one.verify()).kind).toBe("verified");
  });
});

describe("an earlier head", () => {
  it("belongs to the log that grew from it, and to no other", async () => {
    await publish(300);
    const key = await parseVerifierKey(tlog.key.vkey);
    const head = await openCheckpoint(new TextDecoder().decode(files.get("checkpoint")), key);
    await publish(1_000);
    expect(await page().contains(head)).toBe(true);
    expect(await page().contains({ ...head, size: 299 })).toBe(false);
    expect(await page().contains({ ...head, size: 1_001 })).toBe(false);
    await publish(1_000, others);
    expect(await page().contains(head)).toBe(false);
  });
});
