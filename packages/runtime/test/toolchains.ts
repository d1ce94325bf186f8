/** What the SDKs bring to build a strategy, for tests that need fixtures in several languages. */
import { fileURLToPath } from "node:url";

const sdk = (path: string): string => new URL(`../../../sdk/${path}`, import.meta.url).href;
export const SDK_FOLDER = fileURLToPath(new URL("../../../sdk", import.meta.url));

export async function compileRust(of: {
  readonly source: string;
  readonly outfile: string;
  readonly kind: "rust_wasm" | "rust_native";
}): Promise<void> {
  const { compileStrategy } = (await import(sdk("rust/build.mjs"))) as {
    readonly compileStrategy: (o: typeof of) => void;
  };
  compileStrategy(of);
}

export async function bundleTypeScript(of: { readonly entry: string; readonly outfile: string }): Promise<void> {
  const { bundleStrategy } = (await import(sdk("typescript/bundle.mjs"))) as {
    readonly bundleStrategy: (o: typeof of) => Promise<void>;
  };
  await bundleStrategy(of);
}
