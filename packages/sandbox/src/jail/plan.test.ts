import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import type { JailSpec } from "../index.ts";
import { BoundedLog } from "./log.ts";
import { type HostFacts, planJail } from "./plan.ts";

const host: HostFacts = { architecture: "x64", pid: 77, is_root: true };
const base: JailSpec = {
  mechanism: "bubblewrap",
  isolation: "strict",
  program: {
    kind: "python",
    python: { path: "/usr/bin/python3", prefix: "/usr", version: "3.11" },
    script: "/usr/x.py",
  },
  args: [],
  read_only_binds: [],
  memory_bytes: 268_435_456,
  nofile: 32,
  fsize_bytes: 0,
  tmp_bytes: 0,
  threads: 1,
  log_bytes_per_second: 1,
  log_bytes_per_run: 1,
  start_deadline_ms: 1_000,
};
const codeOf = (changes: Partial<JailSpec>, facts: HostFacts = host): string => {
  const plan = planJail({ ...base, ...changes }, facts);
  return plan.ok ? "planned" : plan.error.code;
};

describe("jail plan", () => {
  it("[M-5.1.1] refuses what it cannot do, each with its code", () => {
    const folder = temporaryFolder();
    const hidden = join(folder.path, "hidden");
    mkdirSync(hidden, { mode: 0o700 });
    chmodSync(folder.path, 0o755);
    symlinkSync("/etc", join(folder.path, "link"));
    const rows: readonly (readonly [string, Partial<JailSpec>, HostFacts, string])[] = [
      ["unknown processor", {}, { ...host, architecture: "riscv64" }, "RUMI-STR-060"],
      [
        "an executable in the self-jail",
        { mechanism: "self-jail", program: { kind: "executable", path: "/usr/bin/true" } },
        host,
        "RUMI-STR-060",
      ],
      ["too little memory", { memory_bytes: 1 }, host, "RUMI-STR-055"],
      ["no threads", { threads: 0 }, host, "RUMI-STR-055"],
      ["half a file", { nofile: 32.5 }, host, "RUMI-STR-055"],
      ["relative bind", { read_only_binds: ["app"] }, host, "RUMI-STR-065"],
      ["/proc bind", { read_only_binds: ["/proc/1"] }, host, "RUMI-STR-065"],
      ["root bind", { read_only_binds: ["/"] }, host, "RUMI-STR-065"],
      ["missing bind", { read_only_binds: [join(folder.path, "none")] }, host, "RUMI-STR-065"],
      ["linked bind", { read_only_binds: [join(folder.path, "link")] }, host, "RUMI-STR-065"],
      [
        "a folder the unprivileged user cannot read",
        { mechanism: "self-jail", read_only_binds: [hidden] },
        host,
        "RUMI-STR-065",
      ],
      [
        "the same folder where the user stays",
        { mechanism: "self-jail", read_only_binds: [hidden] },
        { ...host, is_root: false },
        "planned",
      ],
    ];
    for (const [name, changes, facts, code] of rows) expect([name, codeOf(changes, facts)]).toEqual([name, code]);
    folder.remove();
  });

  it("a host that is root gives the self-jail an unprivileged user", () => {
    const plan = planJail({ ...base, mechanism: "self-jail" }, host);
    expect(plan.ok ? plan.value.uid : plan.error).toBe(65_534);
  });
});

describe("bounded log", () => {
  it("[M-5.2.4] keeps up to both caps and counts the rest", () => {
    let now = 0;
    const log = new BoundedLog({ bytes_per_second: 10, bytes_per_run: 15, now_ms: () => now });
    log.take(Buffer.from("123456789012"));
    log.take(Buffer.from("x"));
    now = 1_000;
    log.take(Buffer.from("abcdefghij"));
    expect(log.text()).toBe("1234567890abcde");
    expect(log.counts()).toEqual({ bytes_seen: 23, bytes_dropped: 8, capped_seconds: 2 });
  });
});
