/** What every store must do, whatever lies below it. Called once per implementation by its test file. */
import { expect, it, onTestFinished } from "vitest";
import { FailureError, micros } from "@rumi/kernel";
import {
  inclusionProof,
  leafHash,
  rootFromTiles,
  verifyCheckpoint,
  verifyInclusion,
  type LedgerEvent,
} from "@rumi/ledger";
import {
  claimKey,
  dueOutbox,
  doneOutboxWrite,
  erasableEntries,
  erasePayloadsWrite,
  feedEnd,
  feedWrite,
  findKey,
  finishKey,
  forgetKeysWrite,
  logIndexOf,
  putOutboxWrite,
  queryAudit,
  readFeed,
  retryOutboxWrite,
  retryWaitMs,
  storedLog,
  takenOutbox,
  takeOverKey,
  takeOutboxWrite,
  trimFeedWrite,
  unfinishedKeys,
  type AuditFilter,
  type AuditPage,
  type Store,
  type StoreLimits,
} from "../src/index.ts";
import { noteSigner } from "../src/log/leaves.ts";
import { LOOKUP_CHUNK } from "../src/log/lookup.ts";
import { batch, bumpThing, event, insertThing, SIGNER, type ThingTables } from "./support.ts";

export type StoreFactory = (limits?: Partial<StoreLimits>) => Promise<Store>;

const at = micros(1_790_000_000_000_000);
const code = (thrown: unknown): string =>
  thrown instanceof FailureError ? thrown.failure.code : `no failure: ${String(thrown)}`;
