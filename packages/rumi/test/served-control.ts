/** A whole control plane in this process behind the real server, for what has to happen between two steps of a request. */
import { systemRandom, type Environment } from "@rumi/kernel";
import { deriveToken, failureLimiter, homeAuthenticator } from "@rumi/operations";
import { createServer } from "@rumi/server";
import { openControl, type Control, type ControlOptions } from "../../control/test/kit.ts";

export type Reply = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };
export type ServedControl = Control & {
  /** As the home's own principal, or with another token; a body `""` is an empty one that says it is JSON. */
  http(method: "GET" | "POST" | "DELETE", url: string, body?: unknown, token?: string): Promise<Reply>;
};

export async function openServedControl(options: ControlOptions = {}): Promise<ServedControl> {
  const world = await openControl(options);
  const own = deriveToken(new Uint8Array(32).fill(1), (options.environment ?? "dev") as Environment, "home-1");
  const { clock, pipeline } = world;
  const server = createServer({
    pipeline,
    authenticator: homeAuthenticator(own, world.control.operators),
    limiter: failureLimiter(clock),
    health: { status: () => Promise.resolve("UP") },
    log: {
      checkpoint: () => Promise.resolve(""),
      tile: () => Promise.resolve(null),
      vkey: () => "",
    },
    clock,
    random: systemRandom(),
    logger: pipeline.settings.logger,
    metrics: pipeline.settings.metrics,
    bind_address: "127.0.0.1",
    port: 0,
    cors_origins: [],
    body_limit_bytes: 1_048_576,
    console_folder: null,
    version: "0.0.0",
  });
  await server.app.ready();
  return {
    ...world,
    http: async (method, url, body, token = own) => {
      const reply = await server.app.inject({
        method,
        url,
        headers: {
          host: "127.0.0.1",
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { payload: body === "" ? "" : JSON.stringify(body) }),
      });
      return { status: reply.statusCode, body: JSON.parse(reply.payload) as Reply["body"] };
    },
    close: async () => {
      await server.close();
      await world.close();
    },
  };
}
