/** What the offline checks read: files whose envelope stands alone or within an answer of the API. */
import { readFileSync } from "node:fs";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

/** The file's text, or a failure of the caller's code that names the file. */
export function readText(path: string, code: "RUMI-LOG-027" | "RUMI-REL-006"): Result<string, Failure> {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (cause) {
    return err(failure(code, { problem: `${path} cannot be read` }, { cause }));
  }
}

/** The envelope itself, or what an answer has under `data.envelope` or `envelope`; undefined for what is no JSON. */
export function envelopeIn(text: string): unknown {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    return undefined;
  }
  for (const name of ["data", "envelope"])
    if (typeof found === "object" && found !== null && name in found) found = (found as Record<string, unknown>)[name];
  return found;
}
