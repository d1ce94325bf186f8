/**
 * The store: one port, SQLite and PostgreSQL behind it, and the building blocks everybody writes with.
 *
 * State and the audit events that explain it commit together; see port.ts. No domain table lives here.
 */
export * from "./builder.ts";
export * from "./limits.ts";
export type { LogSigner } from "./log/leaves.ts";
export * from "./port.ts";
export * from "./sqlite/open.ts";
export type { WriterPlace } from "./sqlite/writer-handle.ts";
