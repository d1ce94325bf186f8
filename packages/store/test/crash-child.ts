/** A program that commits as fast as it can and says what was acknowledged; crash.test.ts kills it. */
import { writeSync } from "node:fs";
import { systemRandom } from "@rumi/kernel";
import { openSqliteStore } from "../src/index.ts";
import { batch, event, insertThing, sqliteOptions } from "./support.ts";

const [folder = "", round = "", pem = ""] = process.argv.slice(2);
const opened = await openSqliteStore(
  sqliteOptions(folder, {
    random: systemRandom(),
    signer: { origin: "rumi.test/log", private_key_pem: Buffer.from(pem, "base64").toString() },
  }),
);
if (!opened.ok) throw new Error(`${opened.error.code} ${JSON.stringify(opened.error.params)}`);
const store = opened.value;
await Promise.all(
  Array.from({ length: 8 }, async (_, caller) => {
    for (let i = 0; ; i += 1) {
      const id = `${round}-${caller}-${i}`;
      const one = event({ resource_id: id });
      const done = await store.commit(batch([insertThing(store, id)], [one]));
      if (!done.ok) throw new Error(JSON.stringify(done.error));
      writeSync(1, `${done.value.indices[0]} ${one.event_id} ${id}\n`);
    }
  }),
);
