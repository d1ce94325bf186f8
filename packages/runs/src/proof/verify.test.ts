/** A bundle in the hands of somebody who trusts nobody: real git, real signatures, and whatever else may be handed over. */
import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, sha256Hex, type JsonObject } from "@rumi/kernel";
import { attesterFromPem } from "@rumi/ledger";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemGit } from "../git/git.ts";
import type { Run } from "../run/model.ts";
import { bundleOf, bundleText, proofStatement } from "./bundle.ts";
import { verifyBundle, type Verification, type VerifyInput } from "./verify.ts";

const git = systemGit(process.env["PATH"] ?? "");
const LOG = Buffer.from('{"data":"the prompt","stream":"meta"}\n');
const newKey = () =>
  attesterFromPem(
    generateKeyPairSync("ec", { namedCurve: "prime256v1" })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString(),
  );
const key = newKey();
let repo = "";
let text = "";
let bundle: ReturnType<typeof bundleOf>;

beforeAll(() => {
  repo = mkdtempSync(join(tmpdir(), "rumi-proof-"));
  const env = { PATH: process.env["PATH"] ?? "", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  const plain = (...words: readonly string[]): string =>
    execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], {
      cwd: repo,
      encoding: "utf8",
      env,
    }).trim();
  const commit = (file: string, content: string): string => {
    writeFileSync(join(repo, file), content);
    plain("add", "--all");
    plain("commit", "--quiet", "-m", file);
    return plain("rev-parse", "HEAD");
  };
  plain("init", "--quiet");
  const base_sha = commit("a.txt", "a\n");
  const head_sha = commit("b.txt", "b\n");
  const run: Run = {
    run_id: 7,
    base_sha,
    head_sha,
    snapshot_sha: head_sha,
    worktree_dirty: false,
    prompt_hash: sha256Hex("the prompt"),
    scope_snapshot: { read: ["**"], write: ["b.txt"], exclude: [] },
    dod_snapshot: { required_checks: [] },
    exit_code: 0,
    command: ["true"],
    cancelled: false,
    enforce: "auto",
    enforcement: null,
    started_at: 1,
    finished_at: 2,
  } as unknown as Run;
  bundle = bundleOf({
    run,
    checks: [],
    violations: [],
    changed_files: ["b.txt"],
    diff_stat: { added: 1, removed: 0, files: 1 },
    log: { sha256: sha256Hex(LOG), bytes: LOG.length },
    revision: 1,
    previous_sha256: null,
    generated_at: 3,
  });
  text = bundleText(bundle);
});
afterAll(() => rmSync(repo, { recursive: true, force: true }));

const verified = (over: Partial<VerifyInput> = {}): Promise<Verification> => verifyBundle({ text, repo, git, ...over });
const stateOf = ({ facts }: Verification, fact: string): string | undefined =>
  facts.find((one) => one.fact === fact)?.state;
const changed = (over: JsonObject): string => `${canonicalJson({ ...(bundle as unknown as JsonObject), ...over })}\n`;
const signed = (payload: string, by = key) => ({
  attestation: { envelope: by.sign(payload), public_pem: key.public_pem },
});

