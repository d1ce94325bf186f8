/** Canonical JSON (RFC 8785, JCS): one byte string for one value, so that it can be hashed and signed. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

/** Throws a `TypeError` for what JSON cannot say: NaN, infinities, `undefined`, functions, lone surrogates. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`not a JSON number: ${value}`);
    return JSON.stringify(value);
  }
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) {
    let text = "[";
    for (const item of value as readonly Json[]) text += text === "[" ? canonicalJson(item) : `,${canonicalJson(item)}`;
    return `${text}]`;
  }
  if (typeof value === "object") {
    const object = value as JsonObject;
    let text = "{";
    for (const key of sortedKeys(object))
      text += `${text === "{" ? "" : ","}${quote(key)}:${canonicalJson(object[key] as Json)}`;
    return `${text}}`;
  }
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

const FEW_KEYS = 32;

/** By UTF-16 code units, as RFC 8785 wants. Most objects are small, and sorting few keys by insertion is several times quicker. */
function sortedKeys(object: JsonObject): readonly string[] {
  const keys = Object.keys(object);
  if (keys.length > FEW_KEYS) return keys.sort();
  for (let at = 1; at < keys.length; at += 1) {
    const key = keys[at] ?? "";
    let hole = at;
    for (; hole > 0; hole -= 1) {
      const before = keys[hole - 1] ?? "";
      if (before <= key) break;
      keys[hole] = before;
    }
    keys[hole] = key;
  }
  return keys;
}

/** Nothing in it needs an escape; most texts are so, and asking is cheaper than quoting. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new TypeError("a string holds a lone surrogate");
  return JSON.stringify(text);
}
