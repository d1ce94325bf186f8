/** Archives sent to the built program: what is taken, what is refused and when, and what a cut or a kill leaves. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { request as httpRequest, type ClientRequest } from "node:http";
import { join } from "node:path";
import type { Zippable } from "fflate";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, zipped } from "../../platform/test/kit.ts";
import { eventually, startProgram, type Answer, type Program } from "./program.ts";
import { auditEvents, makePerson, ok, type Data } from "./rig.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

const LIMIT = 100_000_000;
const running: Program[] = [];
let room: ReturnType<typeof temporaryFolder>;
const start = async (options: Parameters<typeof startProgram>[0] = {}): Promise<Program> => {
  const program = await startProgram(options);
  running.push(program);
  return program;
};
beforeEach(() => {
  room = temporaryFolder();
});
afterEach(async () => {
  for (const program of running.splice(0)) await program.stop();
  room.remove();
});

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const archive = (changes: Data = {}, files: Zippable = {}): Uint8Array<ArrayBuffer> =>
  zipped({
    "my_pack/ecosystem.json": text(JSON.stringify(sampleManifest({ pack_id: "my_pack", strategies: [], ...changes }))),
    ...files,
  });
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const left = (program: Program, folder: string): readonly string[] => {
  const path = join(program.home, "user_data", folder);
  return existsSync(path) ? readdirSync(path) : [];
};
const nothingOf = (program: Program): void => {
  expect(left(program, "pack_uploads")).toEqual([]);
  expect(left(program, "pack_staging")).toEqual([]);
};

type Sent = { readonly query?: string; readonly token?: string; readonly key?: string };
const headersOf = (program: Program, { token = program.token, key }: Sent): Record<string, string> => ({
  authorization: `Bearer ${token}`,
  "content-type": "application/zip",
  ...(key === undefined ? {} : { "idempotency-key": key }),
});
async function send(program: Program, bytes: Uint8Array<ArrayBuffer>, sent: Sent = {}): Promise<Answer> {
  const response = await fetch(new URL(`/api/packs/upload${sent.query ?? ""}`, program.url), {
    method: "POST",
    headers: headersOf(program, sent),
    body: bytes,
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Answer["body"] };
}
/** Begins a request and leaves its body to whoever asks. */
function begin(
  program: Program,
  length: number | null,
  sent: Sent = {},
): { asked: ClientRequest; status: Promise<number> } {
  const asked = httpRequest(new URL("/api/packs/upload", program.url), {
    method: "POST",
    headers: { ...headersOf(program, sent), ...(length === null ? {} : { "content-length": String(length) }) },
  });
  const status = new Promise<number>((resolve) => {
    asked.on("response", (response) => {
      response.on("error", () => undefined).resume();
      resolve(response.statusCode ?? 0);
      if (length !== null) asked.destroy();
    });
    asked.on("error", () => resolve(0));
  });
  asked.flushHeaders();
  return { asked, status };
}

