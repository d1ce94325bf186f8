import { describe, expect, it } from "vitest";
import { EGRESS_LIMITS, EGRESS_METHODS } from "./limits.ts";
import { parseCall, portOf, redirected, type EgressCall } from "./request.ts";

const HEAD = { op: "http_request", method: "GET", url: "https://api.example.com/v1?q=1#part" };
const NONE: Uint8Array = new Uint8Array(0);
const parsed = (over: object, body = NONE): EgressCall => {
  const call = parseCall({ ...HEAD, ...over }, body);
  if (!call.ok) throw new Error(JSON.stringify(call.error.params));
  return call.value;
};
const problem = (over: object, body = NONE): string => {
  const call = parseCall({ ...HEAD, ...over }, body);
  return call.ok ? "taken" : `${call.error.code} ${String(call.error.params["problem"])}`;
};
const many = (count: number): Record<string, string> =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, "1"]));

describe("a request as a pack writes it", () => {
  it("[R-16.1] is read as it stands: the method, the url without its fragment, names of headers in lower case", () => {
    const call = parsed({ headers: { "X-Key": "a b\tc", Accept: "é" }, timeout_seconds: 0.5 });
    expect([call.method, call.url.href, call.timeout_ms]).toEqual(["GET", "https://api.example.com/v1?q=1", 500]);
    expect(call.headers).toEqual({ "x-key": "a b\tc", accept: "é" });
    expect(EGRESS_METHODS.map((method) => parsed({ method }).method)).toEqual(EGRESS_METHODS);
    const urls = ["https://a.b/", "http://a.b/", "https://a.b:8443/", "http://a.b:443/"];
    expect(urls.map((url) => portOf(new URL(url)))).toEqual([443, 80, 8443, 443]);
  });
  const refused: readonly [name: string, over: object, body: Uint8Array, says: string][] = [
    ["a method that is none of the six", { method: "OPTIONS" }, NONE, "the method is one of"],
    ["a method in small letters", { method: "get" }, NONE, "the method is one of"],
    ["a line end in the method", { method: "GET / HTTP/1.1\r\nx: y" }, NONE, "the method is one of"],
    ["an unknown member", { follow: true }, NONE, "Unexpected property"],
    ["a number as text", { timeout_seconds: "3" }, NONE, "Expected number"],
    ["no time at all", { timeout_seconds: 0 }, NONE, "timeout_seconds is above 0"],
    ["too much time", { timeout_seconds: EGRESS_LIMITS.timeout_seconds + 1 }, NONE, "timeout_seconds is above 0"],
    ["no url", { url: "api.example.com" }, NONE, "its url is none"],
    ["a url without a host", { url: "data:text/plain,x" }, NONE, "names no host"],
    ["a url with a password", { url: "https://me:pass@api.example.com/" }, NONE, "a name or a password"],
    ["a line end in the url", { url: "https://api.example.com/\r\nx: y" }, NONE, "a control character"],
    ["a tab that a parser would drop", { url: "https://api.exam\tple.com/" }, NONE, "a control character"],
    ["a backslash", { url: "https://api.example.com\\@evil.com/" }, NONE, "a backslash"],
    ["a url that is too long", { url: `https://a.b/${"x".repeat(8_192)}` }, NONE, "more than 8192 characters"],
    ["a line end in a value", { headers: { a: "b\r\nx-injected: 1" } }, NONE, "would end or hide it"],
    ["a bare line feed", { headers: { a: "b\nc" } }, NONE, "would end or hide it"],
    ["a zero byte", { headers: { a: "b\u0000c" } }, NONE, "would end or hide it"],
    ["a character of no header", { headers: { a: "\u010d\u010a" } }, NONE, "would end or hide it"],
    ["a line end in a name", { headers: { "a\r\nb": "c" } }, NONE, "is no name of a header"],
    ["a colon in a name", { headers: { "a:b": "c" } }, NONE, "is no name of a header"],
    ["an empty name", { headers: { "": "c" } }, NONE, "is no name of a header"],
    ["one name in two spellings", { headers: { Accept: "a", accept: "b" } }, NONE, "is there twice"],
    ["a header that is a list", { headers: { a: ["b"] } }, NONE, "Expected string"],
    ["too many headers", { headers: many(EGRESS_LIMITS.headers + 1) }, NONE, "more than 100 headers"],
    ["a name that is too long", { headers: { ["a".repeat(257)]: "b" } }, NONE, "more than 256 characters"],
    ["a value that is too long", { headers: { a: "b".repeat(8_193) } }, NONE, "more than 8192 characters"],
    ["a body that is too large", { method: "POST" }, new Uint8Array(1_048_577), "more than 1048576 bytes"],
    ["a body of a GET", {}, new Uint8Array(1), "a GET has no body"],
  ];
  for (const [name, over, body, says] of refused)
    it(`[R-16.1] ${name} is refused`, () => {
      const said = problem(over, body);
      expect(said).toContain("RUMI-NET-007");
      expect(said).toContain(says);
    });
  it("[R-16.1] headers of the connection and of whom it goes to are not a pack's to set", () => {
    const names = ["Host", "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE", "Trailer"];
    for (const name of [...names, "Proxy-Authorization", "Keep-Alive"])
      expect([name, problem({ headers: { [name]: "x" } })]).toEqual([
        name,
        `RUMI-NET-007 the header "${name}" is not a pack's to set`,
      ]);
  });
  it("[R-16.1] the largest of everything is taken", () => {
    const headers = { ...many(EGRESS_LIMITS.headers - 1), ["n".repeat(256)]: "v".repeat(8_192) };
    const call = parsed({ method: "POST", headers, timeout_seconds: 120 }, new Uint8Array(1_048_576));
    expect([Object.keys(call.headers).length, call.body.length, call.timeout_ms]).toEqual([100, 1_048_576, 120_000]);
    expect(parsed({ url: `https://a.b/${"x".repeat(8_180)}` }).url.href).toHaveLength(8_192);
  });
});

