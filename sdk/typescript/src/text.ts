/** UTF-8 in and out; the engine has no TextEncoder. */

export function encodeText(text: string, most: number): Uint8Array {
  const bytes = new Uint8Array(Math.min(most, text.length * 3));
  let at = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    const size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4;
    if (at + size > bytes.length) break;
    if (size === 1) bytes[at] = code;
    else {
      for (let i = size - 1; i > 0; i -= 1) bytes[at + i] = 0x80 | ((code >> (6 * (size - 1 - i))) & 0x3f);
      bytes[at] = ((0xf00 >> size) & 0xff) | (code >> (6 * (size - 1)));
    }
    at += size;
  }
  return bytes.subarray(0, at);
}

export function decodeText(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] ?? 0;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    let code = size === 1 ? first : first & (0xff >> (size + 1));
    for (let i = 1; i < size; i += 1) code = (code << 6) | ((bytes[at + i] ?? 0) & 0x3f);
    text += String.fromCodePoint(code);
    at += size;
  }
  return text;
}