describe("[P-7] a proof in a stranger's hands", () => {
  it("is valid as it was made: every member that git and the key can show is proven", async () => {
    const all = await verified({ log: LOG, ...signed(proofStatement(text, bundle, {})) });
    expect([all.verdict, all.facts.filter(({ state }) => state !== "proven" && state !== "claimed")]).toEqual([
      "valid",
      [],
    ]);
    for (const fact of [
      "signature",
      "log",
      "prompt_hash",
      "base_sha",
      "changed_files",
      "diff_stat",
      "scope_violations",
    ])
      expect([fact, stateOf(all, fact)]).toEqual([fact, "proven"]);
  });

  it.each<readonly [string, JsonObject, string]>([
    ["another file", { changed_files: ["a.txt"] }, "changed_files"],
    ["a file less", { changed_files: [] }, "changed_files"],
    ["another count", { diff_stat: { added: 2, removed: 0, files: 1 } }, "diff_stat"],
    [
      "a scope that would not allow it",
      { scope_snapshot: { read: [], write: ["other/**"], exclude: [] } },
      "scope_violations",
    ],
    ["a snapshot with more than its tip", { worktree_dirty: true }, "worktree_dirty"],
    [
      "a decision without its violation",
      {
        approval_history: [
          { violation_id: 1, path: "x", approved_status: "approved", decided_at: "t", decided_by: "u", reason: null },
        ],
      },
      "approval_history",
    ],
  ])("with %s it is invalid", async (_, over, fact) => {
    const answer = await verified({ text: changed(over) });
    expect([answer.verdict, stateOf(answer, fact)]).toEqual(["invalid", "wrong"]);
  });

  it("a commit that is not there makes it incomplete, and so does no repository", async () => {
    expect((await verified({ text: changed({ base_sha: "1".repeat(40) }) })).verdict).toBe("incomplete");
    expect((await verified({ repo: tmpdir() })).verdict).toBe("incomplete");
  });

  const forms: readonly (readonly [string, () => string])[] = [
    ["no JSON", () => "{"],
    ["nothing", () => ""],
    ["a list", () => "[]\n"],
    ["a member twice", () => text.replace('{"approval_history"', '{"version":"1.0","approval_history"')],
    ["spaces", () => text.replace(",", ", ")],
    ["no line feed", () => text.trimEnd()],
    ["another version", () => changed({ version: "2.0" })],
    ["a member more", () => changed({ verdict: "good" })],
    ["a list of nothing", () => changed({ changed_files: [null] })],
    ["a list that is none", () => changed({ scope_violations: { length: 1 } })],
    ["an entry that is none", () => changed({ approval_history: [1] })],
    ["patterns that are none", () => changed({ scope_snapshot: { read: 1, write: [], exclude: [] } })],
    ["checks that are none", () => changed({ dod_snapshot: {} })],
    ["a commit that is an option", () => changed({ base_sha: "--output=x" })],
    ["a run with a path", () => changed({ run_id: "../../heads/main" })],
    ["a prototype", () => text.replace("{", '{"__proto__":{},')],
  ];
  it.each(forms)("%s is no bundle, and nothing of it is looked at", async (_, made) => {
    const answer = await verified({ text: made() });
    expect([answer.verdict, answer.facts.map(({ fact }) => fact)]).toEqual(["invalid", ["form"]]);
  });

  const statement = (over: JsonObject): string =>
    canonicalJson({ ...(JSON.parse(proofStatement(text, bundle, {})) as JsonObject), ...over });
  it.each<readonly [string, () => Pick<VerifyInput, "attestation">]>([
    ["another key's", () => signed(statement({}), newKey())],
    ["no JSON's", () => signed("no JSON")],
    ["nothing's", () => signed("null")],
    ["a list's", () => signed("[]")],
    ["another kind of statement's", () => signed(statement({ predicateType: "https://slsa.dev/provenance/v1" }))],
    ["another version's", () => signed(statement({ _type: "https://in-toto.io/Statement/v0.1" }))],
    ["no subject's", () => signed(statement({ subject: [] }))],
    ["a subject that is none", () => signed(statement({ subject: { digest: null } }))],
    ["a digest that is none", () => signed(statement({ subject: [{ name: "x", digest: null }] }))],
    ["another bundle's", () => signed(statement({ subject: [{ name: "x", digest: { sha256: "0".repeat(64) } }] }))],
    ["an envelope's of nothing", () => ({ attestation: { envelope: null, public_pem: key.public_pem } })],
    ["a key's that is none", () => ({ attestation: { envelope: key.sign(statement({})), public_pem: "no key" } })],
  ])("a signature that is %s is wrong", async (_, made) => {
    const answer = await verified(made());
    expect([answer.verdict, stateOf(answer, "signature")]).toEqual(["invalid", "wrong"]);
  });

  it("another log is wrong, and so is another prompt in it", async () => {
    const other = await verified({ log: Buffer.from('{"data":"another","stream":"meta"}\n') });
    expect([stateOf(other, "log"), stateOf(other, "prompt_hash")]).toEqual(["wrong", "wrong"]);
    const none = await verified({ log: Buffer.from([0xff, 0]) });
    expect([none.verdict, stateOf(none, "log")]).toEqual(["invalid", "wrong"]);
  });
});
