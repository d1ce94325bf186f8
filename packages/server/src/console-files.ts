/** The built console, read once at start: what is not in that list is not served, whatever the path. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { invariant, sha256Hex } from "@rumi/kernel";
import type { FastifyInstance } from "fastify";
import { SERVER_LIMITS } from "./limits.ts";
import { CONSOLE_CSP } from "./security.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".json": "application/json; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".map": "application/json; charset=utf-8",
};

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Rumi</title>
<body><h1>The console is not built</h1><p>Run <code>npm run build</code>, then start the program again. The API answers meanwhile.</p>
<p lang="ja">コンソールはまだビルドされていません。<code>npm run build</code> を実行して再起動してください。API は利用できます。</p></body></html>`;

export function installConsole(app: FastifyInstance, folder: string | null): void {
  const open = { config: { open: true } } as const;
  const files =
    folder !== null && existsSync(join(folder, "index.html")) ? readConsole(folder) : new Map<string, Buffer>();
  for (const [path, bytes] of files) {
    const etag = `"${sha256Hex(bytes).slice(0, 32)}"`;
    const cache = path.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache";
    app.get(path, open, (request, reply) => {
      reply.headers({
        "content-type": TYPES[path === "/" ? ".html" : extname(path)] ?? "application/octet-stream",
        "content-security-policy": CONSOLE_CSP,
        "cache-control": cache,
        etag,
      });
      return request.headers["if-none-match"] === etag ? reply.code(304).send() : reply.send(bytes);
    });
  }
  if (!files.has("/")) {
    app.get("/", open, (_request, reply) =>
      reply.code(503).headers({ "content-type": "text/html; charset=utf-8" }).send(NOT_BUILT),
    );
  }
}

function readConsole(folder: string): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue; // links are left out on purpose
    const file = join(entry.parentPath, entry.name);
    bytes += statSync(file).size;
    invariant(
      files.size < SERVER_LIMITS.console_files && bytes <= SERVER_LIMITS.console_bytes,
      "the console's folder is too large",
    );
    const path = `/${relative(folder, file).split(sep).map(encodeURIComponent).join("/")}`;
    files.set(path === "/index.html" ? "/" : path, readFileSync(file));
  }
  return files;
}
