/**
 * The HTTP rim: turns requests into calls of the pipeline and its answers into HTTP.
 *
 * Invariants (server.test.ts)
 * - Every route that is not a GET belongs to a declared operation; the raw routes only read.
 * - No token, no answer but 401, whatever is asked; nothing that a client sends makes a 5xx.
 */
import { type Failure, type Result, NO_SECRETS, err, failure, ok } from "@rumi/kernel";
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import { authenticate, greet, installAdmission, type Lifecycle } from "./admission.ts";
import { installBodyParser } from "./body.ts";
import { installConsole } from "./console-files.ts";
import { installDeclaredRoutes } from "./declared-routes.ts";
import { installEventStream } from "./event-stream.ts";
import { answerError, installFailures, methodsOf } from "./failures.ts";
import { SERVER_LIMITS } from "./limits.ts";
import type { ServerSettings } from "./ports.ts";
import { installPackRoutes } from "./pack-routes.ts";
import { installRawRoutes } from "./raw-routes.ts";
import { installUploadRoutes } from "./upload-routes.ts";
import { hostRefusal } from "./security.ts";
import { sendFailure } from "./context.ts";

export type ServedRoute = {
  readonly method: string;
  readonly url: string;
  /** Name of the declaration, null for a raw route. */ readonly declared: string | null;
  readonly open: boolean;
};

export interface Server {
  /** Where it listens, or RUMI-SYS-007 / RUMI-SYS-002. */
  listen(): Promise<Result<{ readonly address: string; readonly port: number }, Failure>>;
  /** Takes no more, lets what is in flight end within the limit, ends the streams. */
  close(): Promise<void>;
  readonly routes: readonly ServedRoute[];
  /** For tests without a socket. */
  readonly app: FastifyInstance;
}

export function createServer(settings: ServerSettings): Server {
  const lifecycle: Lifecycle = { closing: false };
  const routes: ServedRoute[] = [];
  const app = fastify({
    logger: false,
    bodyLimit: settings.body_limit_bytes,
    requestTimeout: SERVER_LIMITS.request_ms,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: SERVER_LIMITS.path_parameter_characters,
    },
    frameworkErrors: (error, request, reply) => void answerBadRequest(error, request, reply, settings),
    clientErrorHandler: (_error, socket) => {
      if (!socket.writable) return;
      socket.end(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
      );
    },
  });
  app.addHook("onRoute", ({ method, url, config }) => {
    for (const one of Array.isArray(method) ? method : [method])
      routes.push({
        method: one,
        url,
        declared: config?.declared ?? null,
        open: config?.open === true,
      });
  });
  app.decorate("runbookOf", settings.runbookOf ?? (() => undefined));
  app.decorate("scrubber", settings.scrubber ?? NO_SECRETS);
  installAdmission(app, settings, lifecycle);
  installBodyParser(app);
  installFailures(app, settings, routes);
  installMetrics(app, settings);
  installDeclaredRoutes(app, settings);
  installUploadRoutes(app, settings);
  installRawRoutes(app, settings);
  installConsole(app, settings.console_folder);
  installPackRoutes(app, settings, routes);
  settings.packRoutes?.know((path) => methodsOf(routes, path).length > 0);
  const hub = installEventStream(app, {
    store: settings.pipeline.settings.store,
    clock: settings.clock,
    logger: settings.logger,
    authenticator: settings.authenticator,
    policy: settings.pipeline.settings.guards.policy,
  });
  return {
    app,
    routes,
    listen: () => listen(app, settings),
    close: () => close(app, lifecycle, () => hub.close()),
  };
}

/** A path that the router cannot read never reaches the hooks; it gets the same treatment here. */
async function answerBadRequest(
  error: Error,
  request: FastifyRequest,
  reply: FastifyReply,
  settings: ServerSettings,
): Promise<void> {
  greet(request, reply, settings);
  const refusal = hostRefusal(settings.bind_address, request.headers.host);
  if (refusal !== undefined) return void sendFailure(request, reply, refusal);
  if ((await authenticate(request, reply, settings)) === undefined) answerError(error, request, reply, settings);
}

function installMetrics(app: FastifyInstance, { metrics }: ServerSettings): void {
  const requests = metrics.counter("rumi_http_requests_total", "HTTP requests by method, route and status.");
  app.addHook("onResponse", (request, reply, done) => {
    requests.add({
      method: request.method,
      route: request.routeOptions.url ?? "unknown",
      status: String(reply.statusCode),
    });
    done();
  });
}

async function listen(app: FastifyInstance, { bind_address, port }: ServerSettings): ReturnType<Server["listen"]> {
  try {
    await app.listen({ host: bind_address, port });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "EADDRINUSE") return err(failure("RUMI-SYS-007", { port, address: bind_address }, { cause }));
    return err(
      failure(
        "RUMI-SYS-002",
        { name: "RUMI_API_BIND_ADDRESS", problem: code ?? "it cannot be listened on" },
        { cause },
      ),
    );
  }
  const address = app.server.address();
  return typeof address === "object" && address !== null
    ? ok({ address: address.address, port: address.port })
    : ok({ address: bind_address, port });
}

async function close(app: FastifyInstance, lifecycle: Lifecycle, endStreams: () => Promise<void>): Promise<void> {
  lifecycle.closing = true;
  await endStreams();
  const bound = setTimeout(() => app.server.closeAllConnections(), SERVER_LIMITS.close_ms);
  try {
    await app.close();
  } finally {
    clearTimeout(bound);
  }
}