describe("over HTTP", () => {
  it("[R-5.2] [R-11.1] an archive is taken, named in the log, applied; its digest is compared; the same wish acts once", async () => {
    const program = await start();
    const bytes = archive();
    const wrong = await send(program, bytes, { query: `?sha256=${"0".repeat(64)}` });
    expect([wrong.status, wrong.body["error_code"]]).toEqual([422, "RUMI-PACK-042"]);
    expect(wrong.body).toMatchObject({ runbook: "docs/runbooks/packs.md", suggestion: expect.any(String) as string });
    nothingOf(program);

    const wish = { query: `?name=mine.zip&reason=from+the+maker&sha256=${sha256(bytes)}`, key: randomUUID() };
    const [first, second] = [await send(program, bytes, wish), await send(program, bytes, wish)];
    expect([first.status, first.body["duplicate_suppressed"]]).toEqual([200, undefined]);
    expect([second.status, second.body["duplicate_suppressed"]]).toEqual([200, true]);
    expect((second.body as Data)["data"]).toEqual((first.body as Data)["data"]);
    const another = await send(program, archive({ version: "9.0.0" }), wish);
    expect([another.status, another.body["error_code"]]).toEqual([422, "RUMI-CMD-002"]);
    expect(await ok(program, "GET", "/api/packs/staged")).toMatchObject({
      staged: [{ pack_id: "my_pack", origin: "upload:mine.zip" }],
      upload_limit_bytes: LIMIT,
    });
    const imported = (await auditEvents(program)).filter(({ action }) => action === "pack.imported");
    expect(imported).toEqual([
      expect.objectContaining({ details: expect.objectContaining({ source: "upload:mine.zip" }) as unknown }),
    ]);
    const { staging_id } = (first.body as Data)["data"] as Data;
    expect(await ok(program, "POST", "/api/packs/apply", { staging_id })).toMatchObject({ pack_id: "my_pack" });
    expect(left(program, "pack_uploads")).toEqual([]);
  });

  it("[R-11.1] one byte over the limit is refused before it is sent, and where no length was said; the limit itself is read", async () => {
    const program = await start();
    expect(await begin(program, LIMIT + 1).status).toBe(413);
    const chunked = begin(program, null);
    const piece = Buffer.alloc(1_000_000, 1);
    for (let sent = 0; sent < LIMIT; sent += piece.length)
      if (!chunked.asked.write(piece)) await new Promise((resolve) => chunked.asked.once("drain", resolve));
    chunked.asked.end(Buffer.alloc(1));
    expect(await chunked.status).toBe(413);
    nothingOf(program);
    const exact = await send(program, new Uint8Array(LIMIT));
    expect([exact.status, exact.body["error_code"]]).toEqual([400, "RUMI-PACK-010"]); // read whole, and no zip
    nothingOf(program);
  });

  it("[R-4.1] [R-11.1] an administrator's alone: who may not is answered before a byte was sent, and the log has it", async () => {
    const program = await start();
    const operator = await makePerson(program, "olga", ["operator"]);
    expect(await begin(program, 10, { token: operator.token }).status).toBe(403);
    expect(await begin(program, 10, { token: "no-token" }).status).toBe(401);
    const denied = (await auditEvents(program)).filter(
      ({ action, details }) => action.endsWith("denied") && (details as Data)["operation"] === "packs.upload",
    );
    expect(denied).toHaveLength(1);
    nothingOf(program);
  });

  it("[R-11.1] what means harm is refused as from a path, wherever the program is bound, and leaves nothing", async () => {
    const program = await start({ environment: { RUMI_API_BIND_ADDRESS: "0.0.0.0" } });
    const link: Zippable[string] = [text("/etc/passwd"), { os: 3, attrs: 0o120777 * 65_536 }];
    const cases: readonly (readonly [string, Uint8Array<ArrayBuffer>, string])[] = [
      ["a path out of the folder", archive({}, { "my_pack/../../../evil": text("x") }), "RUMI-PACK-009"],
      ["an absolute path", archive({}, { "/etc/cron.d/evil": text("x") }), "RUMI-PACK-009"],
      ["a link", archive({}, { "my_pack/link": link }), "RUMI-PACK-009"],
      ["a bomb that claims too much", claiming(archive({}, bomb), 600_000_000), "RUMI-PACK-008"],
      ["a bomb that claims too little", claiming(archive({}, bomb), 10), "RUMI-PACK-010"],
      ["one that is cut off", archive().slice(0, -30), "RUMI-PACK-010"],
      ["no archive", new Uint8Array(text("hello")), "RUMI-PACK-010"],
      ["nothing", new Uint8Array(0), "RUMI-PACK-010"],
      ["a manifest that is none", archive({ pack_id: "../up" }), "RUMI-PACK-002"],
    ];
    for (const [what, bytes, code] of cases) {
      const answer = await send(program, bytes, { query: "?name=evil.zip" });
      expect([what, answer.body["error_code"]]).toEqual([what, code]);
      nothingOf(program);
    }
    expect((await send(program, archive())).status).toBe(200); // no import root is asked for: it came by itself
  });

  it("[R-11.1] a connection that drops leaves nothing; two at once are two imports", async () => {
    const program = await start();
    const { asked } = begin(program, 1_000_000);
    asked.write(Buffer.alloc(500_000));
    await eventually(() => left(program, "pack_uploads").length === 1);
    asked.destroy();
    await eventually(() => left(program, "pack_uploads").length === 0);
    nothingOf(program);
    const both = await Promise.all(
      ["one", "two"].map((name) => send(program, archive({ pack_id: name, pack_identity: `local:${name}` }))),
    );
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(await ok(program, "GET", "/api/packs/staged")).toMatchObject({ count: 2 });
    expect(left(program, "pack_uploads")).toEqual([]);
  });

  it("[R-2.3] the command line sends a file; one that is not there is said before anything is asked", async () => {
    const program = await start();
    const path = join(room.path, "mine.zip");
    writeFileSync(path, archive());
    const args = ["packs", "upload", "--file", path, "--name", "mine.zip", "--reason", "from here"];
    expect(program.cli(...args)).toMatchObject({ code: 0, out: expect.stringMatching(/staging_id: stg-/) as string });
    expect(program.cli("packs", "upload", "--file", join(room.path, "nowhere.zip"))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/--file: ENOENT/) as string,
    });
  });
});

