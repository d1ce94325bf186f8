/** A package index of this machine over https, with wheels and sdists made here; what it was asked for is on record. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export type LocalIndex = {
  readonly url: string;
  readonly host: string;
  readonly ca_file: string;
  readonly asked: string[];
  /** Serves this file for a project. */
  put(project: string, file: string, data: Buffer): void;
  close(): Promise<void>;
};

const WHEEL = `
import sys, zipfile
target, name, version, module, code = sys.argv[1:]
info = "%s-%s.dist-info" % (name, version)
with zipfile.ZipFile(target, "w") as wheel:
    wheel.writestr(module + ".py", code)
    wheel.writestr(info + "/METADATA", "Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (name, version))
    wheel.writestr(info + "/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(info + "/RECORD", "")
`;

/** A wheel with one module. */
export function makeWheel(folder: string, name: string, version: string, code: string): readonly [string, Buffer] {
  const file = `${name}-${version}-py3-none-any.whl`;
  mkdirSync(folder, { recursive: true });
  const target = join(folder, file);
  execFileSync("python3", ["-c", WHEEL, target, name, version, name, code]);
  return [file, readFileSync(target)];
}

/** An sdist whose own backend makes its wheel; `build` is code that runs while it does. */
export function makeSdist(folder: string, name: string, version: string, build = ""): readonly [string, Buffer] {
  const top = `${name}-${version}`;
  const root = join(folder, top);
  mkdirSync(root, { recursive: true });
  const settings = '[build-system]\nrequires = []\nbuild-backend = "own_backend"\nbackend-path = ["."]\n';
  writeFileSync(join(root, "pyproject.toml"), settings);
  const wheel = WHEEL.replace(/^target, .*$/m, "").replace(/^import .*$/m, "");
  const body = wheel
    .trim()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
  const backend = `import os, zipfile\ndef build_wheel(folder, config_settings=None, metadata_directory=None):\n    name, version, module, code = ${JSON.stringify(name)}, ${JSON.stringify(version)}, ${JSON.stringify(name)}, "built = True\\n"\n${build}    target = os.path.join(folder, "%s-%s-py3-none-any.whl" % (name, version))\n${body}\n    return os.path.basename(target)\n`;
  writeFileSync(join(root, "own_backend.py"), backend);
  execFileSync("tar", ["-czf", `${top}.tar.gz`, top], { cwd: folder });
  return [`${top}.tar.gz`, readFileSync(join(folder, `${top}.tar.gz`))];
}

export async function openIndex(folder: string): Promise<LocalIndex> {
  mkdirSync(folder, { recursive: true });
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    cert,
    ...subject,
  ];
  execFileSync("openssl", made, { stdio: "ignore" });
  const files = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, reply) => {
    const path = request.url ?? "";
    asked.push(path);
    const file = files.get(path);
    const [, project = ""] = /^\/simple\/([^/]+)\/$/.exec(path) ?? [];
    const links = [...files].filter(([at]) => at.startsWith(`/files/${project}/`));
    if (file !== undefined) return void reply.end(file);
    if (project === "" || links.length === 0) return void reply.writeHead(404).end();
    reply.setHeader("content-type", "text/html");
    const rows = links.map(([at, data]) => {
      const hash = createHash("sha256").update(data).digest("hex");
      return `<a href="${at}#sha256=${hash}">${at.slice(at.lastIndexOf("/") + 1)}</a><br/>`;
    });
    reply.end(`<!DOCTYPE html><html><body>${rows.join("\n")}</body></html>`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  return {
    host,
    asked,
    url: `https://${host}/simple`,
    ca_file: cert,
    put: (project, file, data) => void files.set(`/files/${project}/${file}`, data),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
