import { describe, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { storeConformance } from "./conformance.ts";
import { bundledWorker, openTestStore } from "./support.ts";

const folder = (): string => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
};

describe("SQLite, writer in this thread", () => {
  storeConformance((limits = {}) => openTestStore(folder(), { limits }));
});

describe("SQLite, writer in its own thread", () => {
  storeConformance(async (limits = {}) => openTestStore(folder(), { limits, writer: { kind: "worker", worker_url: await bundledWorker() } }));
});
