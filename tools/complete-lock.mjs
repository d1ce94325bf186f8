/**
 * Adds to package-lock.json the optional platform packages that npm left out, so that `npm ci` works everywhere.
 *
 * npm writes an optional dependency into the lock only if the registry at hand answers for it; a mirror that lacks
 * the builds for other platforms gives a lock that `npm ci` then refuses as incomplete. Run this after a change of
 * dependencies: `npm install --package-lock-only && node tools/complete-lock.mjs`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const path = join(fileURLToPath(new URL("..", import.meta.url)), "package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
const OS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const CPU = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "x64", "wasm32"];

/** What a package's name says about where it runs: `@swc/core-linux-arm64-musl`. */
function platformOf(name) {
  const words = name.split("/").at(-1).split("-");
  return {
    os: OS.filter((one) => words.includes(one)),
    cpu: CPU.filter((one) => words.includes(one)),
    libc: ["musl", "gnu"].filter((one) => words.includes(one)).map((one) => (one === "gnu" ? "glibc" : one)),
  };
}

let added = 0;
for (const [where, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    const places = [`${where}/node_modules/${name}`, `node_modules/${name}`];
    if (places.some((place) => place in lock.packages) || !/^\d/.test(range)) continue;
    const { os, cpu, libc } = platformOf(name);
    lock.packages[`node_modules/${name}`] = {
      version: range,
      ...(cpu.length === 0 ? {} : { cpu }),
      ...(entry.dev === true ? { dev: true } : {}),
      ...(libc.length === 0 ? {} : { libc }),
      optional: true,
      ...(os.length === 0 ? {} : { os }),
    };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`added ${added} platform packages to package-lock.json\n`);
