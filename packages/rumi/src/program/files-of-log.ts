/** Brings tile files and JSONL lines up to what the store's log holds; called again and again by the log's views. */
import {
  localDays,
  openJsonlWriter,
  parseCheckpoint,
  updateTileFiles,
  type JsonlWriter,
  type NoteVerifier,
} from "@rumi/ledger";
import { ok, type Failure, type Result } from "@rumi/kernel";
import { storedLog, type Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";

export function filesOfLog(
  store: Pick<Store, "builder" | "dialect" | "snapshot">,
  paths: Pick<HomePaths, "tlog" | "audit">,
  verifier: NoteVerifier,
): () => Promise<Result<unknown, Failure>> {
  let jsonl: JsonlWriter | undefined;
  return () =>
    store.snapshot(async (reader) => {
      const source = storedLog(store, reader);
      const note = await source.checkpoint();
      const head = note === undefined ? undefined : parseCheckpoint(note);
      if (head === undefined) return ok(undefined);
      if (!head.ok) return head;
      const tiles = await updateTileFiles({ directory: paths.tlog, source, verifier });
      if (!tiles.ok) return tiles;
      if (jsonl === undefined) {
        const opened = await openJsonlWriter(paths.audit, localDays());
        if (!opened.ok) return opened;
        jsonl = opened.value;
      }
      const caught = await jsonl.catchUp(source, head.value.size);
      return caught.ok ? jsonl.flush() : caught;
    });
}
