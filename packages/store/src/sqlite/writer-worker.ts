/** The writer's thread: opens the writer, then answers one group at a time. Bundled as `writer-worker.js`. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant, unreachable } from "@rumi/kernel";
import { unpackGroup } from "./group-pack.ts";
import { packOutcomes, type FromWriter, type ToWriter, type WriterStart } from "./writer-protocol.ts";
import { openWriter } from "./writer.ts";

invariant(parentPort !== null, "writer-worker runs in a worker thread");
const port = parentPort;
const say = (message: FromWriter): void => port.postMessage(message);

const opened = openWriter(workerData as WriterStart);
if (opened.ok) {
  const writer = opened.value;
  port.on("message", (message: ToWriter) => {
    if (message.kind === "group")
      say({ kind: "outcomes", outcomes: packOutcomes(writer.commitGroup(unpackGroup(message.group))) });
    else if (message.kind === "close") {
      writer.close();
      say({ kind: "closed" });
      port.close();
    } else unreachable(message);
  });
  say({ kind: "ready" });
} else {
  const { code, params } = opened.error; // causes may not be cloneable
  say({ kind: "refused", failure: { code, params } });
  port.close();
}
