import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sha256Hex } from "@rumi/kernel";
import { attesterFromPem } from "@rumi/ledger";
import { PACK_LIMITS } from "./limits.ts";
import { packEntry, type PackFile } from "./digest.ts";
import {
  contentDigest,
  PROVENANCE_FILE,
  PROVENANCE_LIMITS,
  provenanceOf,
  provenanceStatement,
  signedProvenance,
  type PackProvenance,
} from "./provenance.ts";

const key = () =>
  attesterFromPem(
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  );
const own = key();
const hex = (text: string): string => sha256Hex(text);
const files: readonly PackFile[] = [
  { path: "ecosystem.json", mode: "100644", data: Buffer.from("{}") },
  { path: "run.py", mode: "100755", data: Buffer.from("print()\n") },
];
const manifest = { pack_id: "demo_pack", version: "1.0.0" };
const content = contentDigest(files.map(packEntry), PACK_LIMITS);
if (!content.ok) throw new Error(content.error.code);
const PROVENANCE: PackProvenance = {
  ...manifest,
  content_digest: content.value,
  run: {
    run_id: 7,
    repository: "/srv/repo",
    path: "packs/demo",
    object_format: "sha1",
    base_sha: "a".repeat(40),
    head_sha: "b".repeat(40),
    snapshot_sha: "c".repeat(40),
    tree_sha: "d".repeat(40),
    prompt_hash: hex("prompt"),
    exit_code: 0,
    cancelled: false,
  },
  proof: { revision: 2, bundle_sha256: hex("bundle"), attestation_sha256: hex("signed") },
  checks: [
    {
      check_key: "tests",
      required: true,
      status: "passed",
      exit_code: 0,
      executed_nothing: false,
      log_sha256: hex("log"),
    },
  ],
  decisions: [],
  built_by: "user:root",
  built_at: "2026-01-01T00:00:00.000000Z",
};
const signed = (statement: string, by = own): Buffer => Buffer.from(`${JSON.stringify(by.sign(statement))}\n`);
const look = (file: Uint8Array, over: Partial<{ files: readonly PackFile[]; version: string }> = {}, keys = [own]) => {
  const all: readonly PackFile[] = [...(over.files ?? files), { path: PROVENANCE_FILE, mode: "100644", data: file }];
  const data = new Map(all.map((one) => [one.path, one.data]));
  const of = {
    entries: all.map(packEntry),
    manifest: { ...manifest, version: over.version ?? manifest.version },
    dataOf: (path: string) => data.get(path),
  };
  return provenanceOf(of, keys, PACK_LIMITS);
};
const problemOf = async (of: ReturnType<typeof look>): Promise<readonly [string, string] | "believed"> => {
  const found = await of;
  return found.ok ? "believed" : [found.error.code, String(found.error.params["problem"] ?? "")];
};

describe("[L-38] the provenance of a pack", () => {
  it("is what a key that counts here signed about exactly these bytes; a pack without it has none", async () => {
    const file = signed(provenanceStatement(PROVENANCE));
    const found = await look(file);
    expect(found).toMatchObject({
      ok: true,
      value: { provenance: PROVENANCE, keyid: own.keyid, sha256: sha256Hex(file) },
    });
    expect(signedProvenance(file)).toEqual({ provenance: PROVENANCE, keyid: own.keyid });
    const none = { entries: files.map(packEntry), manifest, dataOf: () => undefined };
    expect(await provenanceOf(none, [own], PACK_LIMITS)).toEqual({ ok: true, value: null });
    const another = key();
    expect(await problemOf(look(signed(provenanceStatement(PROVENANCE), another)))).toEqual(["RUMI-PACK-021", ""]);
    expect(await problemOf(look(signed(provenanceStatement(PROVENANCE), another), {}, [own, another]))).toBe(
      "believed",
    );
    expect(await problemOf(look(file, {}, []))).toEqual(["RUMI-PACK-021", ""]);
  });

  it("is refused with one changed byte of any file, another mode, another name, another pack, one file more or less", async () => {
    const file = signed(provenanceStatement(PROVENANCE));
    const [first, second] = files;
    if (first === undefined || second === undefined) throw new Error("no files");
    for (const changed of [
      [first, { ...second, data: Buffer.from("print(1)\n") }],
      [first, { ...second, mode: "100644" as const }],
      [first, { ...second, path: "run2.py" }],
      [first],
      [first, second, { ...second, path: "more.py" }],
    ])
      expect(await problemOf(look(file, { files: changed }))).toEqual([
        "RUMI-PACK-020",
        expect.stringContaining("other bytes") as string,
      ]);
    expect(await problemOf(look(file, { version: "2.0.0" }))).toEqual(["RUMI-PACK-020", "it is about demo_pack 1.0.0"]);
  });

  it("is refused with any byte of it changed: nothing throws, and nothing else is ever believed", async () => {
    const file = signed(provenanceStatement(PROVENANCE));
    for (let at = 0; at < file.length - 1; at += 7) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const found = await look(changed);
      if (found.ok) expect(found.value?.provenance).toEqual(PROVENANCE);
    }
  });

  it.each<readonly [string, () => Buffer]>([
    ["no JSON", () => Buffer.from("{")],
    ["no envelope", () => Buffer.from("[1]")],
    ["nobody's signature", () => Buffer.from(JSON.stringify({ ...own.sign("{}"), signatures: [] }))],
    [
      "two signatures",
      () => {
        const one = own.sign(provenanceStatement(PROVENANCE));
        return Buffer.from(JSON.stringify({ ...one, signatures: [...one.signatures, ...one.signatures] }));
      },
    ],
    [
      "another payloadType",
      () => Buffer.from(JSON.stringify({ ...own.sign(provenanceStatement(PROVENANCE)), payloadType: "text/plain" })),
    ],
    ["another predicateType", () => signed(provenanceStatement(PROVENANCE).replace("pack-provenance", "proof-bundle"))],
    ["a member more", () => signed(provenanceStatement({ ...PROVENANCE, trusted: true } as PackProvenance))],
    [
      "a member less",
      () => {
        const { built_by: _gone, ...rest } = PROVENANCE;
        return signed(provenanceStatement(rest as PackProvenance));
      },
    ],
    [
      "a rejected decision",
      () =>
        signed(
          provenanceStatement({
            ...PROVENANCE,
            decisions: [
              { violation_id: 1, path: "x", approved_status: "rejected", decided_at: "", decided_by: "", reason: "" },
            ],
          } as unknown as PackProvenance),
        ),
    ],
    [
      "a name twice in it",
      () => signed(provenanceStatement(PROVENANCE).replace('"built_by":', '"built_by":"someone","built_by":')),
    ],
    [
      "subjects that are not its own",
      () =>
        signed(
          provenanceStatement(PROVENANCE).replace(`"gitCommit":"${"c".repeat(40)}"`, `"gitCommit":"${"e".repeat(40)}"`),
        ),
    ],
    ["a text that is none", () => signed("not json")],
    ["more bytes than it may have", () => Buffer.alloc(PROVENANCE_LIMITS.file_bytes + 1, 32)],
  ])("is refused where it is %s", async (_what, file) =>
    expect((await problemOf(look(file())))[0]).toBe("RUMI-PACK-020"),
  );
});
