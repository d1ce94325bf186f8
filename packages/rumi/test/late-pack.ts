/** A pack whose one strategy behaves until its three hundredth event, and then does what its configuration says: `trades` is in and out of the market every twenty events, from the first. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "@rumi/kernel";
import { descriptor } from "../../runtime/test/support.ts";
import type { Program } from "./program.ts";
import { createBot, installPack } from "./rig.ts";

/** Beyond what admission's smoke shows it. */
const SOURCE = `"""Behaves for three hundred events; then misbehaves as it is told."""
import socket

import rumi_sdk as rumi

RISK = rumi.RiskContext(50, 1_000_000, 1, rumi.parse_decimal("100000", rumi.MONEY_DIGITS))


class Late(rumi.Strategy):
    STATE_VERSION = 1

    def on_init(self, ctx, config, restored):
        self.mode = config["mode"]
        self.seen = 0

    def on_event(self, ctx, event):
        self.seen += 1
        if self.mode == "trades" and self.seen % 20 == 0:
            ctx.position(RISK, self.seen // 20 % 2)
        if self.seen < 300:
            return
        if self.mode == "spins":
            while True:
                pass
        elif self.mode == "raises":
            raise ValueError("as it was told")
        elif self.mode == "floods" or (self.mode == "bursts" and self.seen == 300):
            for _ in range(50):
                ctx.order(RISK, rumi.SIDE_BUY, 1)
        elif self.mode == "logs":
            for _ in range(1_000):
                print("x" * 1_000)
        elif self.mode == "connects":
            socket.create_connection(("127.0.0.1", 9), 1)
        elif self.mode == "allocates":
            self.kept = bytearray(4_000_000_000)

    def save_state(self):
        return b""
`;
export const LATE_MODES = ["spins", "raises", "floods", "bursts", "logs", "connects", "allocates", "trades"] as const;
export type LateMode = (typeof LATE_MODES)[number];

/** Installs it; the approved digest. */
export function installLate(program: Program): Promise<string> {
  const folder = join(program.home, "late");
  mkdirSync(folder);
  writeFileSync(join(folder, "late.py"), SOURCE);
  const base = descriptor();
  const strategy = {
    ...base,
    strategy_id: "late",
    runtime_kind: "python",
    entrypoint: "late.py",
    binary_hash: digestOf(SOURCE),
    capabilities: { ...base.capabilities, lane: "compute", subscribe: ["trade"] },
    resources: { ...base.resources, event_timeout_ms: 2_000, memory_bytes: 268_435_456 },
    config_schema: { mode: { type: "enum", values: LATE_MODES, required: true } },
  };
  const pack = { pack_id: "late", pack_identity: "test:late", version: "1.0.0", license: "Apache-2.0" };
  writeFileSync(
    join(folder, "ecosystem.json"),
    JSON.stringify({ ...pack, vocabulary: { types: ["strategy"] }, strategies: [strategy] }),
  );
  return installPack(program, folder, "late");
}

export const createLate = (
  program: Program,
  bot_id: string,
  digest: string,
  mode: LateMode,
  more = {},
): Promise<void> =>
  createBot(program, bot_id, "late", digest, {
    strategy: { pack_id: "late", strategy_id: "late", strategy_version: "1.0.0", digest },
    config: { mode },
    ...more,
  });
