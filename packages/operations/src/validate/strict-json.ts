/**
 * Reads a request body as JSON and refuses what `JSON.parse` lets through: a key named twice, the key
 * `__proto__`, nesting and size beyond the limits.
 *
 * How to think: one scan over the text for structure (keys and depth only), then the engine's own parser
 * for values. The scan never decides what is JSON; it only refuses more.
 */
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { PIPELINE_LIMITS } from "../limits.ts";

const QUOTE = 34;
const BACKSLASH = 92;

/** The parsed value, or RUMI-VAL-010 (not JSON), -002 (forbidden or repeated key), -012 (limit). */
export function parseStrictJson(text: string): Result<unknown, Failure> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return err(failure("RUMI-VAL-010", { problem: problemOf(error) }));
  }
  const refused = scan(text);
  return refused === undefined ? ok(value) : err(refused);
}

/** Keeps the engine's message free of the body's own text, which may hold a secret. */
function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  const at = /at position (\d+)/.exec(message)?.[1];
  if (at !== undefined) return `it breaks at character ${at}`;
  return /end of JSON/i.test(message) ? "it ends too early" : "it cannot be read";
}

function scan(text: string): Failure | undefined {
  const open: (Set<string> | null)[] = [];
  let expectKey = false;
  let nodes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const keys = open.at(-1);
      if (expectKey && keys !== null && keys !== undefined) {
        const key = keyText(text.slice(at, end + 1));
        if (key === "__proto__")
          return failure("RUMI-VAL-002", {
            field: "$",
            problem: "the key __proto__ is not allowed",
          });
        if (keys.has(key)) return failure("RUMI-VAL-002", { field: `$.${key}`, problem: "the key appears twice" });
        keys.add(key);
        expectKey = false;
      }
      at = end;
    } else if (code === 123 /* { */ || code === 91 /* [ */) {
      open.push(code === 123 ? new Set() : null);
      expectKey = code === 123;
      if (open.length > PIPELINE_LIMITS.json_depth) {
        return failure("RUMI-VAL-012", {
          field: "$",
          problem: `nested deeper than ${PIPELINE_LIMITS.json_depth}`,
        });
      }
    } else if (code === 125 /* } */ || code === 93 /* ] */) {
      open.pop();
      expectKey = false;
    } else if (code === 44 /* , */) {
      expectKey = open.at(-1) !== null;
      nodes += 1;
      if (nodes > PIPELINE_LIMITS.json_nodes) {
        return failure("RUMI-VAL-012", {
          field: "$",
          problem: `more than ${PIPELINE_LIMITS.json_nodes} values`,
        });
      }
    }
  }
  return undefined;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

function keyText(quoted: string): string {
  return quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}
