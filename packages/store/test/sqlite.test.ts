import { describe, expect, it, onTestFinished } from "vitest";
import { rootFromTiles, verifyCheckpoint } from "@rumi/ledger";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { storedLog } from "../src/index.ts";
import { noteSigner } from "../src/log/leaves.ts";
import { storeConformance } from "./conformance.ts";
import { batch, bundledWorker, event, openTestStore, SIGNER } from "./support.ts";

const folder = (): string => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
};

describe("SQLite, writer in this thread", () => {
  storeConformance((limits = {}) => openTestStore(folder(), { limits }));
});

describe("SQLite, writer in its own thread", () => {
  storeConformance(async (limits = {}) =>
    openTestStore(folder(), { limits, writer: { kind: "worker", worker_url: await bundledWorker() } }),
  );
});

it("two writers on one file make one log: each sees what the other appended before it appends", async () => {
  const path = folder();
  const worker_url = await bundledWorker();
  const stores = [
    await openTestStore(path, { writer: { kind: "worker", worker_url } }),
    await openTestStore(path, { writer: { kind: "worker", worker_url } }),
  ];
  const indices: number[] = [];
  await Promise.all(
    stores.map(async (store) => {
      for (let i = 0; i < 150; i += 1) {
        const done = await store.commit(batch([], [event()]));
        if (!done.ok) expect.fail(JSON.stringify(done.error));
        indices.push(...done.value.indices);
      }
    }),
  );
  expect(indices.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, i) => i));
  const [store] = stores;
  if (store === undefined) return expect.fail("no store");
  const log = storedLog(store, store);
  const head = verifyCheckpoint((await log.checkpoint()) ?? "", noteSigner(SIGNER));
  if (!head.ok) return expect.fail(head.error.code);
  expect(await rootFromTiles(300, (level, index) => log.tile(level, index))).toEqual({
    ok: true,
    value: Buffer.from(head.value.root),
  });
  await Promise.all(stores.map((one) => one.close()));
  return undefined;
});
