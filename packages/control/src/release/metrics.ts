/** How many certificates were issued and revoked: figures of the store, so that a restart does not forget them. */
import type { Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { countCertificates } from "./tables.ts";

/** Publishes them at each call of what it returns. */
export function releaseMetrics(store: Store, metrics: Metrics): () => Promise<void> {
  return async () => {
    const { issued, revoked } = await countCertificates(store, store);
    metrics.publish("release", [
      {
        name: "release_cert_issued_count",
        kind: "counter",
        help: "Release certificates that were issued.",
        series: [{ labels: {}, value: issued }],
      },
      {
        name: "release_cert_revoked_count",
        kind: "counter",
        help: "Release certificates that were revoked.",
        series: [{ labels: {}, value: revoked }],
      },
    ]);
  };
}
