/** Writes docs/contracts/ from the catalogue: `npx tsx packages/ledger/generate.ts`. A test compares. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { contractSchemas } from "./src/contracts.ts";

const target = join(dirname(fileURLToPath(import.meta.url)), "../../docs/contracts");
mkdirSync(target, { recursive: true });
for (const [name, schema] of Object.entries(contractSchemas()))
  writeFileSync(join(target, name), `${JSON.stringify(schema, null, 2)}\n`);
