import { spawn } from "node:child_process";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { COMPUTE_NICE, descendants, groupOf, lowerGroups, niceOf } from "./priority.ts";

it("[M-0.4] a Compute lane lowers its own thread alone, as the kernel shows", async () => {
  const folder = temporaryFolder();
  const outfile = join(folder.path, "worker.mjs");
  await build({
    stdin: {
      contents: `import { parentPort } from "node:worker_threads"; import { lowerThread } from "./priority.ts"; parentPort.postMessage(lowerThread());`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
      loader: "ts",
    },
    bundle: true,
    platform: "node",
    format: "esm",
    outfile,
    logLevel: "error",
  });
  const before = niceOf("/proc/self/stat");
  const worker = new Worker(outfile);
  // Both are awaited from the start: a worker that was done before we looked tells both in one turn.
  const [[nice]] = (await Promise.all([once(worker, "message"), once(worker, "exit")])) as [[number], unknown];
  folder.remove();
  expect(nice).toBe(COMPUTE_NICE);
  expect(niceOf("/proc/self/stat")).toBe(before);
});

it.runIf(requires("bubblewrap"))(
  "[M-0.4] a jailed process is a session of its own: its scheduling group is lowered, ours is not",
  async () => {
    const args = ["--ro-bind", "/", "/", "--new-session", "--die-with-parent", "/bin/sh", "-c", "echo up; read end"];
    const jailed = spawn("/usr/bin/bwrap", args, { stdio: ["pipe", "pipe", "inherit"] });
    const { pid } = jailed;
    if (pid === undefined) throw new Error("bubblewrap starts");
    await once(jailed.stdout, "data");
    const own = groupOf("self");
    const lowered = lowerGroups(pid);
    // A kernel without scheduling groups has nothing to lower: nice alone counts there.
    if (own === undefined) expect(lowered).toBe(0);
    else {
      const others = descendants(pid)
        .flatMap((one) => groupOf(String(one)) ?? [])
        .filter(({ name }) => name !== own.name);
      expect(others.length).toBeGreaterThan(0);
      expect(new Set(others.map(({ nice }) => nice))).toEqual(new Set([COMPUTE_NICE]));
      expect(groupOf("self")).toEqual(own);
    }
    jailed.stdin.end("\n");
    await once(jailed, "exit");
  },
);
