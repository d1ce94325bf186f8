/** Every generated file of the ABI: path from the repository's root → text. */
import { generateTypeScript } from "./typescript.ts";

export function generateAll(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(generateTypeScript()).map(([name, text]) => [`packages/abi/src/generated/${name}`, text]));
}
