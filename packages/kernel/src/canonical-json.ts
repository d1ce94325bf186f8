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
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(",")}]`;
  if (typeof value === "object") {
    const object = value as JsonObject;
    const members = Object.keys(object)
      .sort() // by UTF-16 code units, as RFC 8785 wants
      .map((key) => `${quote(key)}:${canonicalJson(object[key] as Json)}`);
    return `{${members.join(",")}}`;
  }
  throw new TypeError(`not a JSON value: ${typeof value}`);
}

function quote(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("a string holds a lone surrogate");
  return JSON.stringify(text);
}