const bomb: Zippable = { "my_pack/bomb": [new Uint8Array(1_000_000), { level: 9 }] };
/** The archive, whose last entry now claims to unpack to so many bytes. */
function claiming(bytes: Uint8Array<ArrayBuffer>, claimed: number): Uint8Array<ArrayBuffer> {
  const made = Buffer.from(bytes);
  made.writeUInt32LE(claimed, made.lastIndexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 24);
  return new Uint8Array(made);
}

/** Ends the process by its own hand, as kill -9 does, when a staged tree is about to get its name. */
const KILLER = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const rename = fs.promises.rename;
fs.promises.rename = async (from, to) => {
  if (/pack_staging.*\\.new-/.test(String(from))) process.kill(process.pid, "SIGKILL");
  await rename(from, to);
};
syncBuiltinESMExports();
`;

describe("a program that is killed", () => {
  it("[R-11.1] amid an upload: the next start leaves nothing of it, and the same wish then acts once", async () => {
    const doomed = await start();
    const { home } = doomed;
    const key = randomUUID();
    const { asked } = begin(doomed, 1_000_000, { key });
    asked.write(Buffer.alloc(500_000));
    await eventually(() => left(doomed, "pack_uploads").length === 1);
    await doomed.kill();
    expect(left(doomed, "pack_uploads")).toEqual([expect.stringMatching(/\.part$/)]);
    const again = await start({ home });
    await eventually(() => left(again, "pack_uploads").length === 0);
    nothingOf(again);
    expect(await send(again, archive(), { key })).toMatchObject({ status: 200 });
    expect((await send(again, archive(), { key })).body["duplicate_suppressed"]).toBe(true);
  });

  it("[R-11.1] while it is put into staging: it never was, and the same wish sent again acts once", async () => {
    const hook = join(room.path, "killer.mjs");
    writeFileSync(hook, KILLER);
    const doomed = await start({ environment: { NODE_OPTIONS: `--import=${hook}` } });
    const key = randomUUID();
    await send(doomed, archive(), { key }).catch(() => undefined);
    await eventually(() => doomed.process.signalCode === "SIGKILL");
    expect(left(doomed, "pack_uploads")).toHaveLength(1);
    const again = await start({ home: doomed.home });
    await eventually(() => [...left(again, "pack_uploads"), ...left(again, "pack_staging")].length === 0);
    expect(await send(again, archive(), { key })).toMatchObject({ status: 200, body: { success: true } });
    expect((await auditEvents(again)).filter(({ action }) => action === "pack.imported")).toHaveLength(1);
  });
});
