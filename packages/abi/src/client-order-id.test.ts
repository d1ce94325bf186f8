import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseClientOrderId } from "@rumi/kernel";
import { clientOrderId, type OrderOrigin } from "./index.ts";

const vectors = JSON.parse(
  readFileSync(new URL("../../../docs/formats/client-order-id.v1.json", import.meta.url), "utf8"),
) as { origin: OrderOrigin; client_order_id: string }[];

describe("client order id", () => {
  it.each(vectors)("[M-15.4] golden vector $client_order_id", ({ origin, client_order_id }) => {
    expect(clientOrderId(origin)).toBe(client_order_id);
    expect(parseClientOrderId(client_order_id)).toBe(client_order_id);
    expect(client_order_id).toHaveLength(32);
  });
  it("[M-8.2.1] every field counts, and moving a letter between fields changes the id", () => {
    const base: OrderOrigin = {
      environment: "dev",
      bot_id: "ab",
      strategy_id: "c",
      instance_id: "d",
      epoch: 1,
      run_id: "r",
      idempotency_key: 1,
    };
    const all = [
      base,
      { ...base, environment: "deb" },
      { ...base, bot_id: "a", strategy_id: "bc" },
      { ...base, instance_id: "e" },
      { ...base, epoch: 2 },
      { ...base, run_id: "s" },
      { ...base, idempotency_key: 2 },
      { ...base, epoch: 11, run_id: "" },
    ];
    expect(new Set(all.map(clientOrderId)).size).toBe(all.length);
  });
  it("[M-15.4] a million distinct intents never collide", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 1_000_000; i += 1) {
      seen.add(
        clientOrderId({
          environment: "prod",
          bot_id: `bot-${i % 10}`,
          strategy_id: "ema_cross",
          instance_id: `i${Math.floor(i / 10) % 10}`,
          epoch: Math.floor(i / 100) % 10,
          run_id: "r",
          idempotency_key: 1 + Math.floor(i / 1_000),
        }),
      );
    }
    expect(seen.size).toBe(1_000_000);
  }, 300_000);
});
