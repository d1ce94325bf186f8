/** `npm run gen`: writes every generated page and codec, and the bundles made with them. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedPages } from "./generated-pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const [path, text] of Object.entries(generatedPages())) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
  process.stdout.write(`wrote ${path}\n`);
}
const abi = join(root, "packages/abi/gen.ts");
if (existsSync(abi)) execFileSync(process.execPath, ["--import", "tsx", abi], { cwd: root, stdio: "inherit" });
execFileSync(process.execPath, [join(root, "tools/build-wasm.mjs"), "--scripts"], { cwd: root, stdio: "inherit" });
