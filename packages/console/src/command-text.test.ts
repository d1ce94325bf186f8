import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { commandText } from "./command-text.ts";

/** What a shell makes of the line, word by word. */
const words = (line: string): readonly string[] =>
  execFileSync("sh", ["-c", `rumi() { printf '%s\\0' "$@"; }; ${line}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);

describe("a copied command", () => {
  it("is read by a shell as it was meant, whatever stands in it", () => {
    const reason = `it's "fine" $(id) \`x\`; & | > * ~ 理由\n\\end`;
    const line = commandText("packs reject", ["my_pack"], { reason });
    expect(words(line)).toEqual(["packs", "reject", "my_pack", "--reason", reason]);
  });
  it("has a flag for each value, and none for what was not said", () => {
    const flags = { pack_id: "a", allowed_domains: ["*.b.org", "c.org"], empty: [], index_url: null };
    expect(words(commandText("network grant", [], flags))).toEqual([
      "network",
      "grant",
      "--pack-id",
      "a",
      "--allowed-domains",
      "*.b.org",
      "c.org",
    ]);
  });
  it("quotes nothing that needs no quotes", () => {
    expect(commandText("packs status", ["my_pack"])).toBe("rumi packs status my_pack");
    expect(commandText("packs approve", [""])).toBe("rumi packs approve ''");
  });
});
