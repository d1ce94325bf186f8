import { describe, expect, it } from "vitest";
import { checkSet, isSame, parseLock, PIP_LIMITS, wheelOf } from "./lock.ts";

const lineOf = (text: string): unknown => {
  const parsed = parseLock("requirements.lock", text);
  return parsed.ok ? parsed.value.length : parsed.error.params["line"];
};

describe("[R-9.1] requirements.lock", () => {
  it("takes NAME==VERSION, comments and blank lines", () => {
    expect(parseLock("l", "# head\nrequests==2.31.0\r\n\n  zope.interface==5.4 # why\n")).toEqual({
      ok: true,
      value: [
        { name: "requests", version: "2.31.0" },
        { name: "zope.interface", version: "5.4" },
      ],
    });
  });
  const refused = [
    "requests",
    "requests>=2",
    "requests==2.*",
    "requests == 2.0",
    "requests[socks]==2.0",
    "requests==2.0; python_version > '3'",
    "requests==2.0 --hash=sha256:00",
    "--index-url https://example.com",
    "-e .",
    "-r other.txt",
    "https://example.com/x.whl",
    "x @ https://example.com/x.whl",
    "../x==1",
    "-x==1",
  ];
  for (const line of refused) it(`refuses ${line}`, () => expect(lineOf(`good==1.0\n${line}\n`)).toBe(2));
  it("refuses a name twice however it is spelt, nothing at all, and more than may be", () => {
    expect(lineOf("a-b==1\nA_b==2")).toBe(2);
    expect(lineOf("# nothing\n")).toBe(1);
    const many = (count: number): string => Array.from({ length: count }, (_, n) => `p${n}==1`).join("\n");
    expect(lineOf(many(PIP_LIMITS.packages))).toBe(PIP_LIMITS.packages);
    expect(lineOf(many(PIP_LIMITS.packages + 1))).toBe(PIP_LIMITS.packages + 1);
  });
});

describe("[R-9.1] the downloaded set", () => {
  const lock = [
    { name: "Zope.Interface", version: "5.4" },
    { name: "plain", version: "1.0.0" },
  ];
  const good = ["zope_interface-5.4.0-cp311-cp311-manylinux_2_17_x86_64.whl", "plain-1.0-py3-none-any.whl"];
  const rows: readonly (readonly [string, readonly string[], boolean])[] = [
    ["the same set", good, true],
    ["one missing", good.slice(1), false],
    ["one more", [...good, "extra-1.0-py3-none-any.whl"], false],
    ["another version", ["zope_interface-5.4.1-py3-none-any.whl", "plain-1.0-py3-none-any.whl"], false],
    ["two of one", [...good, "plain-1.0-1-py3-none-any.whl"], false],
    ["an sdist", ["plain-1.0.tar.gz", ...good], false],
  ];
  for (const [name, files, fits] of rows) it(name, () => expect(checkSet(lock, files).ok).toBe(fits));
  it("versions are the same however many zeros end them", () => {
    const same = (a: string, b: string) => isSame({ name: "x", version: a }, { name: "x", version: b });
    expect([
      same("1.0", "1"),
      same("1.0.0", "1.0"),
      same("1.10", "1.1"),
      same("1.0a1", "1.0.0a1"),
      same("1.0", "1.0.post1"),
    ]).toEqual([true, true, false, true, false]);
    expect(wheelOf("plain.tar.gz")).toBeUndefined();
  });
});
