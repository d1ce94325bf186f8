/**
 * From a run to a running bot and back (L-38), with the built program: every hash on the way is computed again by git,
 * sha256sum and openssl.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cliIn, eventually, startProgram, type Program } from "./program.ts";
import { addVenue, createBot, DEFAULT_PACK, ok, startBot, stopBot, writeRecording, type Data } from "./rig.ts";

vi.setConfig({ testTimeout: 120_000 });

/** Not in /tmp, which a box hides anyway. */
const home = mkdtempSync("/var/tmp/rumi-lineage-");
const work = temporaryFolder().path;
const repo = join(work, "repo");
let program: Program;

const tool = (cwd: string, command: string): string => execFileSync("bash", ["-c", command], { cwd, encoding: "utf8" });
const git = (...words: readonly string[]): string =>
  execFileSync("git", ["-c", "user.name=u", "-c", "user.email=u@example.org", ...words], {
    cwd: repo,
    encoding: "utf8",
  });
const sha256sum = (path: string): string =>
  execFileSync("sha256sum", ["--", path], { encoding: "utf8" }).slice(0, 64).replace(/^\\/, "");
const rumi = (line: string) => cliIn(work, home, line);
const bytesOf = async (path: string): Promise<Buffer> => {
  const answer = await fetch(new URL(path, program.url), { headers: { authorization: `Bearer ${program.token}` } });
  return Buffer.from(await answer.arrayBuffer());
};

beforeAll(async () => {
  mkdirSync(join(repo, "packs"), { recursive: true });
  cpSync(DEFAULT_PACK, join(repo, "packs/default"), { recursive: true });
  writeFileSync(join(repo, "README"), "read me\n");
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", repo]);
  git("add", ".");
  git("commit", "--quiet", "-m", "base");
  program = await startProgram({ home });
});
afterAll(async () => {
  await program?.stop();
  rmSync(home, { recursive: true, force: true });
});

const CHECK = { check_key: "there", label: "It is there", kind: "test", required: true };
const DOD = { required_checks: [{ ...CHECK, command: "test -f packs/default/ecosystem.json && echo fine" }] };
const begin = async (command: string, over: Data = {}): Promise<number> => {
  const wish = {
    repo,
    prompt: "Make the pack better.",
    scope: { write: ["packs/**", "links/**"] },
    dod: DOD,
    command: ["/bin/sh", "-c", command],
    ...over,
  };
  return Number((await ok(program, "POST", "/api/runs", wish))["run_id"]);
};
const shown = (run_id: number) => ok(program, "GET", `/api/runs/${run_id}`);
const settled = (run_id: number): Promise<Data> =>
  eventually(async () => {
    const run = await shown(run_id);
    return ["proved", "broken"].includes(String(run["phase"])) && run;
  });
const proven = async (command: string, over: Data = {}): Promise<number> => {
  const run_id = await begin(command, over);
  expect(await settled(run_id)).toMatchObject({ phase: "proved" });
  return run_id;
};
const build = (run_id: number, path = "packs/default") =>
  program.call("POST", `/api/runs/${run_id}/pack`, { path }, { "idempotency-key": crypto.randomUUID() });
const refusal = async (run_id: number, path?: string): Promise<readonly unknown[]> => {
  const { status, body } = await build(run_id, path);
  return [status, body["error_code"]];
};
/** As anybody reads an archive. */
function unpack(archive: string, name: string): string {
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  execFileSync("unzip", ["-q", archive, "-d", folder]);
  return join(folder, "default");
}
/** docs/formats/pack-digest.md by find, sha256sum and sort. */
const digestOf = (folder: string, without = ""): string =>
  tool(
    folder,
    `find . -type f ${without === "" ? "" : `! -path './${without}'`} -printf '%P\\n' | while read -r f; do m=100644; [ -x "$f" ] && m=100755; printf '%s %s %s\\n' $m $(sha256sum "$f" | cut -c1-64) "$f"; done | LC_ALL=C sort | sha256sum`,
  ).slice(0, 64);

