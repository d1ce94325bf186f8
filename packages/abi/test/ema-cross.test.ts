/** The default Rust strategy as the host sees it: the committed module, its hash, its trading, its state. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Json } from "@rumi/kernel";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import {
  makeSavedState,
  makeShutdownCall,
  makeTradeEvent,
  parseDescriptor,
  readSavedState,
  type StrategyDescriptor,
  validateConfig,
  verifyBinary,
  writeExecutionEvent,
  writeInitCall,
  writeMigrateStateCall,
  writeShutdownCall,
  writeTradeEvent,
  makeHealthcheckCall,
  writeHealthcheckCall,
  OUTPUT_KIND,
  makeMigrateStateCall,
  STATUS,
} from "../src/index.ts";
import {
  digest,
  engine,
  Guest,
  header,
  initCall,
  noisyTrades,
  nothingSeen,
  type Seen,
  type Tick,
} from "./bench-market.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(join(ROOT, path)));
const WASM = read("packs/default/strategies/ema_cross/ema_cross.wasm");
const descriptors = (pack: string): StrategyDescriptor[] => {
  const manifest = JSON.parse(readFileSync(join(ROOT, pack, "ecosystem.json"), "utf8")) as { strategies: Json[] };
  return manifest.strategies.map((json) => {
    const parsed = parseDescriptor(json);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    return parsed.value;
  });
};
const config = (own: Json): unknown => {
  const schema = descriptors("packs/default").find((d) => d.strategy_id === "ema_cross")?.config_schema ?? {};
  const result = validateConfig(schema, own);
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

function start(own: Json, state?: { version: number; bytes: Uint8Array }): Guest {
  const guest = new Guest(WASM);
  const length = writeInitCall(guest.views, guest.inputAt, header(0, 0), initCall(config(own), state));
  expect(guest.call("rumi_on_init", length)).toBe(0);
  return guest;
}

function trade(guest: Guest, ticks: readonly Tick[], seen: Seen, from = 1): void {
  let cursor = from;
  for (const tick of ticks) {
    for (const fill of seen.pending.splice(0)) {
      const length = writeExecutionEvent(guest.views, guest.inputAt, header(cursor, tick.atUs), fill);
      digest(guest.views, guest.outputAt, guest.call("rumi_on_event", length), tick.price, seen);
      cursor += 1;
    }
    const length = writeTradeEvent(guest.views, guest.inputAt, header(cursor, tick.atUs), {
      ...makeTradeEvent(),
      price: tick.price,
      quantity: tick.quantity,
    });
    digest(guest.views, guest.outputAt, guest.call("rumi_on_event", length), tick.price, seen);
    cursor += 1;
  }
}

function save(guest: Guest): { version: number; bytes: Uint8Array } {
  const length = guest.call("rumi_save_state");
  const saved = makeSavedState();
  expect(readSavedState(guest.views, guest.outputAt, length, saved)).toBe("");
  return { version: saved.schemaVersion, bytes: saved.state.slice() };
}

describe("default and hostile packs", () => {
  it.each(["packs/default", "packs/hostile"])(
    "[M-2.1.5] every binary of %s is the one its descriptor names",
    (pack) => {
      for (const descriptor of descriptors(pack))
        expect(verifyBinary(descriptor, read(join(pack, descriptor.entrypoint)))).toEqual({ ok: true, value: true });
    },
  );
  it.runIf(requires("rust-wasm"))(
    "rebuilding gives the committed bytes",
    () => {
      const folder = temporaryFolder();
      try {
        execFileSync(process.execPath, ["tools/build-wasm.mjs", "--out", folder.path], { cwd: ROOT });
        for (const descriptor of [...descriptors("packs/default"), ...descriptors("packs/hostile")].filter(
          (d) => d.runtime_kind === "rust_wasm",
        )) {
          const built = new Uint8Array(readFileSync(join(folder.path, descriptor.entrypoint.split("/").at(-1) ?? "")));
          expect(verifyBinary(descriptor, built)).toEqual({ ok: true, value: true });
        }
      } finally {
        folder.remove();
      }
    },
    300_000,
  );
});

describe("ema_cross", () => {
  const ticks = noisyTrades(50_000, "ema");
  it("[M-0.5] imports nothing", () => {
    expect(engine.Module.imports(new engine.Module(WASM))).toEqual([]);
  });
  it("[M-0.7] [M-2.3.1] trades visibly, and the same again from the same input", () => {
    const [one, two] = [nothingSeen(), nothingSeen()];
    trade(start({ order_quantity: "50" }), ticks, one);
    trade(start({ order_quantity: "50" }), ticks, two);
    process.stderr.write(`ema_cross: ${one.orders} orders on 50,000 trades\n`);
    expect(one.orders).toBeGreaterThan(24);
    expect(one.orders).toBeLessThan(5_000);
    expect([0, 50]).toContain(one.position);
    expect(two.journal).toEqual(one.journal);
  });
  it("[M-6.1.1] a restart from its state decides as if it had never stopped, keys apart", () => {
    const whole = nothingSeen();
    trade(start({ order_quantity: "50" }), ticks.slice(0, 20_000), whole);
    const first = nothingSeen();
    const guest = start({ order_quantity: "50" });
    trade(guest, ticks.slice(0, 10_000), first);
    const state = save(guest);
    const again = start({ order_quantity: "50" }, state);
    expect(save(again)).toEqual(state);
    const second: Seen = { ...nothingSeen(), pending: first.pending };
    trade(again, ticks.slice(10_000, 20_000), second, 10_001);
    const plain = (seen: Seen): string[] => seen.journal.map((line) => line.split(":").slice(1, 4).join(":"));
    expect([...plain(first), ...plain(second)]).toEqual(plain(whole));
  });
  it("[M-6.2.3] migrates version 1 and refuses others", () => {
    const guest = start({ order_quantity: "50" });
    const migrate = (fromVersion: number, bytes: number): number => {
      const length = writeMigrateStateCall(guest.views, guest.inputAt, header(1, 1), {
        ...makeMigrateStateCall(),
        fromVersion,
        state: new Uint8Array(bytes).fill(1),
      });
      return guest.call("rumi_migrate_state", length);
    };
    expect(migrate(1, 64)).toBe(16 + 72);
    expect(migrate(1, 63)).toBe(STATUS.unsupported);
    expect(migrate(7, 64)).toBe(STATUS.unsupported);
  });
  it("[M-2.3.1] answers health and shutdown, refuses bad frames and configurations, and survives", () => {
    const guest = start({ order_quantity: "50" });
    expect(guest.call("rumi_abi_version")).toBe(1);
    expect(
      guest.call(
        "rumi_on_healthcheck",
        writeHealthcheckCall(guest.views, guest.inputAt, header(1, 1), makeHealthcheckCall()),
      ),
    ).toBe(16);
    expect(guest.views.u16[guest.outputAt >> 1]).toBe(OUTPUT_KIND.health_report);
    for (const length of [0, 7, 63, -1, 2 ** 31 - 1])
      expect(guest.call("rumi_on_event", length)).toBe(STATUS.bad_frame);
    expect(guest.call("rumi_input", 2 ** 30)).toBe(0);
    expect(
      guest.call(
        "rumi_on_shutdown",
        writeShutdownCall(guest.views, guest.inputAt, header(2, 2), { ...makeShutdownCall(), reason: 1 }),
      ),
    ).toBe(0);
    const swapped = new Guest(WASM);
    const length = writeInitCall(
      swapped.views,
      swapped.inputAt,
      header(0, 0),
      initCall(config({ order_quantity: "50", fast_trades: 200 })),
    );
    expect(swapped.call("rumi_on_init", length)).toBe(STATUS.config_refused);
    expect(swapped.call("rumi_save_state")).toBe(STATUS.not_initialised);
  });
  it("a limit order that nobody takes is cancelled once, and nothing else is sent meanwhile", () => {
    const guest = start({ order_quantity: "50", order_type: "limit" });
    const seen = nothingSeen();
    for (const [i, tick] of ticks.slice(0, 5_000).entries()) {
      trade(guest, [tick], seen, i + 1);
      seen.pending.length = 0;
    }
    expect([seen.orders, seen.cancels]).toEqual([1, 1]);
    expect(Number(seen.journal[0]?.split(":")[3])).toBeGreaterThan(100_000);
  });
  it("[M-11.1] doubtful trades open nothing", () => {
    const guest = start({ order_quantity: "50" });
    const seen = nothingSeen();
    ticks.slice(0, 20_000).forEach((tick, i) => {
      const length = writeTradeEvent(guest.views, guest.inputAt, header(i + 1, tick.atUs, 1), {
        ...makeTradeEvent(),
        price: tick.price,
      });
      digest(guest.views, guest.outputAt, guest.call("rumi_on_event", length), tick.price, seen);
    });
    expect(seen.orders).toBe(0);
  });
});
