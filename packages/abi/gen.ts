/** Writes the generated codecs: `node --import tsx packages/abi/gen.ts` from the repository's root. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generateAll } from "./src/gen/all.ts";

for (const [path, text] of Object.entries(generateAll())) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
