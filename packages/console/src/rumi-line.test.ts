import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { moveLine, quoted, rumiLine } from "./rumi-line.ts";

it("a line names flags as the command line does, and quotes what a shell would take apart", () => {
  expect(rumiLine("killswitch set", { scope: { all: true }, level: "BLOCK", reason: "it's late" })).toBe(
    `rumi killswitch set --scope '{"all":true}' --level BLOCK --reason 'it'\\''s late'`,
  );
  expect(moveLine("one", "RUNNING_LIVE", "go")).toBe("rumi bots start one --mode live --reason go");
  expect(moveLine("one", "STOPPING", "go on")).toBe("rumi bots stop one --reason 'go on'");
});

it.each(["plain", "two words", "it's", "$(rm -rf x)", "`x`", 'a"b', "a\\b", "", "日本"])(
  "a shell reads %j back",
  (text) => {
    expect(execFileSync("sh", ["-c", `printf %s ${quoted(text)}`], { encoding: "utf8" })).toBe(text);
  },
);
