/**
 * Which addresses a pack may never reach, whatever a name resolves to: everything that is not plainly the public internet.
 *
 * Invariant: what cannot be read as an address is internal (domain.test.ts).
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

const NOT_PUBLIC_4: readonly (readonly [network: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3], // multicast, reserved, broadcast
];
/** Inside the one block of global addresses: those that hold another address, or are for documents and tests. */
const NOT_PUBLIC_6: readonly (readonly [network: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const listOf = (rows: readonly (readonly [string, number])[], family: "ipv4" | "ipv6"): BlockList => {
  const list = new BlockList();
  for (const [network, bits] of rows) list.addSubnet(network, bits, family);
  return list;
};
const refused4 = listOf(NOT_PUBLIC_4, "ipv4");
const refused6 = listOf(NOT_PUBLIC_6, "ipv6");
const global6 = listOf([["2000::", 3]], "ipv6");

export function isInternalAddress(address: string): boolean {
  if (isIPv4(address)) return refused4.check(address, "ipv4");
  if (!isIPv6(address) || address.includes("%")) return true;
  return !global6.check(address, "ipv6") || refused6.check(address, "ipv6");
}
