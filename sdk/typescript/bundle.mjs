/**
 * Makes one script of a strategy and everything it imports: what the pack holds, what its hash is taken of.
 *
 * `rumi strategy build` and the repository's own tools call this; the same bytes need the same esbuild.
 */
import { fileURLToPath } from "node:url";

/** Writes `outfile`. Rejects with esbuild's own words when the source does not build. */
export async function bundleStrategy({ entry, outfile }) {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "iife",
    platform: "neutral",
    target: "es2023",
    charset: "utf8",
    legalComments: "none",
    treeShaking: true,
    minifySyntax: true,
    alias: { "rumi-sdk": fileURLToPath(new URL("src/index.ts", import.meta.url)) },
    absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
    logLevel: "silent",
    write: true,
    // Comments that name source files would change the bytes with the folder the pack lies in.
    minifyWhitespace: true,
  });
}
