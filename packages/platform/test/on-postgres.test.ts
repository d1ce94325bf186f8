/**
 * What packs and flows write down, on PostgreSQL: the same tests as on SQLite, in worlds whose store is a database of a real server.
 * Whatever a test says of flows, stores, scripts and packs it says here again.
 */
import { afterAll, describe } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { stopPostgres } from "./kit.ts";

process.env["RUMI_TEST_STORE"] = "postgres";

describe.runIf(requires("postgresql"))("on PostgreSQL", () => {
  afterAll(stopPostgres);
  describe("runs of flows", async () => void (await import("../src/flows/engine.test.ts")));
  describe("approvals", async () => void (await import("../src/flows/approvals.test.ts")));
  describe("schedules", async () => void (await import("../src/flows/schedule/schedule.test.ts")));
  describe("scripts in lib/", async () => void (await import("../src/libs/libs.test.ts")));
  describe("packs", async () => void (await import("../src/packs/library.test.ts")));
  describe("secrets", async () => void (await import("../src/secrets/secrets.test.ts")));
});
