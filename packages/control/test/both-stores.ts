/** The same cases on SQLite and on PostgreSQL: what is read is read alike. */
import { generateKeyPairSync } from "node:crypto";
import { ok, seededRandom, systemClock } from "@rumi/kernel";
import { platformMigrations } from "@rumi/platform";
import { openPostgresStore } from "@rumi/store";
import { afterAll, beforeAll, describe } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { startPostgres, type TestServer } from "../../store/test/postgres-server.ts";
import { controlMigrations } from "../src/index.ts";
import { openControl, type Control } from "./kit.ts";

/** `cases` are told how to open a control plane of their own. */
export function onBothStores(cases: (open: () => Promise<Control>) => void): void {
  describe("on SQLite", () => cases(() => openControl()));
  describe.runIf(requires("postgresql"))("on PostgreSQL", () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(() => server.stop());
    cases(async () => {
      const private_key_pem = generateKeyPairSync("ed25519")
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString();
      const store = await openPostgresStore({
        server: await server.database(),
        migrations: [...platformMigrations, ...controlMigrations],
        signer: { origin: "rumi.test/log", private_key_pem },
        clock: systemClock(),
        random: seededRandom("salts"),
        before_migration: async () => ok(undefined),
      });
      if (!store.ok) throw new Error(`${store.error.code} ${JSON.stringify(store.error.params)}`);
      return openControl({ store: store.value });
    });
  });
}
