/** Reads the log's head out of SQLite and checks it; see log/head.ts for what is checked. */
import type { Failure, Result } from "@rumi/kernel";
import type { LogHead, NoteSigner } from "@rumi/ledger";
import { checkedHead, HEAD_QUERIES, type HeadRows } from "../log/head.ts";
import type { Connection } from "./driver.ts";

export function verifiedHead(db: Connection, signer: NoteSigner): Result<LogHead, Failure> {
  const rows = {
    checkpoints: db.all(HEAD_QUERIES.checkpoint, []),
    last: db.all(HEAD_QUERIES.last, []),
    tiles: db.all(HEAD_QUERIES.tiles, []),
  };
  return checkedHead(rows as unknown as HeadRows, signer);
}
