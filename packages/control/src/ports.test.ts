/** docs/ports.md against the sources: five ports that the control plane uses, each with one contract and a default adapter. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

function textsIn(path: string): readonly string[] {
  const full = join(ROOT, path);
  const files = statSync(full).isFile()
    ? [full]
    : readdirSync(full, { recursive: true, encoding: "utf8" }).map((name) => join(full, name));
  return files.filter((name) => /(?<!\.test)\.ts$/.test(name)).map((name) => readFileSync(name, "utf8"));
}
const declares = (path: string, name: string): number =>
  textsIn(path).filter((text) =>
    new RegExp(`^export (async )?(interface|type|function|class|const) ${name}\\b`, "m").test(text),
  ).length;

it("[L-2.1] I, J, K, M and H are ports of the control plane: one contract and a default adapter each, none of them in it", () => {
  const page = readFileSync(join(ROOT, "docs/ports.md"), "utf8");
  const rows = [...page.matchAll(/^\| ([HIJKM]) [a-z ]+ \| `(\w+)` \| (\S+) \| `(\w+)` \| (\S+) \|$/gm)];
  expect(rows.map(([, letter]) => letter)).toEqual(["H", "I", "J", "K", "M"]);
  for (const [, letter, contract = "", at = "", adapter = "", by = ""] of rows) {
    expect([letter, declares(at, contract)], `one ${contract} in ${at}`).toEqual([letter, 1]);
    expect([letter, declares(by, adapter)], `one ${adapter} in ${by}`).toEqual([letter, 1]);
    for (const [name, path] of [
      [contract, at],
      [adapter, by],
    ] as const) {
      expect(path.startsWith("packages/control/"), `${name} belongs to somebody else`).toBe(false);
      expect(declares("packages/control/src", name), `${name} is not made here again`).toBe(0);
    }
  }
});

it("[L-2.1] only the program picks who keeps the books", () => {
  const picks = (path: string): boolean =>
    textsIn(path).some((text) => /\b(declaredFunds|simulatedFunds)\b/.test(text));
  expect([picks("packages/rumi/src"), picks("packages/control/src")]).toEqual([true, false]);
});
