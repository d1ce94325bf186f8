/**
 * Makes object literals that begin with a spread cheap: `{ ...a, b }` becomes `{ ...null, ...a, b }`, which is the same
 * object by the language's own rules.
 *
 * Why: V8 clones the first spread into an object without room for more, and every property after it is added the slow way;
 * on Node 20 such a literal costs some thirty times as much as one whose spread stands anywhere else (docs/adr/0008).
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The code with its leading spreads told apart, and how many there were. */
export async function quickenSpreads(code) {
  const [{ parse }, { simple }] = await Promise.all([import("acorn"), import("acorn-walk")]);
  const places = [];
  const tree = parse(code, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true });
  simple(tree, {
    ObjectExpression({ start, properties }) {
      const [first] = properties;
      if (properties.length > 1 && first.type === "SpreadElement") places.push(start + 1);
    },
  });
  places.sort((a, b) => a - b);
  const parts = places.map((place, at) => `${code.slice(at === 0 ? 0 : places[at - 1], place)}...null,`);
  return { code: parts.join("") + code.slice(places.at(-1) ?? 0), count: places.length };
}

/** For esbuild: what it writes is written quickened. */
export const quickSpreads = {
  name: "quick-spreads",
  setup({ initialOptions, onEnd }) {
    initialOptions.write = false;
    onEnd(async ({ outputFiles = [] }) => {
      for (const { path, contents, text } of outputFiles) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, path.endsWith(".js") ? (await quickenSpreads(text)).code : contents);
      }
    });
  },
};
