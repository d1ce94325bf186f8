/**
 * `rumi strategy build`: each strategy of a pack from its source to the file that its manifest names.
 *
 * The SDKs know how (sdk/rust/build.mjs, sdk/typescript/bundle.mjs); this finds what is to be built. A strategy without a
 * source beside its entrypoint, Python among them, is taken as it is.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { RuntimeKind } from "@rumi/abi";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { sourceOf } from "./languages.ts";

type Named = { readonly strategy_id: string; readonly runtime_kind: RuntimeKind; readonly entrypoint: string };
type RustTools = {
  readonly compileStrategy: (of: {
    readonly source: string;
    readonly outfile: string;
    readonly kind: RuntimeKind;
  }) => void;
};
type TypeScriptTools = {
  readonly bundleStrategy: (of: { readonly entry: string; readonly outfile: string }) => Promise<void>;
};

/** Ids of the strategies that were built. RUMI-STR-068 with the compiler's own words. */
export async function buildStrategies(folder: string, sdk: string): Promise<Result<readonly string[], Failure>> {
  const strategies = named(folder);
  if (!strategies.ok) return strategies;
  const built: string[] = [];
  for (const { strategy_id, runtime_kind, entrypoint } of strategies.value) {
    const outfile = join(folder, entrypoint);
    const relative = sourceOf(runtime_kind);
    const source = relative === undefined ? undefined : join(dirname(outfile), relative);
    if (source === undefined || !existsSync(source)) continue;
    try {
      if (runtime_kind === "typescript") {
        const { bundleStrategy } = await tools<TypeScriptTools>(sdk, "typescript/bundle.mjs");
        await bundleStrategy({ entry: source, outfile });
      } else {
        const { compileStrategy } = await tools<RustTools>(sdk, "rust/build.mjs");
        compileStrategy({ source, outfile, kind: runtime_kind });
      }
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message.trim() : String(cause);
      return err(failure("RUMI-STR-068", { strategy_id, problem }, { cause }));
    }
    built.push(strategy_id);
  }
  return ok(built);
}

const tools = async <T>(sdk: string, path: string): Promise<T> =>
  (await import(pathToFileURL(join(sdk, path)).href)) as T;

/** What the manifest names, as far as building needs it; `rumi packs check` judges the rest. */
function named(folder: string): Result<readonly Named[], Failure> {
  const path = join(folder, "ecosystem.json");
  try {
    const manifest = JSON.parse(readFileSync(path, "utf8")) as { readonly strategies?: unknown };
    const strategies: readonly unknown[] = Array.isArray(manifest.strategies) ? manifest.strategies : [];
    return ok(strategies.filter(isNamed));
  } catch (cause) {
    return err(failure("RUMI-VAL-006", { path }, { cause }));
  }
}

function isNamed(value: unknown): value is Named {
  const one = value as Partial<Record<keyof Named, unknown>> | null;
  return (
    typeof one === "object" &&
    one !== null &&
    typeof one.strategy_id === "string" &&
    typeof one.runtime_kind === "string" &&
    typeof one.entrypoint === "string" &&
    !one.entrypoint.split("/").includes("..")
  );
}