describe("[L-38] from a running bot back to the run that made its pack", () => {
  it("run → bundle → pack → approval → a bot trades; and each hash of its lineage is git's, sha256sum's and openssl's own", async () => {
    const run_id = await proven(
      "chmod 755 packs/default/strategies/mean_reversion/mean_reversion.py; echo better > packs/default/NOTES.md; echo also >> README",
    );
    expect(await refusal(run_id)).toEqual([409, "RUMI-RUN-014"]);
    await ok(program, "POST", `/api/runs/${run_id}/violations/1/approve`, { reason: "it was meant" });
    await eventually(async () => ((await shown(run_id))["revisions"] as unknown[]).length === 2);
    writeFileSync(join(repo, "packs/default/NOTES.md"), "nobody's run wrote this\n");

    const built = rumi(`pack build --run ${run_id} --path packs/default --out made.rumipack --json`);
    expect([built.code, built.err]).toEqual([0, ""]);
    const made = JSON.parse(built.out) as { readonly digest: string; readonly pack_id: string };
    rmSync(join(repo, "packs/default/NOTES.md"));
    const again = rumi(`packs build --run ${run_id} --path packs/default/ --out again.rumipack`);
    expect([again.code, sha256sum(join(work, "again.rumipack"))]).toEqual([0, sha256sum(join(work, "made.rumipack"))]);

    const { staging_id, provenance } = await ok(program, "POST", "/api/packs/import", {
      path: join(work, "made.rumipack"),
    });
    expect(provenance).toMatchObject({ run: { run_id }, proof: { revision: 2 } });
    await ok(program, "POST", "/api/packs/apply", { staging_id });
    const approved = await eventually(async () => {
      const answer = await program.call("POST", "/api/packs/default/approve");
      const { data } = answer.body as { readonly data?: Data };
      return answer.status === 200 && data;
    });
    expect(approved["approved_digest"]).toBe(made.digest);
    await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
    await addVenue(program, { path: writeRecording(home, 2_000), factor: "max" });
    await createBot(program, "traced", "ema_cross", made.digest);
    await startBot(program, "traced");

    const told = rumi("bots lineage traced --json");
    expect(told.code).toBe(0);
    const overHttp = await ok(program, "GET", "/api/bots/traced/lineage");
    const lineage = (JSON.parse(told.out) as { readonly data?: Data }).data ?? (JSON.parse(told.out) as Data);
    expect(lineage["packs"]).toEqual(overHttp["packs"]);
    const [pack] = lineage["packs"] as readonly (Data & { readonly provenance: Record<string, Data> })[];
    if (pack === undefined) throw new Error("no pack");
    const { run, proof } = pack.provenance as unknown as Record<string, Readonly<Record<string, string>>>;
    expect((lineage["runs"] as readonly Data[])[0]).toMatchObject({ mode: "paper", pack_digest: made.digest });
    expect(pack).toMatchObject({ digest: made.digest, approved_by: "user:root", current: true });
    expect(pack.provenance).toMatchObject({
      run_id,
      intact: true,
      checks: [{ check_key: "there", status: "passed", exit_code: 0 }],
      decisions: [{ path: "README", approved_status: "approved", decided_by: "user:root", reason: "it was meant" }],
      built: { built_by: "user:root" },
    });

    // git
    expect([run?.["base_sha"], run?.["head_sha"]]).toEqual(
      [git("rev-parse", "main"), git("rev-parse", `rumi/run-${run_id}`)].map((one) => one.trim()),
    );
    expect(run?.["snapshot_sha"]).toBe(git("rev-parse", `refs/rumi/runs/${run_id}`).trim());
    expect(run?.["tree_sha"]).toBe(git("rev-parse", `refs/rumi/runs/${run_id}:packs/default`).trim());
    const folder = unpack(join(work, "made.rumipack"), "unpacked");
    const listed = git("ls-tree", "-r", String(run?.["tree_sha"])).trim().split("\n").toSorted();
    const hashed = tool(
      folder,
      'find . -type f ! -name provenance.dsse.json -printf \'%P\\n\' | while read -r f; do m=100644; [ -x "$f" ] && m=100755; printf \'%s blob %s\\t%s\\n\' $m $(git hash-object --no-filters "$f") "$f"; done',
    );
    expect(hashed.trim().split("\n").toSorted()).toEqual(listed);
    expect(readFileSync(join(folder, "NOTES.md"), "utf8")).toBe("better\n");

    // sha256sum
    const put = async (name: string, path: string): Promise<string> => {
      writeFileSync(join(work, name), await bytesOf(path));
      return sha256sum(join(work, name));
    };
    expect(`sha256:${digestOf(folder)}`).toBe(made.digest);
    expect(`sha256:${digestOf(folder, "provenance.dsse.json")}`).toBe(
      (pack.provenance["built"] as unknown as Data)["content_digest"],
    );
    expect(sha256sum(join(folder, "provenance.dsse.json"))).toBe(pack.provenance["provenance_sha256"]);
    expect(await put("proof.json", `/api/runs/${run_id}/proof`)).toBe(proof?.["bundle_sha256"]);
    expect(await put("proof.dsse.json", `/api/runs/${run_id}/proof/attestation`)).toBe(proof?.["attestation_sha256"]);
    const bundle = JSON.parse(readFileSync(join(work, "proof.json"), "utf8")) as Data;
    expect(bundle["snapshot_sha"]).toBe(run?.["snapshot_sha"]);
    expect(bundle["prompt_hash"]).toBe(run?.["prompt_hash"]);
    expect(await put("log.jsonl", `/api/runs/${run_id}/log`)).toBe(bundle["log_sha256"]);

    // openssl
    writeFileSync(join(work, "key.pem"), String((await ok(program, "GET", "/api/attestations/key"))["public_key"]));
    for (const name of ["unpacked/default/provenance.dsse.json", "proof.dsse.json"])
      expect(opensslOf(join(work, name))).toContain("Verified OK");
    expect(
      rumi(`proof verify proof.json --repo ${repo} --log log.jsonl --attestation proof.dsse.json --key key.pem`).code,
    ).toBe(0);

    // The log pins what the store keeps.
    const events = async (action: string) =>
      ((await ok(program, "GET", `/api/audit/events?action=${action}&limit=10`))["events"] as readonly Data[]).map(
        ({ details }) => details,
      );
    expect(await events("pack.approved")).toMatchObject([
      { digest: made.digest, provenance_sha256: pack.provenance["provenance_sha256"], code_run_id: run_id },
    ]);
    expect(await events("run.pack_built")).toMatchObject([{ digest: made.digest }, { digest: made.digest }]);
    await stopBot(program, "traced");
    const kept = join(home, "user_data/packs", made.digest.slice(7), "provenance.dsse.json");
    chmodSync(kept, 0o644);
    writeFileSync(kept, readFileSync(kept, "utf8").replace('"sig":"', '"sig":"A'));
    const after = (await ok(program, "GET", "/api/bots/traced/lineage"))["packs"] as readonly {
      readonly provenance: Data;
    }[];
    expect(after[0]?.provenance).toMatchObject({
      intact: false,
      run: null,
      provenance_sha256: pack.provenance["provenance_sha256"],
    });
  });
});

