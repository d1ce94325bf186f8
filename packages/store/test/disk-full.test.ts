/** [G-7.2] A disk that is full or cannot be written: a code, nothing changed, and work goes on when it can. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import type { Store, WriterPlace } from "../src/index.ts";
import { batch, bundledWorker, event, insertThing, openTestStore, type ThingTables } from "./support.ts";

/** A filesystem of four megabytes, where this user may mount one. */
function tinyDisk(): string | undefined {
  const { path, remove } = temporaryFolder();
  const disk = join(path, "disk");
  mkdirSync(disk);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], { stdio: "ignore" });
  } catch {
    remove();
    return undefined; // not allowed here: the page limit below stands in
  }
  onTestFinished(() => {
    execFileSync("umount", ["-l", disk]);
    remove();
  });
  return disk;
}

const countThings = async (store: Store): Promise<number> =>
  (await store.rows(store.builder<ThingTables>().selectFrom("thing").select("id"))).length;

const places: Record<string, () => Promise<WriterPlace>> = {
  "writer in this thread": async () => ({ kind: "in_process" }),
  "writer in its own thread": async () => ({ kind: "worker", worker_url: await bundledWorker() }),
};

for (const [name, place] of Object.entries(places)) {
  describe(name, () => {
    it("[G-7.2] a full disk: RUMI-SYS-008, nothing changed, and the store works again once there is space", async (context) => {
      const disk = tinyDisk();
      if (disk === undefined) return context.skip("this user may not mount a filesystem");
      const store = await openTestStore(disk, { writer: await place() });
      const filler = join(disk, "filler");
      let done = 0;
      let refused: string | undefined;
      writeFileSync(filler, new Uint8Array(1_500_000));
      for (let i = 0; refused === undefined && i < 500; i += 1) {
        const outcome = await store.commit(
          batch([insertThing(store, `t${i}`, { bytes: new Uint8Array(20_000) })], [event()]),
        );
        if (outcome.ok) done += 1;
        else refused = outcome.error.kind === "failed" ? outcome.error.failure.code : outcome.error.kind;
      }
      expect(refused).toBe("RUMI-SYS-008");
      expect(await countThings(store)).toBe(done);
      rmSync(filler);
      expect(await store.commit(batch([insertThing(store, "after")], [event()]))).toEqual({
        ok: true,
        value: { indices: [done], log_size: done + 1 },
      });
      await store.close();
      const again = await openTestStore(disk);
      expect(await countThings(again)).toBe(done + 1);
      await again.close();
      return undefined;
    });
  });
}

it("[G-7.2] a page limit reached inside a group fails the whole group and leaves the log as it was", async () => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  const store = await openTestStore(path);
  expect(await store.commit(batch([], [event()]))).toMatchObject({ ok: true });
  const [pages] = await store.rows<{ page_count: number }>({ sql: "PRAGMA page_count", parameters: [] });
  const limit = (max: number): Promise<unknown> =>
    store.commit(batch([{ sql: `PRAGMA max_page_count = ${max}`, parameters: [], expect: "any" }]));
  await limit((pages?.page_count ?? 0) + 2);
  const group = await Promise.all(
    Array.from({ length: 5 }, (_, i) =>
      store.commit(batch([insertThing(store, `t${i}`, { bytes: new Uint8Array(i === 3 ? 100_000 : 10) })], [event()])),
    ),
  );
  for (const outcome of group)
    expect(outcome).toMatchObject({ ok: false, error: { kind: "failed", failure: { code: "RUMI-SYS-008" } } });
  expect(await countThings(store)).toBe(0);
  await limit(1_000_000);
  expect(await store.commit(batch([insertThing(store, "after")], [event()]))).toEqual({
    ok: true,
    value: { indices: [1], log_size: 2 },
  });
  await store.close();
});
