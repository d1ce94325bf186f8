/** A log whose end does not hold together is refused at start, whatever was done to it. */
import { copyFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { openSqliteStore } from "../src/index.ts";
import { openConnection } from "../src/sqlite/driver.ts";
import { batch, event, openTestStore, SIGNER, sqliteOptions } from "./support.ts";

const other = generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();

const damages: Record<string, string> = {
  "the last leaf is gone": "DELETE FROM log_entry WHERE idx = 299",
  "the last leaf was edited": "UPDATE log_entry SET leaf = x'00' WHERE idx = 299",
  "a leaf was added behind the head":
    "INSERT INTO log_entry SELECT 300, 'x', action, actor, resource_type, resource_id, outcome, occurred_at, trace_id, run_id, request_id, leaf FROM log_entry WHERE idx = 299",
  "the last tile is gone": "DELETE FROM log_tile WHERE level = 0 AND idx = 1",
  "a full tile is gone": "DELETE FROM log_tile WHERE level = 0 AND idx = 0",
  "the last tile was cut": "UPDATE log_tile SET data = substr(data, 1, 32) WHERE level = 0 AND idx = 1",
  "the last tile was edited":
    "UPDATE log_tile SET data = CAST(zeroblob(32) || substr(data, 33) AS BLOB) WHERE level = 0 AND idx = 1",
  "the tile above was edited": "UPDATE log_tile SET data = zeroblob(32) WHERE level = 1",
  "the head is gone": "DELETE FROM log_checkpoint",
  "the head was moved back": "UPDATE log_checkpoint SET size = 299",
  "the head has another root": "UPDATE log_checkpoint SET root = zeroblob(32)",
  "the note was edited": "UPDATE log_checkpoint SET note = replace(note, '300', '299')",
};

it("a damaged end of the log is refused with RUMI-STO-002, an undamaged one opens", async () => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const store = await openTestStore(path);
  await store.commit(
    batch(
      [],
      Array.from({ length: 300 }, () => event()),
    ),
  );
  await store.close();
  for (const [number, [name, sql]] of Object.entries(damages).entries()) {
    const copy = join(path, `copy-${number}.db`);
    copyFileSync(join(path, "store.db"), copy);
    const db = openConnection(copy, "read_write", 10);
    db.exec(sql);
    db.close();
    const opened = await openSqliteStore({ ...sqliteOptions(path), path: copy });
    expect(opened, name).toMatchObject({ ok: false, error: { code: "RUMI-STO-002" } });
  }
  const strange = await openSqliteStore({ ...sqliteOptions(path), signer: { ...SIGNER, private_key_pem: other } });
  expect(strange).toMatchObject({ ok: false, error: { code: "RUMI-STO-002" } });
  const elsewhere = await openSqliteStore({ ...sqliteOptions(path), signer: { ...SIGNER, origin: "rumi.test/other" } });
  expect(elsewhere).toMatchObject({ ok: false, error: { code: "RUMI-STO-002" } });
  const again = await openTestStore(path);
  expect(await again.commit(batch([], [event()]))).toMatchObject({ ok: true, value: { indices: [300] } });
  await again.close();
});
