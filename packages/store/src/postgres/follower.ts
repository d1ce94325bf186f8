/** Follows the log for those who listen: reads what was appended since, whoever sealed it, in order. */
import type { LedgerEvent } from "@rumi/ledger";
import { listeners, type AppendListener } from "../listeners.ts";
import { eventOf } from "../log/leaves.ts";
import type { Reader } from "../port.ts";

const PAGE_ROWS = 1_000;
const SELECT_APPENDED = `SELECT e.idx, p.payload FROM log_entry e LEFT JOIN log_payload p ON p.idx = e.idx
  WHERE e.idx >= $1 ORDER BY e.idx LIMIT ${PAGE_ROWS}`;
const SELECT_SIZE = "SELECT coalesce(max(size), 0) AS size FROM log_checkpoint WHERE kind = 'current'";

export type LogFollower = {
  add(listener: AppendListener): () => void;
  /** Reads on and tells; one look at a time. */
  look(): Promise<void>;
};

export function logFollower(reader: Reader, size: number): LogFollower {
  const heard = listeners();
  let next = size;
  let looking: Promise<void> | undefined;

  async function read(): Promise<void> {
    for (;;) {
      const rows = await reader.rows<{ idx: number; payload: string | null }>({
        sql: SELECT_APPENDED,
        parameters: [next],
      });
      // An erased payload leaves a hole: the runs of events around it are told apart from each other.
      let run: LedgerEvent[] = [];
      for (const { idx, payload } of rows) {
        if (payload !== null) run.push(eventOf(payload));
        if (payload === null || idx === rows.at(-1)?.idx) {
          const first = payload === null ? idx - run.length : idx - run.length + 1;
          if (run.length > 0) heard.tell(first, run);
          run = [];
        }
        next = idx + 1;
      }
      if (rows.length < PAGE_ROWS) return;
    }
  }

  /** Nobody listens: what is appended meanwhile is nobody's news. */
  async function skip(): Promise<void> {
    const rows = await reader.rows<{ size: number }>({ sql: SELECT_SIZE, parameters: [] });
    next = Math.max(next, rows[0]?.size ?? 0);
  }

  return {
    add: (listener) => heard.add(listener),
    look: () =>
      (looking ??= (heard.count() > 0 ? read() : skip()).finally(() => {
        looking = undefined;
      })),
  };
}
