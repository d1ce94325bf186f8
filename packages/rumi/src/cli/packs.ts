/** `rumi packs check DIR`: whether a folder is a pack, before anybody imports it; and the hashes its manifest needs. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { lookAtPack, PACK_LIMITS, readTree, type PackEntry } from "@rumi/platform";
import { fail, type CliContext, type OutputStyle } from "./context.ts";
import { printJson } from "./output.ts";

const MANIFEST = "ecosystem.json";

type Options = { readonly writeHashes?: boolean; readonly json?: boolean };

/** The noun, to which others add their verbs. */
export function addPackCommands(program: Command, context: CliContext): Command {
  const packs = program.command("packs").alias("pack").description("Commands about packs.");
  packs
    .command("check")
    .description("Check a pack's folder without importing it: manifest, strategies, digest")
    .argument("<dir>", "folder that holds ecosystem.json")
    .option("--write-hashes", "first write each strategy's binary_hash into the manifest")
    .option("--json", "print what was found as JSON")
    .action(async (dir: string, options: Options) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const folder = resolve(dir);
      const written = options.writeHashes === true ? await writeHashes(folder) : ok(undefined);
      const checked = written.ok ? await checkPack(folder) : written;
      if (!checked.ok) return fail(context, checked.error, style);
      if (style === "json") printJson(context.terminal, checked.value);
      else
        context.terminal.out(
          `${checked.value.pack_id} ${checked.value.version}: ${checked.value.files} files, strategies ${checked.value.strategies.join(", ")}\n${checked.value.digest}\n`,
        );
      return undefined;
    });
  return packs;
}

type Checked = {
  readonly pack_id: string;
  readonly version: string;
  readonly digest: string;
  readonly files: number;
  readonly strategies: readonly string[];
};

/** Manifest, strategies and digest of a folder. */
export async function checkPack(folder: string): Promise<Result<Checked, Failure>> {
  const sight = await lookAtPack(folder, PACK_LIMITS);
  if (!sight.ok) return sight;
  const { manifest, digest, files } = sight.value.seen;
  const { pack_id, version, strategies } = manifest;
  return ok({ pack_id, version, digest, files, strategies: strategies.map((one) => one.strategy_id) });
}

/** Fills in what can only be computed; leaves every other word of the manifest to `check`. */
export async function writeHashes(folder: string): Promise<Result<undefined, Failure>> {
  const tree = await readTree(folder, PACK_LIMITS);
  if (!tree.ok) return tree;
  const text = manifestText(folder);
  if (!text.ok) return text;
  let manifest: { readonly strategies?: unknown };
  try {
    manifest = JSON.parse(text.value) as typeof manifest;
  } catch (cause) {
    return err(failure("RUMI-PACK-002", { field: "(file)", problem: "it is not JSON" }, { cause }));
  }
  if (!Array.isArray(manifest.strategies)) return ok(undefined);
  const strategies = manifest.strategies.map((one: unknown) => hashed(one, tree.value.entries));
  writeFileSync(join(folder, MANIFEST), `${JSON.stringify({ ...manifest, strategies }, null, 2)}\n`);
  return ok(undefined);
}

function hashed(strategy: unknown, entries: readonly PackEntry[]): unknown {
  if (typeof strategy !== "object" || strategy === null || !("entrypoint" in strategy)) return strategy;
  const file = entries.find((entry) => entry.path === strategy.entrypoint);
  return file === undefined ? strategy : { ...strategy, binary_hash: `sha256:${file.sha256}` };
}

function manifestText(folder: string): Result<string, Failure> {
  const path = join(folder, MANIFEST);
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (cause) {
    return err(failure("RUMI-VAL-006", { path }, { cause }));
  }
}
