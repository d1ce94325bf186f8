/**
 * What a pack may reach over the network. Pure; the one decision that the check and the proxy both ask.
 *
 * Think of a grant as two lists, where an empty one allows nothing. It is in force only while its pack is approved: nothing
 * is switched off when a pack changes, it is simply no longer true that the grant counts.
 *
 * Invariants (model.test.ts)
 * - Checks come in this order, and the first that fails is the reason: address, protocol, domain, port, rate.
 * - No grant, however wide, reaches an internal address or name.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { PackState } from "../packs/model.ts";
import { isInternalAddress } from "./address.ts";
import { covers, hostForm, patternForm } from "./domain.ts";

export const NETWORK_LIMITS = {
  domains: 128,
  ports: 64,
  requests_per_minute: 60,
  /** How long a check waits for a name to be looked up. */
  lookup_ms: 2_000,
} as const;
export const EGRESS_PROTOCOLS = ["https", "http"] as const;

export type NetworkGrant = {
  readonly pack_id: string;
  /** In their one form (domain.ts), sorted, without repetition. */
  readonly allowed_domains: readonly string[];
  readonly allowed_ports: readonly number[];
  readonly granted_by: string;
  readonly granted_at: number;
  readonly generation: number;
};

/** What counts for a pack right now. */
export type Standing =
  | { readonly kind: "in_force"; readonly grant: Pick<NetworkGrant, "allowed_domains" | "allowed_ports"> }
  | { readonly kind: "none"; readonly why: string };

export type EgressRequest = {
  readonly protocol: string;
  /** As it was written. */
  readonly domain: string;
  readonly port: number;
  /** All that the name resolves to; null where it was not looked up or is not known. */
  readonly addresses: readonly string[] | null;
  /** Requests of this pack within the last minute. */
  readonly recent: number;
};

export const EGRESS_CHECKS = ["address", "protocol", "domain", "port", "rate"] as const;
export type EgressCheck = (typeof EGRESS_CHECKS)[number];
export type EgressDecision =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly denied_by: EgressCheck; readonly reason: string };

export function standingOf(grant: NetworkGrant | undefined, pack: PackState | undefined): Standing {
  if (grant === undefined) return { kind: "none", why: "the pack has no network grant" };
  if (pack === undefined) return { kind: "none", why: "the pack is not installed, so its grant is not in force" };
  if (pack !== "approved") return { kind: "none", why: `the pack is ${pack}, so its grant is not in force` };
  return { kind: "in_force", grant };
}

export function decideEgress(standing: Standing, request: EgressRequest): EgressDecision {
  const host = hostForm(request.domain);
  if (!host.ok && host.error.kind === "internal") return denied("address", host.error.problem);
  const inside = (request.addresses ?? []).find(isInternalAddress);
  if (inside !== undefined) return denied("address", `the name resolves to ${inside}, which is not a public address`);
  if (!EGRESS_PROTOCOLS.some((one) => one === request.protocol))
    return denied("protocol", `only ${EGRESS_PROTOCOLS.join(" and ")} are let through`);
  if (!host.ok) return denied("domain", host.error.problem);
  if (standing.kind === "none") return denied("domain", standing.why);
  if (!standing.grant.allowed_domains.some((pattern) => covers(pattern, host.value)))
    return denied("domain", `the grant does not name ${host.value}`);
  if (!standing.grant.allowed_ports.includes(request.port))
    return denied("port", `the grant does not name port ${request.port}`);
  if (request.recent >= NETWORK_LIMITS.requests_per_minute)
    return denied("rate", `${NETWORK_LIMITS.requests_per_minute} requests within a minute are the most`);
  return { allowed: true };
}

/** The grant as a person asked for it, in its one form; replaces whatever the pack had. */
export function granted(
  asked: {
    readonly pack_id: string;
    readonly allowed_domains: readonly string[];
    readonly allowed_ports: readonly number[];
  },
  before: NetworkGrant | undefined,
  by: string,
  at: number,
): Result<NetworkGrant, Failure> {
  const domains = new Set<string>();
  for (const written of asked.allowed_domains) {
    const form = patternForm(written);
    if (!form.ok)
      return err(
        failure("RUMI-NET-004", { domain: JSON.stringify(written).slice(1, -1), problem: form.error.problem }),
      );
    domains.add(form.value);
  }
  return ok({
    pack_id: asked.pack_id,
    allowed_domains: [...domains].toSorted(),
    allowed_ports: [...new Set(asked.allowed_ports)].toSorted((a, b) => a - b),
    granted_by: by,
    granted_at: at,
    generation: (before?.generation ?? 0) + 1,
  });
}

export function permissionEvent(action: "permission.granted" | "permission.revoked", grant: NetworkGrant): EventDraft {
  const { pack_id, allowed_domains, allowed_ports } = grant;
  return {
    action,
    resource_type: "network_grant",
    resource_id: pack_id,
    outcome: "SUCCESS",
    details: {
      permission_type: "network_grant",
      principal_id: pack_id,
      owner_pack: pack_id,
      config: { allowed_domains, allowed_ports },
    },
  };
}

function denied(denied_by: EgressCheck, reason: string): EgressDecision {
  return { allowed: false, denied_by, reason };
}
