/**
 * The store: one port, SQLite and PostgreSQL behind it, and the building blocks everybody writes with.
 *
 * State and the audit events that explain it commit together; see port.ts. No domain table lives here.
 */
export * from "./blocks/feed.ts";
export * from "./blocks/idempotency.ts";
export * from "./blocks/leases.ts";
export * from "./blocks/outbox.ts";
export * from "./builder.ts";
export * from "./limits.ts";
export * from "./log/audit-query.ts";
export * from "./log/erasure.ts";
export * from "./log/source.ts";
export type { LogSigner } from "./log/leaves.ts";
export * from "./port.ts";
export type { PostgresServer } from "./postgres/client.ts";
export type { BeforeMigration } from "./postgres/migrate.ts";
export * from "./postgres/open.ts";
export type { LogTables } from "./schema.ts";
export * from "./sqlite/open.ts";
export type { WriterPlace } from "./sqlite/writer-handle.ts";
export * from "./sqlite/reader.ts";
export * from "./sqlite/recovery.ts";
export { sqliteVouchers, type VoucherOptions, type VoucherThreads } from "./sqlite/vouchers.ts";
