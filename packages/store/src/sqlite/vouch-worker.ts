/**
 * A thread that vouches for ranges of a stored log, through a connection of its own. Bundled as `verify-worker.js`.
 *
 * It reads what is newer than the head that is verified, which makes no difference: entries never change, and a payload
 * that was erased meanwhile is not vouched for.
 */
import { parentPort, workerData } from "node:worker_threads";
import { FailureError, invariant } from "@rumi/kernel";
import { vouchForRange } from "@rumi/ledger";
import { packedLog } from "../log/packed.ts";
import { openSqliteReader } from "./reader.ts";
import type { FromVoucher, ToVoucher, VoucherStart } from "./vouchers.ts";

invariant(parentPort !== null, "verify-worker runs in a worker thread");
const port = parentPort;
const say = (message: FromVoucher): void => port.postMessage(message);

const opened = openSqliteReader((workerData as VoucherStart).path);
if (!opened.ok) throw new FailureError(opened.error);
const log = packedLog(opened.value);
let last = Promise.resolve();
port.on("message", ({ first_index }: ToVoucher) => {
  // One after the other: memory stays at one tile's entries.
  last = last.then(async () => say({ roots: await vouchForRange(log, first_index) }));
});
