import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureText } from "@rumi/kernel";
import type { LockFile } from "./component.ts";
import { componentsOf, LOCK_LIMITS } from "./lock.ts";

const SHA512 = `sha512-${Buffer.alloc(64, 7).toString("base64")}`;
const OTHER = `sha512-${Buffer.alloc(64, 8).toString("base64")}`;
const npm = (packages: unknown, more: Readonly<Record<string, unknown>> = {}): LockFile => ({
  kind: "package-lock",
  name: "package-lock.json",
  text: JSON.stringify({ lockfileVersion: 3, packages, ...more }, null, 1),
});
const pip = (text: string): LockFile => ({ kind: "requirements", name: "requirements.lock", text });
const cargo = (text: string): LockFile => ({ kind: "cargo-lock", name: "Cargo.lock", text });
const crate = (more: string): LockFile =>
  cargo(`version = 4\n\n[[package]]\nname = "a"\nversion = "1.0.0"\n\n[[package]]\n${more}\n`);

function purls(...files: readonly LockFile[]): readonly string[] {
  const read = componentsOf(files);
  return read.ok ? read.value.map(({ purl }) => purl) : [read.error.code, failureText(read.error, "en").text];
}
function code(...files: readonly LockFile[]): readonly (string | number)[] {
  const read = componentsOf(files);
  return read.ok ? ["fine"] : [read.error.code, read.error.params["line"] ?? 0];
}
const dependency = { version: "1.0.0", resolved: "https://registry.example/a.tgz", integrity: SHA512 };

describe("[L-51.1] package-lock.json", () => {
  it("[L-51.1] every place below node_modules is a component, each name and version once, workspace members as local", () => {
    const file = npm({
      "": { name: "the-pack", version: "1.0.0" },
      "node_modules/@scope/b": { ...dependency, version: "2.0.0-rc.1+build.5" },
      "node_modules/a": dependency,
      "node_modules/c/node_modules/a": dependency,
      "node_modules/c/node_modules/A": { ...dependency, version: "0.9.0", integrity: OTHER },
      "node_modules/d/node_modules/a": { ...dependency, version: "0.9.0" },
      "node_modules/alias": { ...dependency, name: "real" },
      "node_modules/c": { version: "3.0.0", inBundle: true },
      "node_modules/member": { resolved: "packages/member", link: true },
      "packages/member": { name: "@us/member" },
      "packages/member/node_modules/a": { ...dependency, version: "1.1.0" },
    });
    // npm's old names differ by case; their package URLs do not.
    expect(purls(file).toSorted()).toEqual([
      "pkg:npm/%40scope/b@2.0.0-rc.1+build.5",
      "pkg:npm/%40us/member",
      "pkg:npm/a@0.9.0",
      "pkg:npm/a@0.9.0",
      "pkg:npm/a@1.0.0",
      "pkg:npm/a@1.1.0",
      "pkg:npm/c@3.0.0",
      "pkg:npm/real@1.0.0",
    ]);
    const read = componentsOf([file]);
    const found = new Map(read.ok ? read.value.map((one) => [one.purl, one]) : []);
    expect(found.get("pkg:npm/a@1.0.0")).toMatchObject({
      origin: "registry",
      hashes: [{ alg: "SHA-512", content: "07".repeat(64) }],
    });
    expect(found.get("pkg:npm/%40us/member")).toMatchObject({ origin: "local", version: "", hashes: [] });
    expect(found.get("pkg:npm/c@3.0.0")?.origin).toBe("bundled");
  });

  it("[L-51.1] this very repository's lock gives every package once, with the hashes that stand in it", () => {
    const text = readFileSync(new URL("../../../../package-lock.json", import.meta.url), "utf8");
    const { packages } = JSON.parse(text) as {
      packages: Record<string, { name?: string; version?: string; link?: boolean; integrity?: string }>;
    };
    const expected = new Map<string, string | undefined>();
    for (const [place, { name, version, link, integrity }] of Object.entries(packages))
      if (place !== "" && link !== true)
        expected.set(`${name ?? place.split("node_modules/").at(-1)}@${version}`, integrity?.slice(7));
    const read = componentsOf([{ kind: "package-lock", name: "package-lock.json", text }]);
    if (!read.ok) throw new Error(JSON.stringify(read.error));
    const found = new Map(
      read.value.map(({ name, version, hashes }) => [
        `${name}@${version}`,
        hashes[0] === undefined ? undefined : Buffer.from(hashes[0].content, "hex").toString("base64"),
      ]),
    );
    expect(found.size).toBe(read.value.length);
    expect(found.size).toBeGreaterThan(200);
    expect(found).toEqual(expected);
  });

  it("[L-51.1] what no registry and no hash vouches for is refused with its line", () => {
    const sources = [
      { resolved: "file:../a.tgz" },
      { resolved: "git+ssh://git@example.org/a.git#0123" },
      { resolved: "http://registry.example/a.tgz" },
      { resolved: false },
      { resolved: "../a", link: true },
      { resolved: "toString", link: true },
      { link: true },
    ];
    for (const source of sources)
      expect(code(npm({ "": {}, "node_modules/a": { ...dependency, ...source } }))).toEqual(["RUMI-SUP-003", 5]);
    expect(code(npm({ "../a": { version: "1.0.0" } }))).toEqual(["RUMI-SUP-003", 4]);
  });

  it("[L-51.1] wrong forms are refused with their line; a missing hash is listed as missing", () => {
    const wrong: readonly unknown[] = [
      { ...dependency, version: "1" },
      { ...dependency, version: 1 },
      { resolved: dependency.resolved },
      { ...dependency, name: "__proto__" },
      { ...dependency, name: "../a" },
      { ...dependency, name: "a".repeat(215) },
      { ...dependency, integrity: "sha512-AAAA" },
      { ...dependency, integrity: "md5-AAAA" },
      { ...dependency, integrity: "constructor-AAAA" },
      { ...dependency, integrity: `${SHA512} x` },
      { ...dependency, integrity: "" },
      { ...dependency, integrity: 5 },
    ];
    for (const entry of wrong)
      expect([entry, ...code(npm({ "node_modules/a": entry }))]).toEqual([entry, "RUMI-SUP-001", 4]);
    for (const entry of [null, [], "x"]) expect(code(npm({ "node_modules/a": entry }))).toEqual(["RUMI-SUP-001", 3]);
    for (const packages of [undefined, null, []]) expect(code(npm(packages))).toEqual(["RUMI-SUP-001", 1]);
    expect(code(npm({ "node_modules/__proto__": dependency }))).toEqual(["RUMI-SUP-001", 4]);
    const [bare] = purls(npm({ "node_modules/constructor": { version: "1.0.0" } }));
    expect(bare).toBe("pkg:npm/constructor@1.0.0");
    const clash = { ...dependency, integrity: OTHER };
    expect(code(npm({ "node_modules/a": dependency, "node_modules/b/node_modules/a": clash }))).toEqual([
      "RUMI-SUP-001",
      9,
    ]);
  });

  it("[L-51.1] versions of the format that are not known are refused", () => {
    for (const lockfileVersion of [1, 4, "3", null])
      expect(purls(npm({}, { lockfileVersion }))[0]).toBe("RUMI-SUP-002");
    expect(purls(npm({ "node_modules/a": dependency }, { lockfileVersion: 2 }))).toEqual(["pkg:npm/a@1.0.0"]);
  });
});

