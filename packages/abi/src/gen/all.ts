/** Every generated file of the ABI: path from the repository's root → text. */
import { readFileSync } from "node:fs";
import { generatePython } from "./python.ts";
import { generateRust } from "./rust.ts";
import { generateTypeScript, generateTypeScriptSdk } from "./typescript.ts";

export function generateAll(): Readonly<Record<string, string>> {
  const below = (folder: string, files: Readonly<Record<string, string>>): Record<string, string> =>
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}/${name}`, text]));
  const views = readFileSync(new URL("../views.ts", import.meta.url), "utf8");
  return {
    ...below("packages/abi/src/generated", generateTypeScript()),
    ...below("sdk/typescript/src/generated", generateTypeScriptSdk(views)),
    "sdk/rust/src/generated.rs": generateRust(),
    "sdk/python/rumi_sdk/_generated.py": generatePython(),
  };
}
