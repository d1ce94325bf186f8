/**
 * Runs schemathesis, a fuzzer that knows nothing of us but /openapi.json, over a running program.
 *
 * It comes through a proxy that adds the two things a document cannot say: that failed authentications are counted per
 * address (each request has an address of its own), and that a key in the header equals the body's `command_id`.
 *
 * How long an answer took is measured there too, without the time in which the proxy itself stood still. The fuzzer's own
 * check counts that in: on a machine that was halted it told of an answer after thirty seconds, though it gives up what is
 * silent for ten.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ID_PATTERNS } from "@rumi/kernel";
import { located } from "../../../tools/test-support.ts";
import { ok, type Data } from "./rig.ts";
import type { Program } from "./program.ts";

/** An answer that takes longer is a finding, and so is a silence of that length. */
export const ANSWER_MS = 10_000;
/** The fuzzer's own limit, which no answer reaches: {@link Findings.slowest} is there instead. */
const HALTED_S = 3_600;
/**
 * All checks, the same requests each time. No text of ours holds NUL (docs/formats/api.md), which no schema says of every
 * string; and a stream that does not end by itself is no answer to wait for (it is read in
 * packages/server/src/event-stream.test.ts).
 */
const MANNER: readonly string[] = `--checks all --continue-on-failure --suppress-health-check all --no-shrink --no-color
  --seed 20261121 --generation-database none --generation-allow-x00 false --exclude-path /api/events
  --max-response-time ${HALTED_S} --request-timeout ${ANSWER_MS / 1_000}`.split(/\s+/);

export type Findings = {
  readonly code: number;
  /** Everything it printed. */
  readonly said: string;
  /** The part of it about failures and errors; empty where there are none. */
  readonly failures: string;
  /** How many operations were asked. */
  readonly operations: number;
  /** The answer that took longest, by a clock that stands still whenever the proxy does. */
  readonly slowest: { readonly request: string; readonly ms: number };
};
export type Wish = {
  readonly folder: string;
  /** Which of the document's operations, which phases, how many examples: arguments of `schemathesis run`. */
  readonly args: string;
  /** Path parameters that are always these, so that there is something to answer. */
  readonly ids?: Readonly<Record<string, string>>;
};

