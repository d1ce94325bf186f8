/** Every generated file of the ABI: path from the repository's root → text. */
import { generatePython } from "./python.ts";
import { generateRust } from "./rust.ts";
import { generateTypeScript } from "./typescript.ts";

export function generateAll(): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(
      Object.entries(generateTypeScript()).map(([name, text]) => [`packages/abi/src/generated/${name}`, text]),
    ),
    "sdk/rust/src/generated.rs": generateRust(),
    "sdk/python/rumi_sdk/_generated.py": generatePython(),
  };
}
