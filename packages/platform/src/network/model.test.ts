import { describe, expect, it } from "vitest";
import { decideEgress, granted, NETWORK_LIMITS, standingOf, type EgressRequest, type NetworkGrant } from "./model.ts";

const grantOf = (allowed_domains: readonly string[], allowed_ports: readonly number[]): NetworkGrant => {
  const made = granted({ pack_id: "my_pack", allowed_domains, allowed_ports }, undefined, "user:root", 1);
  if (!made.ok) throw new Error(made.error.code);
  return made.value;
};
const GRANT = grantOf(["api.openai.com", "*.anthropic.com"], [443]);
const REQUEST: EgressRequest = {
  protocol: "https",
  domain: "api.openai.com",
  port: 443,
  addresses: ["1.1.1.1"],
  recent: 0,
};

const check = (over: Partial<EgressRequest>, grant: NetworkGrant | undefined = GRANT): string => {
  const decision = decideEgress(standingOf(grant, "approved"), { ...REQUEST, ...over });
  return decision.allowed ? "allowed" : decision.denied_by;
};

describe("a request of a pack", () => {
  const rows: readonly [string, Partial<EgressRequest>, string][] = [
    ["as the grant names it", {}, "allowed"],
    ["not looked up", { addresses: null }, "allowed"],
    ["written otherwise", { domain: "API.OpenAI.com." }, "allowed"],
    ["below a wildcard", { domain: "console.anthropic.com" }, "allowed"],
    ["the wildcard's own name", { domain: "anthropic.com" }, "allowed"],
    ["another host", { domain: "example.com" }, "domain"],
    ["below a name without a wildcard", { domain: "a.api.openai.com" }, "domain"],
    ["a name that only ends alike", { domain: "evilanthropic.com" }, "domain"],
    ["another port", { port: 80 }, "port"],
    ["another protocol", { protocol: "ftp" }, "protocol"],
    ["an address", { domain: "127.0.0.1" }, "address"],
    ["a name that resolves inside", { addresses: ["10.0.0.1"] }, "address"],
    ["a name that resolves outside and inside", { addresses: ["1.1.1.1", "::1"] }, "address"],
    ["the last within the rate", { recent: NETWORK_LIMITS.requests_per_minute - 1 }, "allowed"],
    ["one more", { recent: NETWORK_LIMITS.requests_per_minute }, "rate"],
  ];
  for (const [name, over, expected] of rows)
    it(`[R-6.1] ${name}: ${expected}`, () => expect(check(over)).toBe(expected));

  it("[R-6.1] checks come in their order: mending one after the other shows the next", () => {
    const wrong = { protocol: "ftp", domain: "example.com", port: 1, addresses: ["127.0.0.1"], recent: 60 };
    const mended: Partial<EgressRequest>[] = [
      {},
      { addresses: ["1.1.1.1"] },
      { protocol: "https" },
      { domain: "api.openai.com" },
      { port: 443 },
      { recent: 0 },
    ];
    const seen = mended.map((_, at) => check(Object.assign({}, wrong, ...mended.slice(0, at + 1)) as EgressRequest));
    expect(seen).toEqual(["address", "protocol", "domain", "port", "rate", "allowed"]);
  });

  it("[R-6.1] an empty list allows nothing", () => {
    expect(check({}, grantOf([], [443]))).toBe("domain");
    expect(check({}, grantOf(["api.openai.com"], []))).toBe("port");
  });

  it("[R-6.1] [R-5.1] a grant counts only while its pack is approved", () => {
    for (const state of ["scanned", "pending", "rejected", "modified", undefined] as const) {
      const decision = decideEgress(standingOf(GRANT, state), REQUEST);
      expect([state, decision.allowed]).toEqual([state, false]);
    }
    expect(decideEgress(standingOf(undefined, "approved"), REQUEST)).toMatchObject({ denied_by: "domain" });
  });
});
