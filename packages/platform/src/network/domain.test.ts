import { describe, expect, it } from "vitest";
import { isInternalAddress } from "./address.ts";
import { covers, DOMAIN_CHARACTERS_MAX, hostForm, patternForm } from "./domain.ts";

const form = (written: string): string => {
  const found = patternForm(written);
  return found.ok ? found.value : found.error.kind;
};

describe("names of hosts", () => {
  const rows: readonly [written: string, form: string][] = [
    ["api.openai.com", "api.openai.com"],
    ["API.OpenAI.Com", "api.openai.com"],
    ["api.openai.com.", "api.openai.com"],
    ["*.Anthropic.com.", "*.anthropic.com"],
    ["münchen.de", "xn--mnchen-3ya.de"],
    ["*.例え.jp", "*.xn--r8jz45g.jp"],
    ["ａｐｉ.example.com", "api.example.com"],
    ["_dmarc.example.com", "_dmarc.example.com"],
    // This machine, its network, or an address in any of its spellings.
    ["localhost", "internal"],
    ["api.localhost", "internal"],
    ["printer.local", "internal"],
    ["metadata.google.internal", "internal"],
    ["*.home.arpa", "internal"],
    ["router", "internal"],
    ["*.com", "internal"],
    ["127.0.0.1", "internal"],
    ["127.1", "internal"],
    ["2130706433", "internal"],
    ["0x7f.0.0.1", "internal"],
    ["0177.0.0.1", "internal"],
    ["１２７.0.0.1", "internal"],
    ["8.8.8.8", "internal"],
    ["[::1]", "internal"],
    ["::1", "internal"],
    ["example.com:443", "internal"],
    // No names.
    ["*", "malformed"],
    ["a*.example.com", "malformed"],
    ["*.*.example.com", "malformed"],
    ["api.*.com", "malformed"],
    ["example..com", "malformed"],
    [".example.com", "malformed"],
    ["example.com..", "malformed"],
    ["-a.example.com", "malformed"],
    ["https://example.com", "internal"],
    ["example.com/path", "malformed"],
    ["user@example.com", "malformed"],
    ["ex%61mple.com", "malformed"],
    ["exa mple.com", "malformed"],
    ["example.com\u0000.evil.com", "malformed"],
    [`${"a".repeat(64)}.com`, "malformed"],
    [`${"a.".repeat(126)}com`, "malformed"],
  ];
  for (const [written, expected] of rows)
    it(`[R-6.1] ${JSON.stringify(written)} is ${expected}`, () => expect(form(written)).toBe(expected));

  it(`[R-6.1] the longest name has ${DOMAIN_CHARACTERS_MAX} characters`, () => {
    const longest = `${"a.".repeat(125)}com`;
    expect([longest.length, hostForm(longest).ok]).toEqual([DOMAIN_CHARACTERS_MAX, true]);
    expect(hostForm(`b${longest}`).ok).toBe(false);
  });

  it("[R-6.1] a wildcard covers the name itself and all below it, and nothing that only ends alike", () => {
    const covered = ["d.example.com", "a.d.example.com", "a.b.d.example.com", "xd.example.com", "example.com"];
    expect(covered.map((name) => covers("*.d.example.com", name))).toEqual([true, true, true, false, false]);
    expect([covers("example.com", "example.com"), covers("example.com", "a.example.com")]).toEqual([true, false]);
  });
});

describe("addresses", () => {
  const outside = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00::1"];
  const inside = ["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254"].concat(
    ["172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"],
    ["198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"],
    ["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "fe80::1", "fe80::1%eth0", "fc00::1"],
    ["fd12::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1"],
    ["", "localhost", "example.com", "127.1", "0x7f000001"],
  );
  it("[R-6.1] only what is plainly of the public internet is outside; what is no address is not", () => {
    expect(outside.filter(isInternalAddress)).toEqual([]);
    expect(inside.filter((address) => !isInternalAddress(address))).toEqual([]);
  });
});
