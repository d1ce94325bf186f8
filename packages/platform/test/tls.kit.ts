/** A certificate authority of this process and a certificate of it, for servers of tests. */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../../tools/test-support.ts";

export type Certificate = { readonly ca: string; readonly key: string; readonly cert: string };

export function certificateFor(...names: readonly string[]): Certificate {
  const folder = temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  const openssl = (...args: string[]): void => {
    const done = spawnSync("openssl", args, { encoding: "utf8" });
    if (done.status !== 0) throw new Error(`openssl ${args.join(" ")}: ${done.stderr}`);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=test");
  openssl("req", ...key, "-keyout", at("key.pem"), "-out", at("csr.pem"), "-subj", "/CN=server");
  writeFileSync(at("ext"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  const signed = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "2", "-extfile", at("ext")];
  openssl("x509", "-req", "-in", at("csr.pem"), ...signed, "-out", at("cert.pem"));
  const read = (name: string): string => readFileSync(at(name), "utf8");
  const made = { ca: read("ca.pem"), key: read("key.pem"), cert: read("cert.pem") };
  folder.remove();
  return made;
}
