/**
 * A lane: one thread that hosts instances, each with a loop of its own that gives way after every slice.
 *
 * Entry point of the thread (bundled; its URL is given to the runner). Wasm strategies run right here; a Python
 * strategy has the whole lane, because its thread sleeps while the process works.
 */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@rumi/kernel";
import { Lane } from "./lane.ts";
import type { LaneData, ToLane } from "./messages.ts";
import { lowerThread } from "./priority.ts";

const port = parentPort;
invariant(port !== null, "a lane runs as a thread");
const data = workerData as LaneData;
if (data.lane === "compute") lowerThread();
const lane = new Lane(data, (message) => port.postMessage(message));
port.on("message", (message: ToLane) => lane.take(message));
