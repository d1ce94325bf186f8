/** Finds and fetches an sdist in an index of the simple form (PEP 503), with its hash; nothing of it is opened here. */
import { request } from "node:https";
import { createHash } from "node:crypto";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { isSame, normalized, PIP_LIMITS, type Locked } from "./lock.ts";

const LINK = /<a\s[^>]*?href="([^"]+)"[^>]*>\s*([^<\s]+)\s*<\/a>/gi;

export type FetchedSdist = { readonly file: string; readonly bytes: Buffer };

export async function fetchSdist(
  index: URL,
  wanted: Locked,
  ca: string | undefined,
): Promise<Result<FetchedSdist, Failure>> {
  const failed = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-PIP-005", { index_url: index.href, problem }));
  const page = new URL(`${index.href.replace(/\/$/, "")}/${normalized(wanted.name)}/`);
  const listed = await get(page, ca, PIP_LIMITS.index_page_bytes);
  if (!listed.ok) return failed(`${wanted.name}: ${listed.error}`);
  for (const [, href = "", file = ""] of listed.value.toString("utf8").matchAll(LINK)) {
    const [, name, version] = /^(.+)-([^-]+)\.tar\.gz$/.exec(file) ?? [];
    if (name === undefined || version === undefined || !isSame({ name, version }, wanted)) continue;
    const url = new URL(href.replaceAll("&amp;", "&"), page);
    // A file of another host has not been judged.
    if (url.protocol !== "https:" || (url.host !== index.host && url.hostname !== "files.pythonhosted.org"))
      return failed(`${file} lies at another host`);
    const hash = /^#sha256=([0-9a-f]{64})$/.exec(url.hash)?.[1];
    if (hash === undefined) return failed(`the index gives no sha256 of ${file}`);
    url.hash = "";
    const fetched = await get(url, ca, PIP_LIMITS.file_bytes);
    if (!fetched.ok) return failed(`${file}: ${fetched.error}`);
    if (createHash("sha256").update(fetched.value).digest("hex") !== hash)
      return failed(`${file} is not what the index says`);
    return ok({ file, bytes: fetched.value });
  }
  return failed(`there is neither a wheel nor an sdist of ${wanted.name}==${wanted.version}`);
}

/** No redirect is followed: where it leads to has not been judged. */
function get(url: URL, ca: string | undefined, most: number): Promise<Result<Buffer, string>> {
  return new Promise((resolve) => {
    const asked = request(
      url,
      { ...(ca === undefined ? {} : { ca }), headers: { accept: "text/html" }, timeout: 30_000 },
      (reply) => {
        const parts: Buffer[] = [];
        let bytes = 0;
        if (reply.statusCode !== 200) {
          reply.resume();
          return resolve(err(`the index answered ${reply.statusCode ?? "nothing"}`));
        }
        reply.on("data", (part: Buffer) => {
          bytes += part.length;
          if (bytes > most) reply.destroy(new Error(`it is larger than ${most} bytes`));
          else parts.push(part);
        });
        reply.on("end", () => resolve(ok(Buffer.concat(parts))));
        reply.on("error", ({ message }) => resolve(err(message)));
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("it did not answer in time")));
    asked.on("error", ({ message }) => resolve(err(message)));
    asked.end();
  });
}
