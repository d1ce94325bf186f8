/** Asks the container engine whether it is there: one request on its socket, which changes nothing. */
import { request } from "node:http";

export type EngineAnswer =
  | { readonly available: true; readonly api_version: string | null }
  | { readonly available: false; readonly reason: string };

export const ENGINE_PING_MS = 2_000;

export function pingEngine(socket: string): Promise<EngineAnswer> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: socket, path: "/_ping", timeout: ENGINE_PING_MS }, (reply) => {
      reply.resume();
      const version = reply.headers["api-version"];
      resolve(
        reply.statusCode === 200
          ? { available: true, api_version: typeof version === "string" ? version : null }
          : { available: false, reason: `it answered ${reply.statusCode ?? "nothing"}` },
      );
    });
    asked.on("timeout", () => asked.destroy(new Error(`it did not answer within ${ENGINE_PING_MS} ms`)));
    asked.on("error", ({ message }) => resolve({ available: false, reason: message }));
    asked.end();
  });
}
