/**
 * The setup tool in a browser: one page on loopback, whose buttons are the verbs of the command line.
 *
 * How to think: it may make a home and start a program, before there is anybody to log in as. So it listens on loopback only,
 * its address carries a key that is made for this one start, and it answers to no name but its own (a page of another site
 * that rebinds its name to 127.0.0.1 sends that name). One verb runs at a time.
 *
 * Invariants (setup-web.e2e.test.ts): without the key nothing is looked at or done; nothing of it is served from elsewhere.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { err, failure, failureText, ok, type Failure, type Language, type Result } from "@rumi/kernel";
import { hostRefusal, SECURITY_HEADERS } from "@rumi/server";
import { PAGE, SCRIPT, STYLE } from "./web-page.ts";
import type { Outcome, SetupVerb } from "./verbs.ts";

export const WEB_ADDRESS = "127.0.0.1";
export const WEB_PORT = 8_080;
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export type WebOptions = {
  readonly port: number;
  readonly language: Language;
  readonly verbs: readonly SetupVerb[];
  /** Starts the program, once; where its console is. */
  readonly start: () => Promise<Result<{ readonly url: string }, Failure>>;
};
export type SetupSite = { readonly url: string; readonly close: () => Promise<void> };

type Answer = Outcome | { readonly url: string };

export function serveSetup(options: WebOptions): Promise<Result<SetupSite, Failure>> {
  const key = randomBytes(32).toString("base64url");
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const work = (verb: string, query: URLSearchParams): Promise<Result<Answer, Failure>> => {
    const found = options.verbs.find(({ name }) => name === verb);
    return inTurn<Result<Answer, Failure>>(() =>
      found === undefined ? options.start() : found.run({ default_pack: query.get("default_pack") === "yes" }),
    );
  };
  const server = createServer((request, response) => {
    // Whatever breaks in a verb is told to who asked for it; the tool goes on.
    answer(request, response, { key, options, work }).catch((cause: unknown) => {
      process.stderr.write(`${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n`);
      refuse(response, failure("RUMI-SYS-001", { trace_id: "(standard error of the setup tool)" }), 500, options);
    });
  });
  return new Promise((resolve) => {
    server.once("error", (cause: NodeJS.ErrnoException) =>
      resolve(
        err(
          cause.code === "EADDRINUSE"
            ? failure("RUMI-SYS-007", { port: options.port, address: WEB_ADDRESS }, { cause })
            : failure("RUMI-SYS-002", { name: "--port", problem: cause.code ?? cause.message }, { cause }),
        ),
      ),
    );
    server.listen(options.port, WEB_ADDRESS, () => {
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : options.port;
      const close = async (): Promise<void> => {
        await last;
        server.closeAllConnections();
        await new Promise((end) => server.close(end));
      };
      resolve(ok({ url: `http://${WEB_ADDRESS}:${port}/#${key}`, close }));
    });
  });
}

type Site = {
  readonly key: string;
  readonly options: WebOptions;
  readonly work: (verb: string, query: URLSearchParams) => Promise<Result<Answer, Failure>>;
};

const FILES: Readonly<Record<string, readonly [type: string, text: string]>> = {
  "/": ["text/html; charset=utf-8", PAGE],
  "/setup.js": ["text/javascript; charset=utf-8", SCRIPT],
  "/setup.css": ["text/css; charset=utf-8", STYLE],
};

async function answer(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  request.resume(); // no body means anything here
  for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, "content-security-policy": CSP }))
    response.setHeader(name, value);
  const { method = "GET" } = request;
  const stranger = hostRefusal(WEB_ADDRESS, request.headers.host);
  if (stranger !== undefined) return refuse(response, stranger, 421, site.options);
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://setup");
  const file = FILES[pathname];
  if (file !== undefined && method === "GET") {
    response.setHeader("content-type", file[0]);
    return void response.end(file[1]);
  }
  if (!isKey(request.headers.authorization, site.key))
    return refuse(response, failure("RUMI-AUTH-001", {}), 401, site.options);
  const verb = /^\/do\/([a-z]+)$/.exec(pathname)?.[1] ?? "";
  const isVerb = verb === "run" || site.options.verbs.some(({ name }) => name === verb);
  if (method !== "POST" || !isVerb)
    return refuse(response, failure("RUMI-SYS-004", { method, path: pathname }), 404, site.options);
  const done = await site.work(verb, searchParams);
  if (!done.ok) return refuse(response, done.error, 409, site.options);
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(done.value));
}

function isKey(header: string | undefined, key: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ""), Buffer.from(`Bearer ${key}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function refuse(response: ServerResponse, of: Failure, status: number, { language }: WebOptions): void {
  const { text, next } = failureText(of, language);
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ success: false, error_code: of.code, error: text, suggestion: next }));
}