describe("an answer that sends it elsewhere", () => {
  const headers = { authorization: "Bearer x", cookie: "a=b", "content-type": "text/plain", "x-own": "1" };
  const post = parsed({ method: "POST", headers }, new Uint8Array(3));
  const next = (status: number, to: string, of = post): readonly unknown[] => {
    const call = redirected(of, status, to);
    if (call === undefined) return ["the answer"];
    return call.ok
      ? [call.value.method, call.value.url.href, Object.keys(call.value.headers), call.value.body.length]
      : [call.error.code];
  };
  it("[R-16.1] keeps or drops method and body as the status says", () => {
    const all = ["authorization", "cookie", "content-type", "x-own"];
    const less = ["authorization", "cookie", "x-own"];
    const to = "https://api.example.com/b";
    expect(next(307, "/b")).toEqual(["POST", to, all, 3]);
    expect(next(308, "/b")).toEqual(["POST", to, all, 3]);
    for (const status of [301, 302, 303]) expect(next(status, "/b")).toEqual(["GET", to, less, 0]);
    expect(next(303, "/b", parsed({ method: "HEAD" }))[0]).toBe("HEAD");
    expect(next(301, "/b", parsed({ method: "DELETE" }))[0]).toBe("DELETE");
    expect([next(200, "/b"), next(304, "/b"), next(300, "/b")]).toEqual([
      ["the answer"],
      ["the answer"],
      ["the answer"],
    ]);
    expect(redirected(post, 302, undefined)).toBeUndefined();
  });
  it("[R-16.1] what is secret for one origin is not told to another, another port and protocol included", () => {
    for (const to of ["https://b.example.com/", "https://api.example.com:8443/", "http://api.example.com/"])
      expect(next(307, to)[2], to).toEqual(["content-type", "x-own"]);
  });
  it("[R-16.1] a place that is none is refused", () => {
    expect(next(302, "https://me:x@b.example.com/")).toEqual(["RUMI-NET-007"]);
    expect(next(302, "https://")).toEqual(["RUMI-NET-007"]);
    expect(next(302, "/a b")).toEqual(["RUMI-NET-007"]);
  });
});