describe("[L-51.1] requirements.lock", () => {
  const sha = (digit: string): string => `sha256:${digit.repeat(64)}`;

  it("[L-51.1] reads pins with and without hashes, joined lines, comments, markers, extras; names as PyPI compares them", () => {
    const text = [
      "\ufeff# made by a tool",
      "--index-url https://pypi.example/simple",
      "Foo_Bar.baz==1!2.0rc1.post3.dev4+local.7 ; python_version < '3.9' \\",
      `    --hash=${sha("b")} \\`,
      `    --hash=${sha("a")}`,
      "  # via something",
      "plain[extra,more] == 1.0  # a remark",
      "FOO-bar-baz==1!2.0rc1.post3.dev4+local.7",
      `last==2024.1 --hash ${sha("c")} \\`,
    ].join("\r\n");
    const read = componentsOf([pip(text)]);
    expect(read.ok && read.value.map(({ name, version, hashes }) => [name, version, hashes.length])).toEqual([
      ["foo-bar-baz", "1!2.0rc1.post3.dev4+local.7", 2],
      ["last", "2024.1", 1],
      ["plain", "1.0", 0],
    ]);
    expect(read.ok && read.value[0]?.hashes[0]).toEqual({ alg: "SHA-256", content: "a".repeat(64) });
  });

  it("[L-51.1] whatever is not pinned or not from an index over https is refused with its line", () => {
    const rows: readonly (readonly [string, string])[] = [
      ["a>=1.0", "RUMI-SUP-001"],
      ["a", "RUMI-SUP-001"],
      ["a==1.*", "RUMI-SUP-001"],
      ["a===1.0", "RUMI-SUP-001"],
      ["a==1.0,<2", "RUMI-SUP-001"],
      ["a==not.a.version", "RUMI-SUP-001"],
      ["a==1.0 --hash=md5:00", "RUMI-SUP-001"],
      ["a==1.0 --hash=constructor:00", "RUMI-SUP-001"],
      [`a==1.0 --hash=sha256:${"A".repeat(64)}`, "RUMI-SUP-001"],
      [`${"a".repeat(2_000)}==1.0`, "RUMI-SUP-001"],
      ["-r other.txt", "RUMI-SUP-001"],
      ["-c constraints.txt", "RUMI-SUP-001"],
      ["--unknown", "RUMI-SUP-001"],
      ["-e .", "RUMI-SUP-003"],
      ["--index-url http://pypi.example/simple", "RUMI-SUP-003"],
      ["--extra-index-url=file:///srv", "RUMI-SUP-003"],
      ["--trusted-host pypi.example", "RUMI-SUP-003"],
      ["a @ https://example.org/a.whl", "RUMI-SUP-003"],
      ["git+https://example.org/a.git@v1", "RUMI-SUP-003"],
      ["./local", "RUMI-SUP-003"],
      ["../local", "RUMI-SUP-003"],
      ["a-1.0-py3-none-any.whl", "RUMI-SUP-003"],
    ];
    for (const [line, expected] of rows)
      expect([line, ...code(pip(`fine==1.0\n${line}\n`))]).toEqual([line, expected, 2]);
  });
});

