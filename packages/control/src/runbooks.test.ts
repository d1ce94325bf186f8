import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ERROR_CATALOGUE } from "@rumi/kernel";
import { expect, it } from "vitest";
import { REASON_PAGES, RUNBOOKS, runbookOf } from "./runbooks.ts";

const root = new URL("../../../", import.meta.url);

it("[G-12] every refusal of bots and packs has a runbook that exists and says what to look at and do", () => {
  for (const code of Object.keys(ERROR_CATALOGUE).filter((one) => /^RUMI-(BOT|PACK|RSK)-/.test(one)))
    expect([code, runbookOf(code, undefined)]).toEqual([code, expect.any(String)]);
  for (const page of new Set([...Object.values(RUNBOOKS), ...Object.values(REASON_PAGES)])) {
    expect(existsSync(new URL(page, root)), page).toBe(true);
    const text = readFileSync(new URL(page, root), "utf8");
    for (const part of ["# ", "**What it means.**", "**Look.**", "**Do.**"]) expect(text, page).toContain(part);
  }
});

/** Every reason code of the runtime in the sources, with where it stands; a code whose end is computed ends in `*`. */
function reasonCodes(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const packages = fileURLToPath(new URL("packages", root));
  for (const name of readdirSync(packages)) {
    const source = join(packages, name, "src");
    if (!existsSync(source)) continue;
    for (const file of readdirSync(source, { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts") || /\.(test|fixture)\.ts$/.test(file)) continue;
      const text = readFileSync(join(source, file), "utf8");
      for (const [, code = "", end = ""] of text.matchAll(/["'`](M\.[A-Z]+(?:\.[A-Z0-9_]+|\.(?=\$\{))*)(["'`]|\$\{)/g))
        found.set(end === "${" ? `${code}*` : code, `${name}/src/${file}`);
    }
  }
  return found;
}

it("[M-5.3.1] every reason code of the runtime in the sources has its row on the page of its family", () => {
  const codes = reasonCodes();
  expect(codes.size).toBeGreaterThan(100);
  const missing: string[] = [];
  for (const [code, where] of codes) {
    const page = REASON_PAGES[/^M\.([A-Z]+)/.exec(code)?.[1] ?? ""];
    const text = page === undefined ? "" : readFileSync(new URL(page, root), "utf8");
    // A computed end has a row with `*`, or rows of its own for what it can be.
    if (!text.includes(`| \`${code}\` `) && !(code.endsWith("*") && text.includes(`| \`${code.slice(0, -1)}`)))
      missing.push(
        `${code} (${where}) → ${page ?? "REASON_PAGES in packages/control/src/runbooks.ts lacks its family"}`,
      );
  }
  expect(missing, "write a row: what happened, what to do").toEqual([]);
});

it("[M-5.3.1] an operator is led from a reason to its page", () => {
  expect(runbookOf("RUMI-STR-032", "M.SANDBOX.DEADLINE")).toBe("docs/runbooks/reasons/sandbox.md");
  expect(runbookOf("RUMI-BOT-020", "M.ISOLATION.UNAVAILABLE")).toBe("docs/runbooks/isolation.md");
});