function opensslOf(file: string): string {
  const envelope = JSON.parse(readFileSync(file, "utf8")) as {
    readonly payload: string;
    readonly payloadType: string;
    readonly signatures: readonly { readonly sig: string }[];
  };
  const payload = Buffer.from(envelope.payload, "base64");
  const head = `DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `;
  writeFileSync(join(work, "pae"), Buffer.concat([Buffer.from(head), payload]));
  writeFileSync(join(work, "sig"), Buffer.from(envelope.signatures[0]?.sig ?? "", "base64"));
  const words = ["dgst", "-sha256", "-verify", "key.pem", "-signature", "sig", "pae"];
  return spawnSync("openssl", words, { cwd: work, encoding: "utf8" }).stdout;
}

describe("[L-38] a pack is made of a run", () => {
  it("only once it has ended, its checks passed, and nothing outside its scope is open or rejected", async () => {
    const going = await begin("sleep 30", { scope: { write: ["going/**"] } });
    expect(await refusal(going)).toEqual([409, "RUMI-RUN-013"]);
    await ok(program, "POST", `/api/runs/${going}/stop`, {});
    await settled(going);
    const failing = { required_checks: [{ ...CHECK, command: "exit 1" }] };
    expect(await refusal(await proven("true", { dod: failing }))).toEqual([409, "RUMI-RUN-015"]);
    expect(await refusal(await proven("true", { dod: { required_checks: [] } }))).toEqual([409, "RUMI-RUN-015"]);
    const outside = await proven("echo x >> README");
    await ok(program, "POST", `/api/runs/${outside}/violations/1/reject`, { reason: "nobody asked for it" });
    await eventually(async () => ((await shown(outside))["revisions"] as unknown[]).length === 2);
    expect(await refusal(outside)).toEqual([409, "RUMI-RUN-014"]);
    expect(await refusal(99_999)).toEqual([404, "RUMI-RUN-001"]);
    expect((await program.call("GET", `/api/runs/${outside}/pack`)).body["error_code"]).toBe("RUMI-RUN-019");
    expect(rumi(`pack build --run ${outside} --path packs/default`).code).toBe(1);
  });

  it("only of plain files of a folder that the run left, with a manifest", async () => {
    symlinkSync("../packs/default", join(repo, "link"));
    git("add", "link");
    git("commit", "--quiet", "-m", "a link");
    const run_id = await proven(
      "mkdir -p links/inner packs/none packs/twice; cp -r packs/default/. links/inner; ln -s /etc/passwd links/inner/p; echo x > packs/none/x; cp packs/default/ecosystem.json packs/twice; echo {} > packs/twice/provenance.dsse.json",
    );
    const refused: Readonly<Record<string, readonly unknown[]>> = {
      "../repo/packs/default": [422, "RUMI-RUN-018"],
      "/etc": [422, "RUMI-RUN-018"],
      "packs//default": [422, "RUMI-RUN-018"],
      "no/such": [422, "RUMI-RUN-018"],
      link: [422, "RUMI-RUN-018"],
      "link/strategies": [422, "RUMI-RUN-018"],
      README: [422, "RUMI-RUN-018"],
      "links/inner": [400, "RUMI-PACK-009"],
      "packs/none": [400, "RUMI-PACK-002"],
      "packs/twice": [422, "RUMI-PACK-020"],
    };
    const found: Record<string, readonly unknown[]> = {};
    for (const path of Object.keys(refused)) found[path] = await refusal(run_id, path);
    expect(found).toEqual(refused);
    expect((await build(run_id)).status).toBe(201);
  });

  it("only while its bundle, its ref and every object of its tree are as they were", async () => {
    const run_id = await proven("echo seven > packs/default/SEVEN.md");
    const bundle = join(home, "user_data/code_runs", String((await shown(run_id))["proof_bundle_ref"]));
    const text = readFileSync(bundle, "utf8");
    writeFileSync(bundle, text.replace('"exit_code":0', '"exit_code":1'));
    expect(await refusal(run_id)).toEqual([409, "RUMI-RUN-016"]);
    writeFileSync(bundle, text);
    const log = join(home, `user_data/code_runs/${run_id}/log.jsonl`);
    const said = readFileSync(log);
    writeFileSync(log, `${said.toString()}{}\n`);
    expect(await refusal(run_id)).toEqual([409, "RUMI-RUN-016"]);
    writeFileSync(log, said);
    const ref = `refs/rumi/runs/${run_id}`;
    const snapshot = git("rev-parse", ref).trim();
    git("update-ref", ref, "main");
    expect(await refusal(run_id)).toEqual([409, "RUMI-RUN-017"]);
    git("update-ref", "-d", ref);
    expect(await refusal(run_id)).toEqual([409, "RUMI-RUN-017"]);
    git("update-ref", ref, snapshot);
    // Other bytes under an object's name: git itself reads them without a word.
    const blob = git("rev-parse", `${ref}:packs/default/SEVEN.md`).trim();
    const object = join(repo, ".git/objects", blob.slice(0, 2), blob.slice(2));
    const right = readFileSync(object);
    writeFileSync(join(work, "evil"), "evil!\n");
    const other = git("hash-object", "-w", join(work, "evil")).trim();
    chmodSync(object, 0o644);
    writeFileSync(object, readFileSync(join(repo, ".git/objects", other.slice(0, 2), other.slice(2))));
    expect(git("cat-file", "blob", blob)).toBe("evil!\n");
    expect(await refusal(run_id)).toEqual([409, "RUMI-RUN-017"]);
    writeFileSync(object, right);
    expect((await build(run_id)).status).toBe(201);
  });
});