describe("[L-51.1] Cargo.lock", () => {
  it("[L-51.1] packages of crates.io with their checksum, members of the workspace as local", () => {
    const source = 'source = "registry+https://github.com/rust-lang/crates.io-index"';
    const file = crate(`name = "serde_json"\nversion = "1.0.0+x"\n${source}\nchecksum = "${"ab".repeat(32)}"`);
    const read = componentsOf([file]);
    expect(read.ok && read.value).toMatchObject([
      { purl: "pkg:cargo/a@1.0.0", origin: "local", hashes: [] },
      {
        purl: "pkg:cargo/serde_json@1.0.0+x",
        origin: "registry",
        hashes: [{ alg: "SHA-256", content: "ab".repeat(32) }],
      },
    ]);
  });

  it("[L-51.1] other sources, wrong forms and unknown versions are refused with their line", () => {
    const rows: readonly (readonly [string, string])[] = [
      ['name = "b"\nversion = "1.0.0"\nsource = "git+https://example.org/b#0123"', "RUMI-SUP-003"],
      ['name = "b"\nversion = "1.0.0"\nsource = "registry+http://example.org/index"', "RUMI-SUP-003"],
      ['name = "b"\nversion = "1.0"', "RUMI-SUP-001"],
      ['name = "../b"\nversion = "1.0.0"', "RUMI-SUP-001"],
      ['version = "1.0.0"', "RUMI-SUP-001"],
      ['name = "b"\nversion = "1.0.0"\nchecksum = "00"', "RUMI-SUP-001"],
    ];
    for (const [text, expected] of rows) expect([text, ...code(crate(text))]).toEqual([text, expected, 7]);
    expect(code(crate('name = "b"\nname = "c"'))).toEqual(["RUMI-SUP-001", 9]);
    expect(code(cargo("version = 3\npackage = 1"))[0]).toBe("RUMI-SUP-001");
    for (const version of ["", "version = 2", "version = 5", 'version = "3"'])
      expect(code(cargo(version))[0]).toBe("RUMI-SUP-002");
    expect(code(cargo(`version = 3\nx = ${"[".repeat(10_000)}`))[0]).toBe("RUMI-SUP-001");
  });
});

describe("[L-51.1] several lock files", () => {
  it("[L-51.1] two of one kind, and one that is too large, are refused", () => {
    expect(code(pip("a==1.0"), pip("b==1.0"))[0]).toBe("RUMI-SUP-004");
    expect(code(pip("#".repeat(LOCK_LIMITS.characters + 1)))[0]).toBe("RUMI-SUP-005");
    expect(code(pip("#".repeat(LOCK_LIMITS.characters)))[0]).toBe("fine");
    const many = (count: number): LockFile => pip(Array.from({ length: count }, (_, at) => `p${at}==1\n`).join(""));
    expect(code(many(LOCK_LIMITS.components + 1))[0]).toBe("RUMI-SUP-005");
    expect(code(many(LOCK_LIMITS.components))[0]).toBe("fine");
    expect(purls()).toEqual([]);
  });

  it("[L-51.1] any order of entries and files gives the same components", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(names, fc.infiniteStream(fc.nat()), (list, numbers) => {
        const shuffled = list
          .map((name) => [numbers.next().value as number, name] as const)
          .toSorted((a, b) => a[0] - b[0]);
        const lock = (of: readonly string[]): LockFile =>
          npm(Object.fromEntries(of.map((name) => [`node_modules/${name}`, dependency])));
        const lines = (of: readonly string[]): LockFile => pip(of.map((name) => `${name}==1.0`).join("\n"));
        const other = shuffled.map(([, name]) => name);
        expect(componentsOf([lines(other), lock(other)])).toEqual(componentsOf([lock(list), lines(list)]));
      }),
    );
  });
});
