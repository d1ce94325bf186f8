import { afterAll, beforeAll, describe } from "vitest";
import { ok, seededRandom, systemClock } from "@rumi/kernel";
import { requires } from "../../../tools/test-support.ts";
import { openPostgresStore } from "../src/index.ts";
import { storeConformance } from "./conformance.ts";
import { startPostgres, type TestServer } from "./postgres-server.ts";
import { must, SIGNER, THINGS } from "./support.ts";

describe.runIf(requires("postgresql"))("PostgreSQL", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  storeConformance(async (limits = {}) =>
    must(
      await openPostgresStore({
        server: await server.database(),
        migrations: [THINGS],
        signer: SIGNER,
        clock: systemClock(),
        random: seededRandom("salts"),
        before_migration: async () => ok(undefined),
        limits,
      }),
    ),
  );
});
