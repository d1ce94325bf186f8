/** From where libraries may come: https, and no host of this machine's own networks unless the configuration names it. */
import { isIP } from "node:net";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { isInternalAddress } from "../network/address.ts";

export const DEFAULT_INDEX = "https://pypi.org/simple";

export type IndexPorts = {
  readonly resolve: (host: string) => Promise<readonly string[] | null>;
  /** `host` or `host:port` that may be internal all the same. */
  readonly hosts: readonly string[];
};

/** The index as a URL without a slash at its end; RUMI-PIP-004. */
export async function judgeIndex(text: string, { resolve, hosts }: IndexPorts): Promise<Result<URL, Failure>> {
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-PIP-004", { index_url: text.slice(0, 200), problem }));
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return refused("it is no URL");
  if (url.protocol !== "https:") return refused("it is not https");
  if (url.username !== "" || url.password !== "") return refused("it holds a user or a password");
  if (url.search !== "" || url.hash !== "") return refused("it holds a query or a fragment");
  if (hosts.includes(url.host) || hosts.includes(url.hostname)) return ok(url);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  if (addresses === null) return refused("its host is not found");
  return addresses.some(isInternalAddress) ? refused("its host is not an external one") : ok(url);
}
