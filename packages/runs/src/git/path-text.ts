/**
 * Names of files as JSON can carry them. A path that is UTF-8 and does not begin with a quotation mark is itself; any other
 * is written as git quotes it: in quotation marks, with octal escapes. So two paths never have the same text. Pure.
 */
const ESCAPES: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

export function pathText(bytes: Uint8Array): string {
  const plain = asUtf8(bytes);
  if (plain !== undefined && !plain.startsWith('"')) return plain;
  let text = "";
  for (const byte of bytes)
    text +=
      ESCAPES[byte] ??
      (byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, "0")}` : String.fromCharCode(byte));
  return `"${text}"`;
}

/** What globs are compared with: bytes that are no UTF-8 are U+FFFD there. */
export const pathForGlobs = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

function asUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
