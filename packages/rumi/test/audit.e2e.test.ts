/** The log of a real home, altered in every way that a copy can be: found, by kind and place; and read by strangers. */
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { located, requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cli, cliBeside, eventually, ROOT, startProgram, type Program } from "./program.ts";
import { auditEvents, DEFAULT_PACK, installPack, ok, type LoggedEvent } from "./rig.ts";

const SLOW_MS = 360_000;
/** Enough for one full tile and bundle of 256 and a partial one. */
const EVENTS = 300;
const folder = temporaryFolder();
const home = join(folder.path, "home");
const earlier = join(folder.path, "earlier-checkpoint");
/** An earlier, consistent state of the whole home. */
const old = join(folder.path, "old");
let events: readonly LoggedEvent[];

type Finding = { readonly part: string; readonly kind: string; readonly index: number | null };
type Report = { readonly verified: boolean; readonly remembered_head: boolean; readonly findings: readonly Finding[] };

let copies = 0;
function copyOf(from: string): string {
  copies += 1;
  const path = join(folder.path, `copy-${copies}`);
  cpSync(from, path, { recursive: true });
  return path;
}
function verify(
  path: string,
  args: readonly string[] = ["--no-remember"],
  environment: Record<string, string> = {},
): { readonly code: number; readonly report: Report; readonly text: string } {
  const { code, out, err } = cli(home, ["audit", "verify", path, "--json", ...args], environment);
  if (!out.startsWith("{")) throw new Error(`no report: ${out}${err}`);
  return { code, report: JSON.parse(out) as Report, text: out };
}
const kinds = ({ report }: { readonly report: Report }): string[] =>
  report.findings.map(({ part, kind, index }) => `${part} ${kind} ${String(index)}`);

/** Edits the copy's database as somebody with the file in hand would. */
function sql(path: string, ...statements: string[]): void {
  const database = new DatabaseSync(join(path, "user_data/store/rumi.sqlite"));
  for (const statement of statements) database.exec(statement);
  database.close();
}
async function grow(program: Program, until: number): Promise<void> {
  for (let at = 0; (await auditEvents(program)).length < until; at += 1) {
    await Promise.all(
      Array.from({ length: 16 }, () =>
        ok(program, "POST", "/api/safety/set", {
          command_id: crypto.randomUUID(),
          mode: "SAFE",
          reason: `drill ${at}`,
        }),
      ),
    );
  }
}
/** The views follow the log; a copy is only taken when they have. */
const untilViewsFollow = (at: string, size: number): Promise<true> =>
  eventually(() => {
    const note = join(at, "user_data/tlog/checkpoint");
    return existsSync(note) && Number(readFileSync(note, "utf8").split("\n")[1]) >= size;
  });