export async function fuzz(program: Program, wish: Wish): Promise<Findings> {
  const { folder, args, ids = {} } = wish;
  mkdirSync(folder, { recursive: true });
  const config = join(folder, "schemathesis.toml");
  writeFileSync(config, configOf(await ok(program, "GET", "/api/me"), await readablePaths(program), ids));
  const clock = wakingClock();
  let slowest: Findings["slowest"] = { request: "", ms: 0 };
  const proxy = await proxyTo(program.url, clock, (answered) => {
    if (answered.ms > slowest.ms) slowest = answered;
  });
  const { port } = proxy.address() as AddressInfo;
  const child = spawn(
    located("schemathesis") ?? "",
    [
      "--config-file",
      config,
      "run",
      ...MANNER,
      "-H",
      `Authorization: Bearer ${program.token}`,
      ...args.split(" "),
    ].concat(`http://127.0.0.1:${port}/openapi.json`),
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (said += data.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  proxy.close();
  clock.stop();
  return {
    code: code ?? -1,
    said,
    slowest,
    failures: /^=+ (?:FAILURES|ERRORS) =+$[^]*?(?=^=+ (?:WARNINGS|SUMMARY) =+$)/mu.exec(said)?.[0] ?? "",
    operations: Number(/^ +Tested: (\d+)$/mu.exec(said)?.[1] ?? 0),
  };
}

/** Ids of proof-carrying runs are numbers, and those of bots' runs are not. */
const CODE_RUN = "code_run_id";

/**
 * What is expected beside the checks' own defaults.
 * - A well-formed wish may be refused: it does not fit what is there (422), or a field of it does not (400: a capital that
 *   no pool has, a configuration that is not the strategy's, a folder that holds no pack). What is only read has no such
 *   field, but cursors, which are opaque, and the ids of packs older than the rule for ids.
 * - `actor` is whoever asks, or nobody.
 */
function configOf(me: Data, strict: readonly string[], ids: Readonly<Record<string, string>>): string {
  const expecting = (...more: readonly number[]): string =>
    `expected-statuses = ${JSON.stringify(["2xx", 401, 403, 404, 409, 422, 429, ...more])}`;
  return [
    "[checks.positive_data_acceptance]",
    expecting(400),
    "[parameters]",
    `"body.actor" = ${JSON.stringify(me["user_id"])}`,
    ...Object.entries(ids)
      .filter(([name]) => name !== CODE_RUN)
      .map(([name, value]) => `"path.${name}" = ${JSON.stringify(value)}`),
    ...(ids[CODE_RUN] === undefined
      ? []
      : [
          "[[operations]]",
          'include-path-regex = "^/api/runs/"',
          "[operations.parameters]",
          `"path.run_id" = ${ids[CODE_RUN]}`,
        ]),
    "[[operations]]",
    `include-name = ${JSON.stringify(strict.map((path) => `GET ${path}`))}`,
    "[operations.checks.positive_data_acceptance]",
    expecting(),
  ].join("\n");
}

type Route = { readonly parameters?: readonly { readonly name: string }[] };
/** Paths whose every well-formed reading is answered. */
async function readablePaths(program: Program): Promise<readonly string[]> {
  const { paths } = (await program.call("GET", "/openapi.json")).body as unknown as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Route>>>>;
  };
  return Object.entries(paths)
    .filter(([, { get }]) => get !== undefined && get.parameters?.some(({ name }) => name === "cursor") !== true)
    .map(([path]) => path)
    .filter((path) => !path.startsWith("/api/packs/"));
}

const LOOK_MS = 20;
/** Milliseconds in which this process ran: a gap between two looks counts as one look that came late. */
function wakingClock(): { readonly now_ms: () => number; readonly stop: () => void } {
  let awake_ms = 0;
  let looked_ms = performance.now();
  const timer = setInterval(() => {
    const now_ms = performance.now();
    awake_ms += Math.min(now_ms - looked_ms, 10 * LOOK_MS);
    looked_ms = now_ms;
  }, LOOK_MS);
  return { now_ms: () => awake_ms, stop: () => clearInterval(timer) };
}

async function proxyTo(
  url: string,
  clock: { readonly now_ms: () => number },
  onAnswer: (answered: Findings["slowest"]) => void,
): Promise<Server> {
  const { hostname, port } = new URL(url);
  let count = 0;
  const server = createServer((asked, answer) => {
    const chunks: Buffer[] = [];
    asked.on("data", (chunk: Buffer) => chunks.push(chunk));
    asked.on("end", () => {
      count += 1;
      const body = Buffer.concat(chunks);
      const asked_ms = clock.now_ms();
      const onward = request(
        {
          hostname,
          port,
          path: asked.url,
          method: asked.method,
          headers: withOneKey(asked.headers, body),
          localAddress: `127.${1 + (Math.floor(count / 62_500) % 250)}.${1 + (Math.floor(count / 250) % 250)}.${1 + (count % 250)}`,
          agent: false,
        },
        (got) => {
          answer.writeHead(got.statusCode ?? 502, got.headers);
          got.pipe(answer);
          got.on("end", () => onAnswer({ request: `${asked.method} ${asked.url}`, ms: clock.now_ms() - asked_ms }));
        },
      );
      onward.on("error", () => answer.destroy());
      onward.end(body);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Two acceptable keys become the body's; one that is not acceptable stays as it was. */
function withOneKey(headers: IncomingHttpHeaders, body: Buffer): IncomingHttpHeaders {
  const key = headers["idempotency-key"];
  if (typeof key !== "string" || !/^[\x21-\x7e]{1,255}$/.test(key)) return headers;
  const id = new RegExp(`"command_id": ?"(${ID_PATTERNS.uuid.slice(1, -1)})"`).exec(body.toString("utf8"))?.[1];
  return id === undefined ? headers : { ...headers, "idempotency-key": id };
}
