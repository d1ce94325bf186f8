/** Everything that a careless or hostile caller can send: refused by name, before anything happened, and the program goes on. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cli, eventually, startProgram, type Answer, type Program } from "./program.ts";
import {
  addVenue,
  auditEvents,
  bot,
  botRequest,
  createBot,
  DEFAULT_PACK,
  installPack,
  instance,
  move,
  ok,
  startBot,
  stopBot,
  transition,
  untilState,
  writeRecording,
  type Data,
} from "./rig.ts";

const SLOW_MS = 360_000;
const folder = temporaryFolder();
let program: Program;
let digest: string;

const code = (answer: Answer): unknown => (answer.body as Data)["error_code"];
/** A refusal has a code, says why, and says what to do. */
function expectRefusal(answer: Answer, status: number, error_code: RegExp): void {
  const text = JSON.stringify(answer.body);
  expect(answer.status, text).toBe(status);
  expect(code(answer), text).toMatch(error_code);
  const { error, suggestion } = answer.body as Data;
  for (const words of [error, suggestion]) expect(typeof words === "string" && words.length > 5, text).toBe(true);
  expect(text).not.toMatch(/node_modules|\.ts:\d|at Object\.|SQLITE/);
}
const venue = (files: readonly Data[], more: Data = {}): Data => ({
  command_id: crypto.randomUUID(),
  venue_id: "BAD",
  kind: "recording",
  reason: "x",
  files,
  pace: { kind: "max" },
  ...more,
});
const recording = (path: string): Data => ({ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT });
const safety = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), mode: "SAFE", reason: "x", ...more });
/** A request as bytes on the wire, without what fetch would mend. */
async function raw(
  method: string,
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(new URL(path, program.url), {
    method,
    headers: { authorization: `Bearer ${program.token}`, "content-type": "application/json", ...headers },
    body,
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: (text.startsWith("{") ? JSON.parse(text) : { text }) as Answer["body"],
  };
}

describe("bad input", () => {
  beforeAll(async () => {
    program = await startProgram();
    digest = await installPack(program);
    await addVenue(program, { path: writeRecording(program.home, 6_000), factor: 60 });
    await createBot(program, "neighbour", "ema_cross", digest);
    await startBot(program, "neighbour");
  }, SLOW_MS);
  afterAll(async () => {
    // The neighbour ran through all of it.
    expect((await bot(program, "neighbour")).state).toBe("RUNNING_PAPER");
    expect((await program.call("GET", "/health")).body).toMatchObject({ status: "UP" });
    expect(await program.stop()).toBe(0);
    folder.remove();
  }, SLOW_MS);

  it(
    "a wrong token is refused before anything else is looked at: rubbish, size, type, route and form do not matter",
    async () => {
      for (const [path, body, type] of [
        ["/api/safety/set", "{{{{", "application/json"],
        ["/api/safety/set", "x".repeat(2_000_000), "application/json"],
        ["/api/safety/set", "mode=SAFE", "application/x-www-form-urlencoded"],
        ["/api/nothing/here", "{}", "application/json"],
        ["/api/bots", JSON.stringify({ bot_id: 1 }), "text/plain"],
      ] as const) {
        for (const authorization of [
          "Bearer wrong",
          "",
          `Basic ${Buffer.from("a:b").toString("base64")}`,
          `Bearer ${program.token}x`,
          `Bearer ${"x".repeat(4_000)}`,
        ]) {
          const answer = await raw("POST", path, body, { authorization, "content-type": type });
          // After many wrong ones its address has to wait; not even then is anything else looked at.
          expect(["401 RUMI-AUTH-001", "429 RUMI-AUTH-004"], `${path} ${authorization.slice(0, 20)}`).toContain(
            `${answer.status} ${String(code(answer))}`,
          );
        }
      }
    },
    SLOW_MS,
  );

  it(
    "bodies: empty, not JSON, not an object, not UTF-8, doubled keys, too deep, 2 MB, another type",
    async () => {
      expectRefusal(await raw("POST", "/api/safety/set", ""), 400, /^RUMI-VAL-/);
      for (const body of [
        "{",
        "[]",
        "null",
        "7",
        '"x"',
        "{} {}",
        "\u0000",
        '{"mode":"SAFE","mode":"NORMAL"}',
        '{"__proto__":{}}',
        '{"constructor":1}',
        `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
        '{"a":1e999}',
      ]) {
        const answer = await raw("POST", "/api/safety/set", body);
        expect([400, 422], body.slice(0, 40)).toContain(answer.status);
        expect(code(answer), body.slice(0, 40)).toMatch(/^RUMI-VAL-/);
      }
      expectRefusal(
        await raw("POST", "/api/safety/set", new Uint8Array([123, 34, 0xff, 0xfe, 34, 125])),
        400,
        /^RUMI-VAL-010$/,
      );
      expectRefusal(
        await raw("POST", "/api/safety/set", JSON.stringify(safety({ reason: "x".repeat(2_097_152) }))),
        413,
        /^RUMI-VAL-007$/,
      );
      for (const type of ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
        expectRefusal(await raw("POST", "/api/safety/set", "{}", { "content-type": type }), 415, /^RUMI-VAL-011$/);
    },
    SLOW_MS,
  );

  it(
    "fields: unknown, missing, of another type; nothing is coerced, nothing is dropped",
    async () => {
      const before = await ok(program, "GET", "/api/safety");
      for (const body of [
        safety({ extra: 1 }),
        safety({ mode: "safe" }),
        safety({ mode: 1 }),
        safety({ mode: null }),
        safety({ reason: 7 }),
        safety({ reason: "" }),
        safety({ command_id: "x" }),
        safety({ command_id: 5 }),
        { mode: "SAFE" },
        safety({ dry_run: "false" }),
        safety({ dryRun: "false" }),
        safety({ mode: ["SAFE"] }),
        safety({ reason: { toString: "x" } }),
      ]) {
        const answer = await program.call("POST", "/api/safety/set", body);
        expectRefusal(answer, 400, /^RUMI-VAL-/);
      }
      expect(await ok(program, "GET", "/api/safety")).toEqual(before);
      for (const query of [
        "?limit=x",
        "?limit=0",
        "?limit=201",
        "?limit=1e1",
        "?nothing=1",
        "?cursor=%00",
        "?cursor=e30",
        "?limit=1&limit=2",
      ]) {
        const answer = await program.call("GET", `/api/bots${query}`);
        expect([400, 422], `${query} ${JSON.stringify(answer.body)}`).toContain(answer.status);
        expect(code(answer), query).toMatch(/^RUMI-VAL-/);
      }
    },
    SLOW_MS,
  );

  it(
    "routes: unknown ones, other methods, percent signs, dots, very long ones",
    async () => {
      expectRefusal(await program.call("GET", "/api/nothing"), 404, /^RUMI-SYS-004$/);
      expectRefusal(await program.call("DELETE", "/api/bots"), 405, /^RUMI-SYS-013$/);
      for (const [path, statuses] of [
        ["/api/bots/%6eeighbour", [200]],
        ["/api/bots/%zz", [400, 404, 422]],
        ["/api/bots/%00", [400, 404, 422]],
        ["/api/bots/..%2f..%2fetc", [400, 404, 422]],
        ["/api/bots/%F0%9F%A4%96", [400, 404, 422]],
        [`/api/bots/${"a".repeat(600)}`, [400, 404, 422]],
        [`/api/bots/${"a".repeat(5_000)}`, [400, 404, 414, 422]],
        ["/api/packs/..%2F..%2Fx/status", [400, 404, 422]],
        ["/api/packs/default/../default/status", [200]],
      ] as const) {
        const answer = await program.call("GET", path);
        expect(
          statuses,
          `${path.slice(0, 60)} → ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`,
        ).toContain(answer.status);
        if (answer.status !== 200) expect(code(answer), path.slice(0, 60)).toMatch(/^RUMI-/);
      }
    },
    SLOW_MS,
  );

  it(
    "words: NUL, emoji, right-to-left, lone surrogates, very long; what is taken comes back as it was",
    async () => {
      const names = [
        "🤖 бот 机器人",
        "\u202Eevil\u202C",
        "a\nb\tc",
        "'; DROP TABLE bot; --",
        "<script>alert(1)</script>",
        "e\u0301 vs é",
      ];
      for (const [at, display_name] of names.entries()) {
        const answer = await program.call(
          "POST",
          "/api/bots",
          botRequest(
            `words-${at}`,
            { pack_id: "default", strategy_id: "ema_cross", strategy_version: "1.0.0", digest },
            { display_name, reason: display_name },
          ),
        );
        if (answer.status === 201) {
          expect((await bot(program, `words-${at}`))["display_name"]).toBe(display_name);
        } else expectRefusal(answer, 400, /^RUMI-VAL-/);
      }
      for (const display_name of ["", "x".repeat(10_000), "a\u0000b"]) {
        const answer = await program.call(
          "POST",
          "/api/bots",
          botRequest(
            "words-x",
            { pack_id: "default", strategy_id: "ema_cross", strategy_version: "1.0.0", digest },
            { display_name },
          ),
        );
        if (answer.status === 201) expect((await bot(program, "words-x"))["display_name"]).toBe(display_name);
        else expectRefusal(answer, 400, /^RUMI-VAL-/);
      }
      const surrogate = await raw(
        "POST",
        "/api/safety/set",
        JSON.stringify(safety({ reason: "x" })).replace('"reason":"x"', '"reason":"\\ud800"'),
      );
      expect([400, 422]).toContain(surrogate.status);
      expect(cli(program.home, ["audit", "verify", "--no-remember"]).code).toBe(0);
    },
    SLOW_MS,
  );

  it(
    "ids: at their limits taken, beyond them refused",
    async () => {
      const strategy = { pack_id: "default", strategy_id: "ema_cross", strategy_version: "1.0.0", digest };
      for (const bot_id of ["", "A", "-a", "a_b!", "a".repeat(200), "ａ", "../x", "a/b", "a b", "null\u0000"])
        expectRefusal(await program.call("POST", "/api/bots", botRequest(bot_id, strategy)), 400, /^RUMI-VAL-/);
      let longest = 0;
      for (const length of [16, 32, 63, 64, 128])
        if ((await program.call("POST", "/api/bots", botRequest("b".repeat(length), strategy))).status === 201)
          longest = length;
      expect(longest).toBeGreaterThanOrEqual(32);
      expect((await bot(program, "b".repeat(longest))).state).toBe("IDLE");
      await startBot(program, "b".repeat(longest)); // its folders, sockets and client order ids too
      await eventually(async () => ((await instance(program, "b".repeat(longest)))?.events_total ?? 0) > 0);
      await stopBot(program, "b".repeat(longest));
      expectRefusal(await program.call("POST", "/api/bots", botRequest("neighbour", strategy)), 409, /^RUMI-BOT-002$/);
      for (const wrong of [
        { digest: `sha256:${"0".repeat(64)}` },
        { strategy_id: "nobody" },
        { pack_id: "nobody" },
        { strategy_version: "9.9.9" },
      ]) {
        const answer = await program.call("POST", "/api/bots", botRequest("wrong", { ...strategy, ...wrong }));
        expect([400, 403, 404, 409, 422], JSON.stringify(answer.body)).toContain(answer.status);
        expect(code(answer)).toMatch(/^RUMI-(PACK|BOT)-/);
      }
      for (const more of [
        { venue: "NOBODY" },
        { instruments: ["X.Y"] },
        { instruments: [] },
        { capital: "-1" },
        { capital: 10 },
        { capital: "1e3" },
        { capital: "NaN" },
        { config: { order_quantity: "1", nothing: 1 } },
        { config: { order_quantity: 1 } },
        { config: { fast_trades: 0 } },
      ]) {
        const answer = await program.call("POST", "/api/bots", botRequest("wrong", strategy, more));
        expect([400, 403, 404, 409, 422], `${JSON.stringify(more)} ${JSON.stringify(answer.body)}`).toContain(
          answer.status,
        );
        expect(code(answer)).toMatch(/^RUMI-/);
      }
    },
    SLOW_MS,
  );

  it(
    "recordings: missing, empty, a folder, binary, malformed, of another format, cut-off gzip, with the first offending line named",
    async () => {
      const path = (name: string, content: string | Uint8Array): string => {
        const file = join(folder.path, name);
        writeFileSync(file, content);
        return file;
      };
      const row = "1,100.01,0.500,1,1,1767603600000,True,True\n";
      const directory = join(folder.path, "a-folder.csv");
      mkdirSync(directory);
      const refused: readonly (readonly [string, string])[] = [
        ["missing", join(folder.path, "nowhere.csv")],
        ["empty", path("empty.csv", "")],
        ["folder", directory],
        ["device", "/dev/zero"],
        ["relative", "recordings/DEMO.csv"],
        [
          "header only",
          path("header.csv", "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"),
        ],
        [
          "binary",
          path(
            "binary.csv",
            new Uint8Array(4_096).map((_, at) => (at * 31) % 251),
          ),
        ],
        ["words", path("words.csv", "not,a,recording\nat,all,really\n")],
        ["cut gzip", path("cut.csv.gz", gzipSync(Buffer.from(row.repeat(1_000))).subarray(0, 40))],
        ["one endless line", path("line.csv", "1,".repeat(3_000_000))],
      ];
      for (const [name, file] of refused) {
        const answer = await program.call("POST", "/api/venues", venue([recording(file)]));
        expect([400, 404, 409, 422], `${name}: ${answer.status} ${JSON.stringify(answer.body)}`).toContain(
          answer.status,
        );
        expect(code(answer), name).toMatch(/^RUMI-/);
      }
      const some = path(
        "some.csv",
        `${row}2,abc,1,2,2,1767603600001,True,True\n3,100.02,1,3,3,1767603600002,True,True\n`,
      );
      const answer = await program.call("POST", "/api/venues", venue([recording(some)], { venue_id: "SOME" }));
      if (answer.status < 300)
        expect(answer.body).toMatchObject({ data: { report: { rows_accepted: 2, rows_rejected: 1 } } });
      expect(JSON.stringify(answer.body)).toMatch(/\b2\b/); // the offending line
      for (const [name, file] of refused.slice(0, 3)) {
        const inspected = cli(program.home, ["recordings", "inspect", file]);
        expect([inspected.code, /RUMI-[A-Z]+-\d{3}[\s\S]*→/.test(inspected.err)], `${name}: ${inspected.err}`).toEqual([
          1,
          true,
        ]);
        const tested = cli(program.home, ["backtest", "ema_cross", file]);
        expect([tested.code, /RUMI-[A-Z]+-\d{3}[\s\S]*→/.test(tested.err)], `${name}: ${tested.err}`).toEqual([
          1,
          true,
        ]);
      }
      for (const more of [
        { pace: { kind: "multiple", factor: 0 } },
        { pace: { kind: "multiple", factor: -1 } },
        { fees: { maker_ppm: 1.5, taker_ppm: 0 } },
        { venue_id: "lower" },
        { kind: "live" },
        { files: [] },
      ]) {
        expectRefusal(await program.call("POST", "/api/venues", venue([recording(some)], more)), 400, /^RUMI-/);
      }
    },
    SLOW_MS,
  );

  it(
    "packs: unknown, no manifest, altered after approval, altered before start, a binary that does not validate",
    async () => {
      expectRefusal(await program.call("POST", "/api/packs/nobody/approve"), 404, /^RUMI-PACK-005$/);
      expectRefusal(await program.call("GET", "/api/packs/nobody/status"), 404, /^RUMI-PACK-005$/);
      expectRefusal(await program.call("POST", "/api/packs/apply", { staging_id: "nothing" }), 404, /^RUMI-PACK-014$/);
      mkdirSync(join(folder.path, "bare"));
      for (const path of [join(folder.path, "bare"), join(folder.path, "nowhere"), "/etc/passwd", "relative"]) {
        const answer = await program.call("POST", "/api/packs/import", { path });
        expect([400, 404, 422], `${path}: ${JSON.stringify(answer.body)}`).toContain(answer.status);
        expect(code(answer), path).toMatch(/^RUMI-(PACK|VAL)-/);
      }
      const broken = join(folder.path, "broken");
      cpSync(DEFAULT_PACK, broken, { recursive: true });
      const manifest = join(broken, "ecosystem.json");
      writeFileSync(
        manifest,
        readFileSync(manifest, "utf8")
          .replace('"pack_id": "default"', '"pack_id": "broken"')
          .replace(/"pack_identity": "[^"]*"/, '"pack_identity": "test:broken"')
          .replace(/\s*"binary_hash": "sha256:[0-9a-f]{64}",?/g, ""),
      );
      writeFileSync(join(broken, "strategies/ema_cross/ema_cross.wasm"), "this is no wasm");
      const text = readFileSync(manifest, "utf8").replace(/,(\s*[}\]])/g, "$1");
      writeFileSync(manifest, text);
      const staged = await program.call("POST", "/api/packs/import", { path: broken });
      if (staged.status >= 300) expect(code(staged)).toMatch(/^RUMI-PACK-/);
      else {
        const approved = await installPack(program, broken, "broken");
        const made = await program.call(
          "POST",
          "/api/bots",
          botRequest("broken", {
            pack_id: "broken",
            strategy_id: "ema_cross",
            strategy_version: "1.0.0",
            digest: approved,
          }),
        );
        if (made.status === 201) {
          const started = await program.call("POST", "/api/commands", transition("broken", "IDLE", "RUNNING_PAPER"));
          if (started.status < 300) {
            const failed = await untilState(program, "broken", "ERROR");
            expect(failed.instances[0]?.failure?.error_code).toMatch(/^RUMI-/);
          } else expect(code(started)).toMatch(/^RUMI-/);
        }
      }
    },
    SLOW_MS,
  );

  it(
    "a pack whose file was altered is never started: neither in its folder nor in the approved store",
    async () => {
      await createBot(program, "altered", "ema_cross", digest);
      const kept = join(program.home, "user_data/packs");
      const [tree = ""] = readdirSync(kept).filter((name) => digest.endsWith(name));
      const file = join(kept, tree, "strategies/ema_cross/ema_cross.wasm");
      const bytes = readFileSync(file);
      const altered = Buffer.from(bytes);
      altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
      spawnSync("chmod", ["-R", "u+w", join(kept, tree)]);
      writeFileSync(file, altered);
      const answer = await program.call("POST", "/api/commands", transition("altered", "IDLE", "RUNNING_PAPER"));
      if (answer.status < 300) {
        const failed = await untilState(program, "altered", "ERROR");
        expect(failed.instances[0]?.failure?.error_code).toMatch(/^RUMI-/);
      } else {
        expect(code(answer), JSON.stringify(answer.body)).toMatch(/^RUMI-(PACK|BOT)-/);
        expect((await bot(program, "altered")).state).toBe("IDLE");
      }
      expect((await instance(program, "altered"))?.events_total ?? 0).toBe(0);
      // Whoever approves again gets the approved bytes, not the altered ones.
      writeFileSync(file, bytes);
      expect(
        await eventually(async () => {
          const again = await program.call("POST", "/api/packs/default/approve");
          return again.status === 200 && (again.body as { readonly data?: Data }).data?.["approved_digest"];
        }),
      ).toBe(digest);
      await startBot(program, "altered");
      await stopBot(program, "altered");
    },
    SLOW_MS,
  );

  it(
    "[G-6.1] live is refused with its code, from every state that asks",
    async () => {
      const answer = await program.call(
        "POST",
        "/api/commands",
        transition("neighbour", "RUNNING_PAPER", "RUNNING_LIVE"),
      );
      expect(answer.status, JSON.stringify(answer.body)).toBeGreaterThanOrEqual(400);
      expect(code(answer)).toMatch(/^RUMI-/);
      const stale = await program.call("POST", "/api/commands", transition("neighbour", "IDLE", "RUNNING_PAPER"));
      expect([409, 422]).toContain(stale.status);
      expectRefusal(
        await program.call("POST", "/api/commands", transition("nobody", "IDLE", "RUNNING_PAPER")),
        404,
        /^RUMI-BOT-001$/,
      );
      const noWay = await program.call("POST", "/api/commands", transition("neighbour", "RUNNING_PAPER", "CREATED"));
      expect(noWay.status).toBeGreaterThanOrEqual(400);
      expect(cli(program.home, ["bots", "start", "neighbour", "--reason", "x"]).code).toBe(1);
    },
    SLOW_MS,
  );

  it(
    "[G-0.6] [G-6.2] [L-N2] a thousand copies of one command at once have one effect and one answer; another body under its id is refused",
    async () => {
      await createBot(program, "many", "ema_cross", digest);
      const body = transition("many", "IDLE", "RUNNING_PAPER");
      const before = (await auditEvents(program, { resource_id: "many", action: "bot.state.transition" })).length;
      const answers: Answer[] = [];
      for (let batch = 0; batch < 10; batch += 1)
        answers.push(
          ...(await Promise.all(Array.from({ length: 100 }, () => program.call("POST", "/api/commands", body)))),
        );
      const bodies = new Set(
        answers.map((answer) =>
          answer.status < 300
            ? JSON.stringify({
                ...(answer.body as { readonly data?: Data }).data,
                duplicate_suppressed: undefined,
              })
            : `${answer.status} ${String(code(answer))}`,
        ),
      );
      const effects = [...bodies].filter((text) => text.startsWith("{"));
      expect(effects).toEqual(effects.slice(0, 1));
      for (const text of bodies) expect(text).toMatch(/^\{|^409 RUMI-CMD-/); // still under way
      const after = await auditEvents(program, { resource_id: "many", action: "bot.state.transition" });
      expect(after.length - before).toBe(1);
      const other = await program.call("POST", "/api/commands", { ...body, reason: "another" });
      expect([409, 422]).toContain(other.status);
      expect(code(other)).toMatch(/^RUMI-CMD-/);
      await untilState(program, "many", "RUNNING_PAPER");
      await eventually(async () => (await instance(program, "many"))?.phase === "running");
      await move(program, "many", "STOPPING");
      await untilState(program, "many", "IDLE");
    },
    SLOW_MS,
  );
});

/** Only root may mount; elsewhere there is no disk that could be filled without harm. */
const canMount =
  process.getuid?.() === 0 &&
  (() => {
    const place = temporaryFolder();
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place.path]).status === 0;
    if (mounted) spawnSync("umount", [place.path]);
    place.remove();
    return mounted;
  })();

describe.runIf(canMount)("a full disk", () => {
  const place = temporaryFolder();
  beforeAll(() => {
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", place.path]);
  });
  afterAll(() => {
    spawnSync("umount", ["-l", place.path]);
    place.remove();
  });

  it(
    "operations are refused with RUMI-SYS-008, tightening is in force all the same, reads go on, and after space returned everything works and nothing is missing",
    async () => {
      const home = join(place.path, "home");
      const small = await startProgram({ home });
      const set = (reason: string, mode = "SAFE"): Promise<Answer> =>
        small.call("POST", "/api/safety/set", { command_id: crypto.randomUUID(), mode, reason });
      const add = (display_name: string): Promise<Answer> =>
        small.call("POST", "/api/users", {
          command_id: crypto.randomUUID(),
          display_name,
          roles: ["view_only"],
          reason: "x".repeat(900),
        });
      expect((await set("before")).status).toBe(200);
      const ballast = join(place.path, "ballast");
      const { bavail, bsize } = statfsSync(place.path);
      try {
        writeFileSync(ballast, new Uint8Array(bavail * bsize));
      } catch {
        // it took what there was
      }
      const before = await auditEvents(small);
      let taken = 0;
      const full = await eventually(async () => {
        const answer = await add(`user ${taken}`);
        if (answer.status < 300) taken += 1;
        return answer.status >= 400 && answer;
      }, 0);
      expectRefusal(full, 507, /^RUMI-SYS-008$/);
      for (let more = 0; more < 20; more += 1) expect(code(await add(`more ${more}`))).toBe("RUMI-SYS-008");
      const stopped = await set("while it is full", "EMERGENCY_STOP");
      expect([stopped.status, stopped.body]).toEqual([
        202,
        expect.objectContaining({ data: expect.objectContaining({ spooled: true }) }),
      ]);
      expect((await small.call("GET", "/api/safety")).status).toBe(200);
      expect((await small.call("GET", "/api/audit/events")).status).toBe(200);
      expect([200, 503]).toContain((await fetch(new URL("/health", small.url))).status);
      rmSync(ballast);
      await eventually(async () => (await add("after")).status === 201);
      await eventually(async () => (await ok(small, "GET", "/api/safety"))["mode"] === "EMERGENCY_STOP");
      const after = new Map((await auditEvents(small)).map(({ event_id, log_index }) => [event_id, log_index]));
      for (const { event_id, log_index } of before) expect(after.get(event_id)).toBe(log_index);
      expect((await ok(small, "GET", "/api/safety"))["mode"]).toBe("EMERGENCY_STOP");
      expect(await small.stop()).toBe(0);
      const again = await startProgram({ home });
      await again.stop();
      const verified = cli(home, ["audit", "verify", home, "--no-remember"]);
      expect([verified.code, verified.out]).toEqual([0, expect.stringContaining("verified")]);
    },
    SLOW_MS,
  );
});