describe("audit", () => {
  beforeAll(async () => {
    const program = await startProgram({ home });
    await installPack(program, DEFAULT_PACK);
    await grow(program, 20);
    await untilViewsFollow(home, (await auditEvents(program)).length);
    writeFileSync(earlier, readFileSync(join(home, "user_data/tlog/checkpoint")));
    await program.stop();
    cpSync(home, old, { recursive: true });
    const again = await startProgram({ home });
    await grow(again, EVENTS);
    await again.stop();
    const reader = await startProgram({ home });
    events = await auditEvents(reader);
    await reader.stop();
  }, SLOW_MS);
  afterAll(() => folder.remove());

  it(
    "[L-26] an untouched copy is verified, also against an earlier checkpoint",
    () => {
      const { code, report } = verify(copyOf(home), ["--no-remember", "--against", earlier]);
      expect(report.findings).toEqual([]);
      expect(code).toBe(0);
    },
    SLOW_MS,
  );

  const tampered: readonly (readonly [string, (path: string) => void, string])[] = [
    [
      "an edited payload",
      (path) => sql(path, `UPDATE log_payload SET payload = replace(payload, 'drill', 'krill') WHERE idx = 40`),
      "store commitment_mismatch 40",
    ],
    [
      "an edited leaf",
      (path) =>
        sql(
          path,
          "UPDATE log_entry SET leaf = CAST(replace(CAST(leaf AS TEXT), 'user:', 'uxer:') AS BLOB) WHERE idx = 40",
        ),
      "store edited 40",
    ],
    [
      "an edited column beside the leaf",
      (path) => sql(path, "UPDATE log_entry SET actor = 'user:somebody' WHERE idx = 40"),
      "store index_mismatch 40",
    ],
    [
      "a deleted row",
      (path) => sql(path, "DELETE FROM log_entry WHERE idx = 40", "DELETE FROM log_payload WHERE idx = 40"),
      "store removed 40",
    ],
    [
      "two rows that changed places",
      (path) =>
        sql(
          path,
          "UPDATE log_entry SET idx = -1 WHERE idx = 40",
          "UPDATE log_entry SET idx = 40 WHERE idx = 41",
          "UPDATE log_entry SET idx = 41 WHERE idx = -1",
          "UPDATE log_payload SET idx = -1 WHERE idx = 40",
          "UPDATE log_payload SET idx = 40 WHERE idx = 41",
          "UPDATE log_payload SET idx = 41 WHERE idx = -1",
        ),
      "store reordered 40",
    ],
    [
      "rows cut off at the end",
      (path) => sql(path, "DELETE FROM log_entry WHERE idx >= 250", "DELETE FROM log_payload WHERE idx >= 250"),
      "store truncated 250",
    ],
    [
      "a payload deleted with its salt but without a logged erasure",
      (path) => sql(path, "DELETE FROM log_payload WHERE idx = 40"),
      "store payload_missing 40",
    ],
  ];
  it.each(tampered)(
    "[L-26] %s in the store is found",
    (_name, tamper, wanted) => {
      const path = copyOf(home);
      tamper(path);
      const found = verify(path);
      expect(kinds(found).join("\n")).toContain(wanted);
      expect(found.code).toBe(1);
    },
    SLOW_MS,
  );

  it(
    "[L-26] a flipped bit in any file of the log is found",
    () => {
      const files = readdirSync(join(home, "user_data/tlog"), { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile() && file.name !== "log.vkey")
        .map((file) => join(file.parentPath, file.name).slice(home.length + 1));
      expect(files.length).toBeGreaterThanOrEqual(5);
      for (const file of files) {
        const path = copyOf(home);
        const bytes = readFileSync(join(path, file));
        const at = bytes.length >> 1;
        bytes[at] = (bytes[at] ?? 0) ^ 4;
        writeFileSync(join(path, file), bytes);
        const found = verify(path);
        expect(
          found.report.findings.map(({ part }) => part),
          file,
        ).toContain("tile_files");
        expect(found.code).toBe(1);
        rmSync(path, { recursive: true });
      }
    },
    SLOW_MS,
  );

  it(
    "[R-17.1] an edited, removed, doubled or moved line of the JSONL views is found",
    () => {
      const changes: readonly ((lines: string[]) => string[])[] = [
        (lines) => lines.with(5, (lines[5] ?? "").replace("SUCCESS", "FAILURE")),
        (lines) => lines.toSpliced(5, 1),
        (lines) => lines.toSpliced(5, 0, lines[5] ?? ""),
        (lines) => lines.with(5, lines[6] ?? "").with(6, lines[5] ?? ""),
        // Of an entry that is yet to come: looking again does not bring it.
        (lines) => [...lines, (lines.at(-1) ?? "").replace(/"log_index":\d+/, '"log_index":999999')],
      ];
      const [file = ""] = readdirSync(join(home, "user_data/audit")).filter((name) => name.startsWith("system"));
      for (const change of changes) {
        const path = copyOf(home);
        const view = join(path, "user_data/audit", file);
        writeFileSync(view, `${change(readFileSync(view, "utf8").trimEnd().split("\n")).join("\n")}\n`);
        const found = verify(path);
        expect(found.report.findings.length, change.toString()).toBeGreaterThan(0);
        expect(found.code).toBe(1);
        rmSync(path, { recursive: true });
      }
    },
    SLOW_MS,
  );

  it(
    "the files of the log are written anew from the store when they were altered, and never while the program runs",
    async () => {
      const path = copyOf(home);
      rmSync(join(path, "user_data/tlog/tile/entries"), { recursive: true });
      expect(verify(path).code).toBe(1);
      const rebuilt = cli(path, ["audit", "rebuild"]);
      expect([rebuilt.code, rebuilt.err]).toEqual([0, ""]);
      expect(verify(path).report.findings).toEqual([]);
      const program = await startProgram({ home: path });
      expect(program.cli("audit", "rebuild").err).toContain("RUMI-SYS-005");
      await program.stop();
    },
    SLOW_MS,
  );

  it(
    "[L-26] an earlier state of the whole home looks whole, and is found by a later checkpoint",
    () => {
      const later = join(folder.path, "later");
      writeFileSync(later, readFileSync(join(home, "user_data/tlog/checkpoint")));
      const path = copyOf(old);
      expect(verify(path).report.findings).toEqual([]);
      const found = verify(path, ["--no-remember", "--against", later]);
      expect(found.code).toBe(1);
      expect(kinds(found).join("\n")).toContain("truncated");
    },
    SLOW_MS,
  );

  it(
    "[L-26] … and by what the command line remembers outside the home",
    () => {
      const state = { XDG_STATE_HOME: join(folder.path, "state") };
      expect(verify(home, [], state)).toMatchObject({ code: 0, report: { remembered_head: false } });
      expect(verify(home, [], state)).toMatchObject({ code: 0, report: { remembered_head: true } });
      const found = verify(copyOf(old), [], state);
      expect(found.code).toBe(1);
      expect(kinds(found).join("\n")).toContain("truncated");
      expect(verify(home, [], state).code).toBe(0);
    },
    SLOW_MS,
  );

  it(
    "[L-26] a log of another key is not verified with this one's, and rubbish for a path, key or checkpoint is refused by name",
    () => {
      const other = cli(home, ["audit", "verify", home, "--no-remember", "--key", "rumi.local/dev/x+00000000+AAAA"]);
      expect(other.code).toBe(1);
      expect(other.out + other.err).toMatch(/RUMI-LOG-\d{3}|signature/);
      for (const path of [join(folder.path, "nowhere"), earlier]) {
        const refused = cli(home, ["audit", "verify", path, "--no-remember"]);
        expect([refused.code, /RUMI-[A-Z]+-\d{3}/.test(refused.err)], refused.out + refused.err).toEqual([1, true]);
      }
      const rubbish = cli(home, [
        "audit",
        "verify",
        home,
        "--no-remember",
        "--against",
        join(home, "user_data/settings/home.json"),
      ]);
      expect(
        [rubbish.code, /RUMI-[A-Z]+-\d{3}|checkpoint/.test(rubbish.out + rubbish.err)],
        rubbish.out + rubbish.err,
      ).toEqual([1, true]);
    },
    SLOW_MS,
  );

  it("[R-17.1] every line of the views is one JSON object with the guide's fields, in the log's order, complete", () => {
    const lines = readdirSync(join(home, "user_data/audit"))
      .filter((name) => name.endsWith(".jsonl"))
      .toSorted()
      .flatMap((name) => {
        const category = /^([a-z_]+)_\d{4}-\d\d-\d\d\.jsonl$/.exec(name)?.[1];
        return readFileSync(join(home, "user_data/audit", name), "utf8")
          .trimEnd()
          .split("\n")
          .map((line) => {
            const entry = JSON.parse(line) as Record<string, unknown>;
            expect(Object.keys(entry)).toEqual(
              expect.arrayContaining([
                "ts",
                "category",
                "severity",
                "action",
                "success",
                "details",
                "error",
                "owner_pack",
              ]),
            );
            expect(entry["category"]).toBe(category);
            return entry;
          });
      });
    const seen = new Map(lines.map((line) => [line["event_id"], line["log_index"]]));
    for (const { event_id, log_index } of events) expect(seen.get(event_id)).toBe(log_index);
    expect(seen.size).toBe(lines.length);
  });

  it(
    "[L-26] [R-17.1] after kill -9 the files catch up with what was acknowledged",
    async () => {
      const copy = copyOf(home);
      const program = await startProgram({ home: copy });
      await grow(program, EVENTS + 20);
      const before = await auditEvents(program);
      await program.kill();
      rmSync(join(copy, "user_data/tlog"), { recursive: true }); // as if the last writes of all the files never reached the disk …
      cpSync(join(home, "user_data/tlog"), join(copy, "user_data/tlog"), { recursive: true });
      const [view = ""] = readdirSync(join(copy, "user_data/audit")).filter((name) => name.startsWith("system"));
      appendFileSync(join(copy, "user_data/audit", view), '{"ts":"2026-01-05T09:00:00.000000Z","cat'); // … and a line only in part
      const again = await startProgram({ home: copy });
      const after = new Map((await auditEvents(again)).map(({ event_id, log_index }) => [event_id, log_index]));
      for (const { event_id, log_index } of before) expect(after.get(event_id)).toBe(log_index);
      await untilViewsFollow(copy, after.size);
      await again.stop();
      const { code, report } = verify(copy, ["--no-remember", "--against", earlier]);
      expect(report.findings).toEqual([]);
      expect(code).toBe(0);
    },
    SLOW_MS,
  );

  it(
    "[L-26] a home whose program is writing as fast as it can is verified each time, as of the head of that moment",
    async () => {
      const copy = copyOf(home);
      const program = await startProgram({ home: copy });
      let isDone = false;
      const busy = Promise.all(
        Array.from({ length: 16 }, async (_, at) => {
          while (!isDone)
            await ok(program, "POST", "/api/safety/set", {
              command_id: crypto.randomUUID(),
              mode: "SAFE",
              reason: `busy ${at}`,
            });
        }),
      );
      const seen: number[] = [];
      try {
        while (seen.length < 12) {
          const { code, out } = await cliBeside(copy, ["audit", "verify", copy, "--json", "--no-remember"]);
          const report = JSON.parse(out) as Report & { readonly parts: readonly { readonly size: number }[] };
          expect(report.findings, `look ${seen.length}`).toEqual([]);
          expect(code).toBe(0);
          seen.push(report.parts.at(-1)?.size ?? 0);
        }
      } finally {
        isDone = true;
        await busy;
        await program.stop();
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b));
      expect(seen.at(-1)).toBeGreaterThan(seen[0] ?? Number.POSITIVE_INFINITY);
    },
    SLOW_MS,
  );

  it.runIf(requires("go"))(
    "[L-26] what /tlog serves is verified by a checker that was not written here",
    async () => {
      const copy = copyOf(home);
      const program = await startProgram({ home: copy });
      const served = join(folder.path, "served");
      const get = async (path: string): Promise<Buffer> => {
        const answer = await fetch(new URL(`/tlog/${path}`, program.url)); // no token: the log is for strangers
        expect(answer.status, path).toBe(200);
        const bytes = Buffer.from(await answer.arrayBuffer());
        mkdirSync(join(served, path, ".."), { recursive: true });
        writeFileSync(join(served, path), bytes);
        return bytes;
      };
      const size = Number((await get("checkpoint")).toString().split("\n")[1]);
      const key = (await get("log.vkey")).toString().trim();
      const [full, rest] = [Math.floor(size / 256), size % 256];
      for (const level of ["0", "entries"]) {
        for (let tile = 0; tile < full; tile += 1) await get(`tile/${level}/${String(tile).padStart(3, "0")}`);
        if (rest > 0) await get(`tile/${level}/${String(full).padStart(3, "0")}.p/${rest}`);
      }
      if (full > 0) await get(`tile/1/000.p/${full}`);
      expect((await fetch(new URL("/tlog/tile/0/999", program.url))).status).toBe(404);
      for (const way of [
        "/tlog/../settings/.ledger_key",
        "/tlog/%2e%2e/settings/.ledger_key",
        "/tlog/tile/..%2f..%2fsettings%2f.ledger_key",
      ]) {
        expect([401, 404], way).toContain((await fetch(new URL(way, program.url))).status);
      }
      await program.stop();
      const go = located("go") ?? "go";
      const checked = spawnSync(go, ["run", "-mod=readonly", ".", served, key], {
        cwd: join(ROOT, "packages/ledger/foreign"),
        encoding: "utf8",
        env: { ...process.env, GOTOOLCHAIN: "local", GOFLAGS: "-buildvcs=false" },
      });
      expect(checked.status, checked.stderr).toBe(0);
      expect(checked.stdout).toContain(String(size));
      expect(existsSync(served)).toBe(true);
    },
    SLOW_MS,
  );
});
