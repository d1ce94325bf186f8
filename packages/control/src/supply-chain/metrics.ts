/** How often the gate denied: a figure of the store, so that a restart does not forget it. */
import type { Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { countDenied } from "./tables.ts";

/** Publishes it at each call of what it returns. */
export function supplyMetrics(store: Store, metrics: Metrics): () => Promise<void> {
  return async () =>
    metrics.publish("supply_chain", [
      {
        name: "supply_chain_denied_count",
        kind: "counter",
        help: "Reports of the supply-chain gate that deny.",
        series: [{ labels: {}, value: await countDenied(store, store) }],
      },
    ]);
}
