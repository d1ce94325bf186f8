/**
 * A real PostgreSQL for tests: initdb into a throw-away folder, a Unix socket and no TCP. Durability is
 * as shipped (fsync on). Also for other packages' tests: `const server = await startPostgres()`.
 */
import { execFileSync, spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import pg from "pg";
import { located } from "../../../tools/test-support.ts";
import type { PostgresServer } from "../src/index.ts";

export type TestServer = {
  /** A new, empty database. */
  database(): Promise<PostgresServer>;
  stop(): Promise<void>;
};

export async function startPostgres(): Promise<TestServer> {
  const program = located("postgresql");
  if (program === undefined) throw new Error('ask requires("postgresql") first');
  const bin = dirname(program);
  const owner = process.getuid?.() === 0 ? postgresUser() : undefined;
  const folder = mkdtempSync("/tmp/rumi-pg-"); // short: a socket's path has 107 bytes
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid);
  const data = join(folder, "data");
  const as = owner ?? {};
  execFileSync(
    join(bin, "initdb"),
    ["-D", data, "-U", "rumi", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"],
    { ...as, cwd: folder, stdio: "ignore" },
  );
  const server = spawn(
    join(bin, "postgres"),
    ["-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "max_connections=60", "-c", "shared_buffers=32MB"],
    { ...as, cwd: folder, stdio: "ignore" },
  );
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const admin = { host: folder, port: 5432, user: "rumi", database: "postgres" };
  await answering(admin);
  let databases = 0;
  return {
    database: async () => {
      const database = `t${(databases += 1)}`;
      await once(admin, `CREATE DATABASE ${database}`);
      return { ...admin, database };
    },
    stop: async () => {
      server.kill("SIGQUIT"); // at once: the folder goes anyway
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function once(server: PostgresServer, sql: string): Promise<void> {
  const client = new pg.Client(server);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

const START_WAIT_MS = 120_000;

async function answering(server: PostgresServer): Promise<void> {
  for (const began = performance.now(); ;) {
    try {
      return await once(server, "SELECT 1");
    } catch (cause) {
      if (performance.now() - began > START_WAIT_MS) throw cause;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function postgresUser(): { readonly uid: number; readonly gid: number } {
  const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}
