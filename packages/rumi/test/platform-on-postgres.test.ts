/**
 * What packs are given, on PostgreSQL: the same tests over HTTP as on SQLite, in worlds whose store is a database of a real server.
 * packages/platform/test/on-postgres.test.ts does the same for flows, scripts and packs themselves.
 */
import { afterAll, describe } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { stopPostgres } from "../../platform/test/kit.ts";

process.env["RUMI_TEST_STORE"] = "postgres";

describe.runIf(requires("postgresql"))("on PostgreSQL", () => {
  afterAll(stopPostgres);
  describe("capabilities and their handlers", async () => void (await import("./capabilities.test.ts")));
  describe("stores", async () => void (await import("./stores.test.ts")));
  describe("the shared dictionary", async () => void (await import("./shared-dict.test.ts")));
  describe("units", async () => void (await import("./units.test.ts")));
  describe("privileges", async () => void (await import("./privileges.test.ts")));
  describe("network grants", async () => void (await import("./network.test.ts")));
});
