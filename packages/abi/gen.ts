/** Writes the generated codecs and the Rust golden test: `node --import tsx packages/abi/gen.ts` from the root. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { generateAll } from "./src/gen/all.ts";

const write = (path: string, text: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
};

for (const [path, text] of Object.entries(generateAll())) write(path, text);
const { generateRustGolden } = await import("./src/gen/golden.ts");
write("sdk/rust/tests/golden.rs", generateRustGolden(JSON.parse(readFileSync("docs/formats/abi.v1.json", "utf8"))));