describe("[L-38] a provenance that is not true", () => {
  it("is refused by import and by approval, and leaves nothing; without the file the pack is one without a story", async () => {
    const run_id = await proven("echo again > packs/default/AGAIN.md");
    expect(rumi(`pack build --run ${run_id} --path packs/default --out true.rumipack`).code).toBe(0);
    const folder = unpack(join(work, "true.rumipack"), "changed");
    const importIt = async (): Promise<unknown> =>
      (await program.call("POST", "/api/packs/import", { path: folder })).body["error_code"] ?? "taken";
    const file = join(folder, "provenance.dsse.json");
    const right = readFileSync(file, "utf8");
    writeFileSync(join(folder, "AGAIN.md"), "and more\n");
    expect(await importIt()).toBe("RUMI-PACK-020");
    writeFileSync(join(folder, "AGAIN.md"), "again\n");
    const { payload, ...rest } = JSON.parse(right) as { readonly payload: string };
    const lied = Buffer.from(payload, "base64").toString().replace('"user:root"', '"user:boss"');
    writeFileSync(file, JSON.stringify({ ...rest, payload: Buffer.from(lied).toString("base64") }));
    expect(await importIt()).toBe("RUMI-PACK-020");
    writeFileSync(file, right.replace(/"keyid":"../, '"keyid":"00'));
    expect(await importIt()).toBe("RUMI-PACK-021");
    writeFileSync(file, right);
    expect(await importIt()).toBe("taken");
    const place = join(home, "ecosystem/default");
    rmSync(place, { recursive: true, force: true });
    cpSync(folder, place, { recursive: true });
    writeFileSync(join(place, "AGAIN.md"), "put there by hand\n");
    await ok(program, "POST", "/api/packs/scan", {});
    const approve = async () => (await program.call("POST", "/api/packs/default/approve")).body;
    expect((await approve())["error_code"]).toBe("RUMI-PACK-020");
    rmSync(join(place, "provenance.dsse.json"));
    await ok(program, "POST", "/api/packs/scan", {});
    expect((await approve())["data"]).toMatchObject({ state: "approved", provenance: null });
  });
});