const caught = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "it did not fail",
    (cause: unknown) => cause,
  );
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));
async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i += 1) {
    if (await check()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect.fail("it did not happen within four seconds");
}

export function storeConformance(open: StoreFactory): void {
  const fresh = async (limits?: Partial<StoreLimits>): Promise<Store> => {
    const store = await open(limits);
    onTestFinished(() => store.close());
    return store;
  };
  const things = (store: Store) => store.builder<ThingTables>().selectFrom("thing").selectAll().orderBy("id");
  const logSize = async (store: Store): Promise<number> =>
    (await store.rows<{ n: number }>({ sql: "SELECT count(*) AS n FROM log_entry", parameters: [] }))[0]?.n ?? -1;

  it("state and events commit together", async () => {
    const store = await fresh();
    const events = [event(), event()];
    const done = await store.commit(batch([insertThing(store, "a")], events));
    expect(done).toEqual({ ok: true, value: { indices: [0, 1], log_size: 2 } });
    expect(await store.rows(things(store))).toEqual([{ id: "a", version: 1, label: null, bytes: null }]);
    expect(await logIndexOf(store, store, events[1]?.event_id ?? "")).toBe(1);
  });

  it("a conflict undoes the whole batch, writes and events", async () => {
    const store = await fresh();
    await store.commit(batch([insertThing(store, "a")]));
    const lost = await store.commit(
      batch([insertThing(store, "b"), bumpThing(store, "a", 7), insertThing(store, "c")], [event()]),
    );
    expect(lost).toEqual({ ok: false, error: { kind: "conflict", write_index: 1, changed: 0 } });
    expect((await store.rows<{ id: string }>(things(store))).map((row) => row.id)).toEqual(["a"]);
    expect(await logSize(store)).toBe(0);
  });

  it("a duplicate key is a conflict of the write that met it", async () => {
    const store = await fresh();
    await store.commit(batch([insertThing(store, "a")]));
    expect(await store.commit(batch([insertThing(store, "b"), insertThing(store, "a")]))).toEqual({
      ok: false,
      error: { kind: "conflict", write_index: 1, changed: 0 },
    });
    expect(await store.rows(things(store))).toHaveLength(1);
  });

  it("expected counts are exact, and any is any", async () => {
    const store = await fresh();
    await store.commit(batch([insertThing(store, "a"), insertThing(store, "b")]));
    const all = store.builder<ThingTables>().updateTable("thing").set({ label: "x" }).compile();
    expect(await store.commit(batch([{ ...all, expect: 1 }]))).toEqual({
      ok: false,
      error: { kind: "conflict", write_index: 0, changed: 2 },
    });
    expect(await store.commit(batch([{ ...all, expect: 2 }]))).toMatchObject({ ok: true });
    expect(await store.commit(batch([{ ...all, expect: "any" }]))).toMatchObject({ ok: true });
  });

  it("batches in flight together: the second of two that want the same row loses alone", async () => {
    const store = await fresh();
    await store.commit(batch([insertThing(store, "a")]));
    const outcomes = await Promise.all([
      store.commit(batch([bumpThing(store, "a", 1)], [event()])),
      store.commit(batch([bumpThing(store, "a", 1)], [event()])),
      store.commit(batch([insertThing(store, "b")], [event()])),
    ]);
    expect(outcomes.map((outcome) => Number(outcome.ok)).toSorted((x, y) => x - y)).toEqual([0, 1, 1]);
    expect(outcomes[2]?.ok).toBe(true);
    expect(await logSize(store)).toBe(2);
    expect((await store.rows<{ version: number }>(things(store)))[0]?.version).toBe(2);
  });

  it("a refused statement fails its own batch only, with a code", async () => {
    const store = await fresh();
    const broken = { sql: "UPDATE nowhere SET x = 1", parameters: [], expect: 1 };
    const [bad, good] = await Promise.all([
      store.commit(batch([broken], [event()])),
      store.commit(batch([insertThing(store, "a")], [event()])),
    ]);
    expect(bad).toMatchObject({ ok: false, error: { kind: "failed", failure: { code: "RUMI-STO-010" } } });
    expect(good).toMatchObject({ ok: true });
    expect(await logSize(store)).toBe(1);
  });

  it("the same event enters the log once", async () => {
    const store = await fresh();
    const twice = event();
    expect(await store.commit(batch([], [twice]))).toMatchObject({ ok: true });
    expect(await store.commit(batch([insertThing(store, "a")], [twice]))).toMatchObject({
      ok: false,
      error: { kind: "conflict" },
    });
    expect(await store.rows(things(store))).toEqual([]);
    expect(await logSize(store)).toBe(1);
  });

  it("whoever saw a commit's answer reads what it wrote, also beside a snapshot of the same turn", async () => {
    const store = await fresh();
    const counted = (): Promise<number> => store.snapshot(async (reader) => (await reader.rows(things(store))).length);
    for (let i = 0; i < 40; i += 1) {
      const [before, after] = await Promise.all([
        counted(),
        store.commit(batch([insertThing(store, `t${i}`)])).then(counted),
      ]);
      expect(after).toBe(i + 1);
      expect(before).toBeLessThanOrEqual(after);
      expect(before).toBeGreaterThanOrEqual(i);
    }
  });

  it("of many batches in flight those with a problem lose alone, and the others keep their order", async () => {
    const store = await fresh();
    const twice = event();
    await store.commit(batch([insertThing(store, "a")], [twice]));
    const lost = new Map([
      [3, batch([insertThing(store, "x3")], [event(), twice])],
      [7, batch([insertThing(store, "x7"), bumpThing(store, "a", 9)], [event()])],
      [20, batch([insertThing(store, "a")], [event()])],
    ]);
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        store.commit(lost.get(i) ?? batch([insertThing(store, `t${i}`)], [event(), event()])),
      ),
    );
    expect(outcomes.map((outcome) => outcome.ok)).toEqual(outcomes.map((_, i) => !lost.has(i)));
    expect([...lost.keys()].map((i) => outcomes[i])).toMatchObject([
      { error: { kind: "conflict", write_index: 1 } },
      { error: { kind: "conflict", write_index: 1, changed: 0 } },
      { error: { kind: "conflict", write_index: 0 } },
    ]);
    const indices = outcomes.flatMap((outcome) => (outcome.ok ? outcome.value.indices : []));
    expect(indices.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 54 }, (_, i) => i + 1));
    expect(await store.rows(things(store))).toHaveLength(28);
    expect(await logSize(store)).toBe(55);
  });

  it("a snapshot sees one moment", async () => {
    const store = await fresh();
    await store.commit(batch([insertThing(store, "a")]));
    const [before, after] = await store.snapshot(async (reader) => {
      const first = await reader.rows(things(store));
      await store.commit(batch([insertThing(store, "b")]));
      return [first, await reader.rows(things(store))];
    });
    expect(after).toEqual(before);
    expect(await store.rows(things(store))).toHaveLength(2);
  });

  it("a snapshot is of the moment it began, not of its first read", async () => {
    const store = await fresh();
    const seen = await store.snapshot(async (reader) => {
      await store.commit(batch([insertThing(store, "a")]));
      return reader.rows(things(store));
    });
    expect(seen).toEqual([]);
  });

  it("a snapshot that throws gives its connection back", async () => {
    const store = await fresh({ snapshots: 1 });
    const thrown = new Error("mine");
    expect(await caught(store.snapshot(() => Promise.reject(thrown)))).toBe(thrown);
    expect(await store.snapshot((reader) => reader.rows(things(store)))).toEqual([]);
  });

  it("snapshots beyond the limit wait, and beyond the waiting ones are refused", async () => {
    const store = await fresh({ snapshots: 1, queued_snapshots: 1 });
    let free = (): void => undefined;
    const held = new Promise<void>((resolve) => (free = resolve));
    const first = store.snapshot(() => held);
    await nextTurn(); // those of one turn may share a connection
    const second = store.snapshot(async () => "second");
    await nextTurn();
    expect(code(await caught(store.snapshot(async () => "third")))).toBe("RUMI-STO-001");
    free();
    await first;
    expect(await second).toBe("second");
  });

  it("reads cannot write", async () => {
    const store = await fresh();
    await store.snapshot(async (reader) => {
      expect(code(await caught(reader.rows({ sql: "DELETE FROM thing", parameters: [] })))).toMatch(
        /^RUMI-STO-0(06|10)$/,
      );
    });
  });

  it("values come back as they went in: bytes, integers, null, every text unnormalised", async () => {
    const store = await fresh();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const label = "e\u0301 é Å 日本語 🎏 \n\t'\"\\";
    for (const [id, version] of [
      ["max", Number.MAX_SAFE_INTEGER],
      ["min", Number.MIN_SAFE_INTEGER],
      ["zero", 0],
    ] as const) {
      expect(await store.commit(batch([insertThing(store, id, { version, label, bytes })]))).toMatchObject({
        ok: true,
      });
      const [row] = await store.rows<ThingTables["thing"]>(things(store).where("id", "=", id));
      expect(row).toEqual({ id, version, label, bytes });
      expect(row?.bytes?.constructor).toBe(Uint8Array);
    }
    expect(
      await store.commit(batch([insertThing(store, "empty", { label: "", bytes: new Uint8Array(0) })])),
    ).toMatchObject({ ok: true });
    expect(await store.rows(things(store).where("id", "=", "empty"))).toEqual([
      { id: "empty", version: 1, label: "", bytes: new Uint8Array(0) },
    ]);
    expect(
      await store.rows({
        sql: "SELECT count(*) AS n, max(version) AS top, sum(version) AS total FROM thing WHERE version < 2 AND version > -2",
        parameters: [],
      }),
    ).toEqual([{ n: 2, top: 1, total: 1 }]);
  });

  it("what cannot be kept exactly is refused before anything changes", async () => {
    const store = await fresh();
    const nothing: unknown[] = [2 ** 53, 1.5, Number.NaN, true, undefined, 1n, "a\u0000b", "\ud800", {}, [1]];
    for (const label of nothing) {
      const refused = await store.commit(
        batch([insertThing(store, "x"), { ...insertThing(store, "a"), parameters: ["a", 1, label, null] }], [event()]),
      );
      expect(refused, String(label)).toMatchObject({
        ok: false,
        error: { kind: "failed", failure: { code: "RUMI-STO-005" } },
      });
    }
    expect(await store.rows(things(store))).toEqual([]);
  });

  it("an integer of 2^53 in a table is refused when read, not rounded", async () => {
    const store = await fresh();
    await store.commit(
      batch([{ sql: "INSERT INTO thing (id, version) VALUES ('big', 9007199254740993)", parameters: [], expect: 1 }]),
    );
    expect(code(await caught(store.rows(things(store))))).toBe("RUMI-STO-005");
  });

  it("event order is log order, gapless and contiguous per batch, whatever the clock says", async () => {
    const store = await fresh();
    const batches = Array.from({ length: 40 }, (_, i) => [
      event({ occurred_at: micros(at - i * 1_000_000) }),
      event({ occurred_at: micros(at - i * 1_000_000) }),
    ]);
    const receipts = await Promise.all(batches.map((events) => store.commit(batch([], events))));
    const indices = receipts.map((receipt) => (receipt.ok ? receipt.value.indices : []));
    expect(indices.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 80 }, (_, i) => i));
    for (const [i, [first = -1, second]] of indices.entries()) {
      expect(second).toBe(first + 1);
      const rows = await store.rows<{ event_id: string }>({
        sql: `SELECT event_id FROM log_entry WHERE idx >= ${first} AND idx <= ${first + 1} ORDER BY idx`,
        parameters: [],
      });
      expect(rows.map((row) => row.event_id)).toEqual(batches[i]?.map((one) => one.event_id));
    }
    const later = await store.commit(batch([], [event({ occurred_at: micros(1) })]));
    expect(later).toMatchObject({ ok: true, value: { indices: [80], log_size: 81 } });
  });

  it("log_size covers the batch's own events and never shrinks", async () => {
    const store = await fresh();
    let last = 0;
    for (let i = 0; i < 10; i += 1) {
      const done = await store.commit(batch([], i % 3 === 2 ? [] : [event()]));
      if (!done.ok) return expect.fail("a commit failed");
      expect(done.value.log_size).toBeGreaterThanOrEqual(last);
      for (const index of done.value.indices) expect(done.value.log_size).toBeGreaterThan(index);
      last = done.value.log_size;
    }
  });

  it("listeners hear every event once, in log order, and stop when they leave", async () => {
    const store = await fresh();
    const heard: [number, string][] = [];
    const leave = store.onAppended((first, events) =>
      events.forEach((one, offset) => heard.push([first + offset, one.event_id])),
    );
    await Promise.all(Array.from({ length: 20 }, () => store.commit(batch([], [event(), event()]))));
    await eventually(() => heard.length === 40);
    expect(heard.map(([index]) => index)).toEqual(Array.from({ length: 40 }, (_, i) => i));
    const rows = await store.rows<{ event_id: string }>({
      sql: "SELECT event_id FROM log_entry ORDER BY idx",
      parameters: [],
    });
    expect(heard.map(([, id]) => id)).toEqual(rows.map((row) => row.event_id));
    leave();
    await store.commit(batch([], [event()]));
    expect(heard).toHaveLength(40);
  });

  it("close answers what was sent before, refuses what comes after, and may be called twice", async () => {
    const store = await open();
    const before = Array.from({ length: 30 }, () => store.commit(batch([], [event()])));
    const closed = store.close();
    const after = store.commit(batch([], [event()]));
    expect((await Promise.all(before)).every((outcome) => outcome.ok)).toBe(true);
    expect(await after).toMatchObject({ ok: false, error: { kind: "failed", failure: { code: "RUMI-SYS-009" } } });
    await Promise.all([closed, store.close()]);
  });

  it("more batches than the queue holds are refused with a code, never lost", async () => {
    const store = await fresh({ queued_batches: 5 });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => store.commit(batch([], [event()]))));
    const done = outcomes.filter((outcome) => outcome.ok).length;
    const full = outcomes.filter(
      (outcome) => !outcome.ok && outcome.error.kind === "failed" && outcome.error.failure.code === "RUMI-STO-001",
    ).length;
    expect(done).toBeGreaterThanOrEqual(5);
    expect(done + full).toBe(50);
    expect(full).toBeGreaterThan(0);
    expect(await logSize(store)).toBe(done);
  });

  it("a batch has limits", async () => {
    const store = await fresh({ batch_writes: 2, batch_events: 2 });
    const write = insertThing(store, "a");
    expect(await store.commit(batch([write, write, write]))).toMatchObject({
      ok: false,
      error: { failure: { code: "RUMI-STO-013", params: { what: "writes" } } },
    });
    expect(await store.commit(batch([], [event(), event(), event()]))).toMatchObject({
      ok: false,
      error: { failure: { code: "RUMI-STO-013", params: { what: "events" } } },
    });
  });

  it("an event outside the catalogue stops its caller, and nobody else", async () => {
    const store = await fresh();
    const [thrown, good] = await Promise.all([
      caught(store.commit(batch([], [event({ action: "no.such.kind" })]))),
      store.commit(batch([], [event()])),
    ]);
    expect(String(thrown)).toMatch(/broken invariant/);
    expect(good).toMatchObject({ ok: true });
  });

  it("the stored log verifies: signature, root, inclusion; across tile borders and kept checkpoints", async () => {
    const store = await fresh({ leaves_per_kept_checkpoint: 100, batch_events: 300 });
    for (const count of [1, 255, 1, 100, 200])
      expect(
        await store.commit(
          batch(
            [],
            Array.from({ length: count }, () => event()),
          ),
        ),
      ).toMatchObject({ ok: true });
    await store.snapshot(async (reader) => {
      const log = storedLog(store, reader);
      const head = verifyCheckpoint((await log.checkpoint()) ?? "", noteSigner(SIGNER));
      if (!head.ok) return expect.fail(head.error.code);
      expect(head.value.size).toBe(557);
      const tile = (level: number, index: number): Promise<Uint8Array | undefined> => log.tile(level, index);
      expect(await rootFromTiles(557, tile)).toEqual({ ok: true, value: Buffer.from(head.value.root) });
      const leaves = await log.leaves(0, 557);
      for (const index of [0, 255, 256, 511, 556]) {
        const proof = await inclusionProof(index, 557, tile);
        if (!proof.ok || !leaves.ok) return expect.fail("no proof");
        const verified = verifyInclusion(
          { index, size: 557, leaf_hash: leafHash(leaves.value[index] ?? new Uint8Array(0)), proof: proof.value },
          head.value.root,
        );
        expect(verified).toBe(true);
      }
    });
    const kept = await store.rows<{ size: number }>({
      sql: "SELECT size FROM log_checkpoint WHERE kind = 'kept' ORDER BY size",
      parameters: [],
    });
    expect(kept.map((row) => row.size)).toEqual([256, 357, 557]);
  });

  it("audit queries find by every filter, page by index, and show an erased event as erased", async () => {
    const store = await fresh();
    const one = (more: Partial<LedgerEvent>, details: Partial<LedgerEvent["details"]> = {}): LedgerEvent =>
      event({ ...more, details: { ...event().details, ...details } as LedgerEvent["details"] });
    const events = [
      one({}, { request_id: "r-1" }),
      one({ resource_id: "grid-2", occurred_at: micros(at + 5) }, { trace_id: "ffff" }),
      one({ action: "controlplane.command.denied", outcome: "REJECTED" }),
      one({ actor: "user:ann", occurred_at: micros(at - 5) }, { run_id: "run-1" }),
    ];
    await store.commit(batch([], events));
    const page = { cursor: null, order: "oldest_first", rows: 10 } as const;
    const found = async (filter: Parameters<typeof queryAudit>[2]): Promise<readonly number[]> =>
      (await queryAudit(store, store, filter, page)).map((row) => row.idx);
    expect(await found({})).toEqual([0, 1, 2, 3]);
    expect(await found({ actions: ["controlplane.command.denied"] })).toEqual([2]);
    expect(await found({ actor: "user:ann" })).toEqual([3]);
    expect(await found({ resource_type: "bot", resource_id: "grid-2" })).toEqual([1]);
    expect(await found({ trace_id: "ffff" })).toEqual([1]);
    expect(await found({ run_id: "run-1" })).toEqual([3]);
    expect(await found({ request_id: "r-1" })).toEqual([0]);
    expect(await found({ from: at, to: micros(at + 5) })).toEqual([0, 2]);
    expect(
      (await queryAudit(store, store, {}, { cursor: 3, order: "newest_first", rows: 2 })).map((row) => row.idx),
    ).toEqual([2, 1]);
    expect(
      (await queryAudit(store, store, {}, { cursor: 2, order: "oldest_first", rows: 2 })).map((row) => row.event),
    ).toEqual([events[3]]);
    const erasable = async (from: number, before: number, actions: readonly string[]): Promise<readonly number[]> =>
      (await erasableEntries(store, store, from, [{ actions, before: micros(before) }], 9)).map(({ idx }) => idx);
    const everyKind = events.map(({ action }) => action);
    expect(await erasable(0, at + 1_000, everyKind)).toEqual([0, 1, 2, 3]);
    expect(await erasable(2, at + 1_000, everyKind)).toEqual([2, 3]);
    expect(await erasable(0, at, everyKind)).toEqual([3]);
    expect(await erasable(0, at - 5, everyKind), "younger than that").toEqual([]);
    expect(await erasable(0, at + 1_000, ["audit.gap"]), "of no such kind").toEqual([]);
    expect(await store.commit(batch([erasePayloadsWrite(store, [1])]))).toMatchObject({ ok: true });
    expect((await queryAudit(store, store, {}, { cursor: 0, order: "oldest_first", rows: 1 }))[0]).toMatchObject({
      idx: 1,
      resource_id: "grid-2",
      event: null,
    });
    expect((await storedLog(store, store).payloads(0, 3)).map((payload) => payload === undefined)).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("an entry is found by its words whether it is in the lookup yet or behind its head", async () => {
    const store = await fresh();
    const kinds = ["controlplane.command.applied", "controlplane.command.denied"] as const;
    const made = Array.from({ length: 2 * LOOKUP_CHUNK + 300 }, (_, at) =>
      event({
        action: kinds[at % 2] ?? kinds[0],
        resource_id: `grid-${at % 7}`,
        details: {
          ...event().details,
          trace_id: `trace-${Math.floor(at / 4)}`,
          request_id: at % 3 === 0 ? `request-${Math.floor(at / 30)}` : null,
          run_id: at % 5 === 0 ? `run-${at % 11}` : null,
        },
      }),
    );
    for (let at = 0; at < made.length; at += 500)
      expect((await store.commit(batch([], made.slice(at, at + 500)))).ok).toBe(true);
    const head = (await store.rows<{ size: number }>({ sql: "SELECT size FROM log_lookup_head", parameters: [] }))[0];
    expect(head?.size).toBe(2 * LOOKUP_CHUNK);
    const indices = (belongs: (one: LedgerEvent, at: number) => boolean): readonly number[] =>
      made.flatMap((one, at) => (belongs(one, at) ? [at] : []));
    const all = async (filter: AuditFilter, order: AuditPage["order"]): Promise<number[]> => {
      const found: number[] = [];
      for (let cursor: number | null = null; ; cursor = found.at(-1) ?? null) {
        const page = await queryAudit(store, store, filter, { cursor, order, rows: 97 });
        found.push(...page.map((row) => row.idx));
        if (page.length < 97) return found;
      }
    };
    const expectFound = async (filter: AuditFilter, indexes: readonly number[]): Promise<void> => {
      expect(indexes.length).toBeGreaterThan(0);
      expect(await all(filter, "oldest_first")).toEqual(indexes);
      expect(await all(filter, "newest_first")).toEqual(indexes.toReversed());
    };
    await expectFound(
      { actions: [kinds[1]] },
      indices((one) => one.action === kinds[1]),
    );
    await expectFound(
      { resource_type: "bot", resource_id: "grid-3" },
      indices((one) => one.resource_id === "grid-3"),
    );
    for (const at of [8, 2 * LOOKUP_CHUNK - 1, made.length - 1]) {
      const { trace_id } = made[at]?.details ?? { trace_id: "" };
      await expectFound(
        { trace_id },
        indices((one) => one.details.trace_id === trace_id),
      );
    }
    await expectFound(
      { request_id: "request-68" },
      indices((one) => one.details.request_id === "request-68"),
    );
    await expectFound(
      { run_id: "run-5", actions: [kinds[0]], resource_type: "bot", resource_id: "grid-1" },
      indices((one) => one.details.run_id === "run-5" && one.action === kinds[0] && one.resource_id === "grid-1"),
    );
    await expectFound(
      { actions: [...kinds], resource_id: "grid-2" },
      indices((one) => one.resource_id === "grid-2"),
    );
  });

  it("[L-N2] [G-6.2] of a thousand requests with one key, one acts; the answer is kept and replayed", async () => {
    const store = await fresh();
    const key = { key: "k-1", operation: "bot.start", fingerprint: "f1", actor: "user:root", trace_id: "t" };
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, (_, by) => store.commit(batch([claimKey(store, key, `claimed by ${by}`, at)]))),
    );
    const winner = outcomes.findIndex((outcome) => outcome.ok);
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1);
    const row = async (): Promise<unknown> => (await findKey(store, store, "k-1")) ?? expect.fail("the key is gone");
    const seen = `claimed by ${winner}`;
    expect(await row()).toMatchObject({ ...key, state: "requested", recovery_point: seen, answer: null });
    expect((await unfinishedKeys(store, store, 10)).map((one) => one.key)).toEqual(["k-1"]);
    const conflict = { ok: false, error: { kind: "conflict" } };
    const takeOver = takeOverKey(store, "k-1", seen, "another run", at);
    expect(await store.commit(batch([takeOver]))).toMatchObject({ ok: true });
    expect(await store.commit(batch([takeOver]))).toMatchObject(conflict);
    const late = finishKey(store, "k-1", seen, 200, "{}", at);
    expect(await store.commit(batch([late]))).toMatchObject(conflict);
    const finish = finishKey(store, "k-1", "another run", 202, '{"ok":true}', at);
    expect(await store.commit(batch([finish]))).toMatchObject({ ok: true });
    expect(await store.commit(batch([finish]))).toMatchObject(conflict);
    expect(await row()).toMatchObject({ state: "finished", status: 202, answer: '{"ok":true}', recovery_point: null });
    expect(await unfinishedKeys(store, store, 10)).toEqual([]);
    expect(await store.commit(batch([forgetKeysWrite(store, micros(at + 1), 10)]))).toMatchObject({ ok: true });
    expect(await findKey(store, store, "k-1")).toBeUndefined();
  });

  it("an outbox item is taken by one, finished only by its taker, and retried later and later", async () => {
    const store = await fresh();
    await store.commit(batch([putOutboxWrite(store, { kind: "start", key: "grid-1", payload: "{}", at })]));
    const [due] = await dueOutbox(store, store, at, 10);
    if (due === undefined) return expect.fail("nothing is due");
    const takes = await Promise.all(
      [1, 2].map(() => store.commit(batch([takeOutboxWrite(store, due, at, 1_000 as never)]))),
    );
    expect(takes.map((take) => Number(take.ok)).toSorted((x, y) => x - y)).toEqual([0, 1]);
    expect(await dueOutbox(store, store, at, 10)).toEqual([]);
    const [again] = await dueOutbox(store, store, micros(at + 1_000_000), 10); // the taker died; its hold is over
    if (again === undefined) return expect.fail("it is not due again");
    await store.commit(batch([takeOutboxWrite(store, again, at, 1_000 as never)]));
    expect(await store.commit(batch([doneOutboxWrite(store, takenOutbox(due))]))).toMatchObject({
      ok: false,
      error: { kind: "conflict" },
    });
    expect(await store.commit(batch([retryOutboxWrite(store, takenOutbox(again), at, "no")]))).toMatchObject({
      ok: true,
    });
    const [third] = await dueOutbox(store, store, micros(at + 1_000_000), 10);
    expect(third).toMatchObject({ attempts: 2, last_error: "no", next_at: at + 1_000_000 });
    await store.commit(batch([putOutboxWrite(store, { kind: "start", key: "grid-1", payload: '{"v":2}', at })]));
    expect(await store.commit(batch([doneOutboxWrite(store, takenOutbox(again))]))).toMatchObject({ ok: false });
    expect([1, 2, 3, 30].map(retryWaitMs)).toEqual([500, 1_000, 2_000, 300_000]);
  });

  it("the change feed is read in order after a number, and says when it was trimmed past it", async () => {
    const store = await fresh();
    await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        store.commit(batch([feedWrite(store, { kind: "bot", key: `b${i}`, data: "{}", at })])),
      ),
    );
    await eventually(async () => (await readFeed(store, store, 0, 100)).rows.length === 30);
    const { rows, gap } = await readFeed(store, store, 0, 100);
    expect(gap).toBe(false);
    expect(rows.map((row) => row.seq)).toEqual(rows.map((row) => row.seq).toSorted((a, b) => a - b));
    expect(await feedEnd(store, store)).toBe(rows.at(-1)?.seq);
    expect((await readFeed(store, store, rows[9]?.seq ?? 0, 5)).rows).toEqual(rows.slice(10, 15));
    await store.commit(batch([trimFeedWrite(store, 10)]));
    expect(await readFeed(store, store, rows[25]?.seq ?? 0, 100)).toEqual({ rows: rows.slice(26), gap: false });
    expect((await readFeed(store, store, rows[3]?.seq ?? 0, 100)).gap).toBe(true);
  });
}
