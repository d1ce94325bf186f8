/** The HTTP rim of the program: REST, server-sent events, OpenAPI, the log's public files, the console's files. */
export { SERVER_LIMITS } from "./limits.ts";
export * from "./ports.ts";
export { EVENTS_ACTION } from "./event-stream.ts";
export { CONSOLE_CSP, hostRefusal, isLoopback, SECURITY_HEADERS } from "./security.ts";
export * from "./server.ts";
