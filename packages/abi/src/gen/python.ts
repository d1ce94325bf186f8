/** Writes sdk/python/rumi_sdk/_generated.py: slot classes, packers and readers over `struct`. */
import {
  ABI_LIMITS,
  ABI_VERSION,
  CALLBACK,
  ENUMS,
  FRAMES,
  MISSING_I64,
  MISSING_U32,
  MONEY_DIGITS,
  NO_INSTRUMENT,
  ORDER_OPTIONS,
  QUALITY,
  REFUSAL,
  type ScalarType,
  STATUS,
} from "../schema.ts";
import { type FrameLayout, HEADER_LAYOUT, layFrame, META_LAYOUT, type Place, SIZE, STRUCT_LAYOUTS } from "./layout.ts";
import { GENERATED, pascal, wordRange } from "./words.ts";

const CODE: Readonly<Partial<Record<ScalarType, string>>> = {
  u8: "B",
  u16: "H",
  u32: "I",
  i64: "q",
  u64: "Q",
  f64: "d",
};
const codeOf = (type: ScalarType): string => CODE[type] ?? `${SIZE[type]}s`;
const emptyOf = (type: ScalarType): string =>
  type === "b16" ? "ZERO16" : type.startsWith("t") ? `""` : type === "f64" ? "0.0" : "0";

/** A struct format from `from` to `to` with explicit padding. */
function format(places: readonly Place[], from: number, to: number): string {
  let at = from;
  let text = "";
  for (const place of places) {
    if (place.at > at) text += `${place.at - at}x`;
    text += codeOf(place.type);
    at = place.at + SIZE[place.type];
  }
  return to > at ? `${text}${to - at}x` : text;
}

function check(place: Place, value: string): string {
  const name = `"${place.name}"`;
  if (place.words !== undefined) {
    const [low, high] = wordRange(place.words);
    return `_word(${value}, ${low}, ${high}, ${name})`;
  }
  switch (place.type) {
    case "u8":
      return `_word(${value}, 0, 255, ${name})`;
    case "u16":
      return `_word(${value}, 0, 65535, ${name})`;
    case "u32":
      return `_word(${value}, 0, 4294967295, ${name})`;
    case "i64":
      return `_word(${value}, -MAX_INTEGER, MAX_INTEGER, ${name})`;
    case "u64":
      return `_word(${value}, 0, MAX_INTEGER, ${name})`;
    case "f64":
      return `_real(${value}, ${name})`;
    case "b16":
      return `_id(${value}, ${name})`;
    default:
      return `_put_text(${value}, ${SIZE[place.type]}, ${name})`;
  }
}

/** Only what `struct` cannot promise by itself is checked when reading. */
function verify(place: Place): string[] {
  if (place.words !== undefined) return [check(place, place.name)];
  if (place.type === "i64" || place.type === "u64" || place.type === "f64") return [check(place, place.name)];
  if (place.type.startsWith("t")) return [`${place.name} = _take_text(${place.name}, "${place.name}")`];
  return [];
}

function record(
  name: string,
  doc: string,
  places: readonly Place[],
  tails: readonly { name: string; kind: string }[] = [],
): string {
  const names = [...places.map((p) => p.name), ...tails.map((t) => t.name)];
  const parameters = [
    ...places.map((p) => `${p.name}=${emptyOf(p.type)}`),
    ...tails.map((t) => `${t.name}=${t.kind === "bytes" ? `b""` : "()"}`),
  ];
  return [
    `class ${name}(Record):`,
    `    """${doc}"""`,
    `    __slots__ = (${names
      .map((n) => `"${n}", `)
      .join("")
      .trimEnd()})`,
    "",
    ...(names.length === 0
      ? ["    def __init__(self):", "        pass"]
      : [`    def __init__(self, ${parameters.join(", ")}):`, ...names.map((n) => `        self.${n} = ${n}`)]),
    "",
    "",
  ].join("\n");
}

const HEADER_PLACES = HEADER_LAYOUT.places.filter(
  (place) => !["kind", "length", "schema_version"].includes(place.name),
);
const META_PLACES = META_LAYOUT.places.filter((place) => !["kind", "flags", "length"].includes(place.name));

function headers(): string {
  return [
    record("FrameHeader", "What every input frame carries besides kind, length and schema version.", HEADER_PLACES),
    record("IntentMeta", "What every intent carries (M-2.4.2).", META_PLACES),
    `_HEADER = Struct("<${format(HEADER_LAYOUT.places, 0, HEADER_LAYOUT.size)}")`,
    `_META = Struct("<${format(META_PLACES, 8, META_LAYOUT.size)}")`,
    `_RECORD = Struct("<HHI")`,
    "",
    "",
    "def read_frame_header(frame):",
    `    """-> (kind, length, FrameHeader)"""`,
    `    if len(frame) < ${HEADER_LAYOUT.size}:`,
    `        raise FrameError("length")`,
    `    ${HEADER_LAYOUT.places.map((p) => p.name).join(", ")} = _HEADER.unpack_from(frame, 0)`,
    ...HEADER_PLACES.flatMap((p) => verify(p).map((line) => `    ${line}`)),
    `    if schema_version != ABI_VERSION:`,
    `        raise FrameError("schema_version")`,
    `    return kind, length, FrameHeader(${HEADER_PLACES.map((p) => p.name).join(", ")})`,
    "",
    "",
    "def _put_header(kind, length, value):",
    `    return _HEADER.pack(${HEADER_LAYOUT.places.map((p) => (p.name === "kind" || p.name === "length" ? p.name : p.name === "schema_version" ? "ABI_VERSION" : check(p, `value.${p.name}`))).join(", ")})`,
    "",
    "",
    "def read_intent_meta(frame):",
    `    ${META_PLACES.map((p) => p.name).join(", ")} = _META.unpack_from(frame, 8)`,
    ...META_PLACES.flatMap((p) => verify(p).map((line) => `    ${line}`)),
    `    return IntentMeta(${META_PLACES.map((p) => p.name).join(", ")})`,
    "",
    "",
    "def _put_meta(value):",
    `    return _META.pack(${META_PLACES.map((p) => check(p, `value.${p.name}`)).join(", ")})`,
    "",
    "",
  ].join("\n");
}

function structs(): string {
  return (["level", "instrument"] as const)
    .map((name) => {
      const layout = STRUCT_LAYOUTS[name];
      return [
        record(pascal(name), "Element of an array tail.", layout.places),
        `_${name.toUpperCase()} = Struct("<${format(layout.places, 0, layout.size)}")`,
        "",
        "",
        `def _put_${name}(value):`,
        `    return _${name.toUpperCase()}.pack(${layout.places.map((p) => check(p, `value.${p.name}`)).join(", ")})`,
        "",
        "",
        `def _take_${name}(frame, at):`,
        `    ${layout.places.map((p) => p.name).join(", ")} = _${name.toUpperCase()}.unpack_from(frame, at)`,
        ...layout.places.flatMap((p) => verify(p).map((line) => `    ${line}`)),
        `    return ${pascal(name)}(${layout.places.map((p) => p.name).join(", ")})`,
        "",
        "",
      ].join("\n");
    })
    .join("");
}

function frameCode(layout: FrameLayout): string {
  const { frame, tails, places } = layout;
  const type = pascal(frame.name);
  const packed = `_${frame.name.toUpperCase()}`;
  const all = [...places, ...tails.map((tail) => tail.count)];
  const input = frame.group === "input";
  const head = input ? "header, " : frame.group === "intent" ? "meta, " : "";
  const start = input
    ? `_put_header(${frame.kind}, length, header)`
    : `_RECORD.pack(${frame.kind}, 0, length)${frame.group === "intent" ? " + _put_meta(meta)" : ""}`;
  const arguments_ = [
    ...places.map((p) => check(p, `value.${p.name}`)),
    ...tails.map((tail) => `len(value.${tail.name})`),
  ].join(", ");
  const tailBytes = tails
    .map(
      (tail) =>
        ` + ${tail.kind === "bytes" ? `_pad(value.${tail.name})` : `b"".join([_put_${tail.of}(item) for item in value.${tail.name}])`}`,
    )
    .join("");
  const unpacked = all.map((p) => p.name);
  const body: string[] = [];
  if (tails.length === 0) body.push(`    if len(frame) != ${layout.size}:`, `        raise FrameError("length")`);
  else body.push(`    if len(frame) < ${layout.size}:`, `        raise FrameError("length")`);
  if (unpacked.length > 0)
    body.push(
      `    ${unpacked.length === 1 ? `(${unpacked[0]},)` : unpacked.join(", ")} = ${packed}.unpack_from(frame, ${layout.base})`,
    );
  body.push(...places.flatMap((p) => verify(p).map((line) => `    ${line}`)));
  if (tails.length > 0) {
    const total = tails
      .map((tail) =>
        tail.kind === "bytes" ? `_pad8(${tail.count.name})` : `${tail.count.name} * ${tail.elementBytes}`,
      )
      .join(" + ");
    body.push(
      `    if len(frame) != ${layout.size} + ${total}:`,
      `        raise FrameError("length")`,
      `    at = ${layout.size}`,
    );
    tails.forEach((tail) => {
      if (tail.kind === "bytes")
        body.push(`    ${tail.name} = bytes(frame[at:at + ${tail.count.name}])`, `    at += _pad8(${tail.count.name})`);
      else
        body.push(
          `    ${tail.name} = [_take_${tail.of}(frame, at + ${tail.elementBytes} * i) for i in range(${tail.count.name})]`,
          `    at += ${tail.elementBytes} * ${tail.count.name}`,
        );
    });
  }
  return [
    record(type, frame.doc, places, tails),
    `${packed} = Struct("<${format(all, layout.base, layout.size)}")`,
    "",
    "",
    `def write_${frame.name}(${head}value):`,
    ...(tails.length === 0
      ? [`    length = ${layout.size}`, `    return ${start} + ${packed}.pack(${arguments_})`]
      : [
          `    tail = ${tailBytes.slice(3)}`,
          `    length = ${layout.size} + len(tail)`,
          `    return ${start} + ${packed}.pack(${arguments_}) + tail`,
        ]),
    "",
    "",
    `def read_${frame.name}(frame):`,
    ...body,
    `    return ${type}(${[...places.map((p) => p.name), ...tails.map((t) => t.name)].join(", ")})`,
    "",
    "",
  ].join("\n");
}

const PRELUDE = `"""Strategy ABI v1: frames and their codec."""
from struct import Struct

MAX_INTEGER = 9007199254740991
ZERO16 = bytes(16)


class FrameError(Exception):
    """A malformed frame; its argument is the field's name."""


class Record:
    __slots__ = ()

    def __eq__(self, other):
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self):
        return type(self).__name__ + "(" + ", ".join("%s=%r" % (name, getattr(self, name)) for name in self.__slots__) + ")"


def _word(value, low, high, name):
    if type(value) is not int or not low <= value <= high:
        raise FrameError(name)
    return value


def _real(value, name):
    if type(value) not in (int, float) or value != value or value in (float("inf"), float("-inf")):
        raise FrameError(name)
    return value


def _id(value, name):
    if not isinstance(value, bytes) or len(value) != 16:
        raise FrameError(name)
    return value


def _put_text(value, size, name):
    if not isinstance(value, str) or len(value) > size or not all("!" <= c <= "~" for c in value):
        raise FrameError(name)
    return value.encode("ascii")


def _take_text(value, name):
    value = value.rstrip(b"\\0")
    if not all(0x21 <= c <= 0x7E for c in value):
        raise FrameError(name)
    return value.decode("ascii")


def _pad8(size):
    return (size + 7) & ~7


def _pad(data):
    return bytes(data) + bytes(-len(data) % 8)


`;

export function generatePython(): string {
  const constant = (prefix: string, values: Readonly<Record<string, number>>): string[] =>
    Object.entries(values).map(([word, value]) => `${prefix}_${word.toUpperCase()} = ${value}`);
  const constants = [
    `ABI_VERSION = ${ABI_VERSION}`,
    `MONEY_DIGITS = ${MONEY_DIGITS}`,
    `NO_INSTRUMENT = ${NO_INSTRUMENT}`,
    `MISSING_U32 = ${MISSING_U32}`,
    `MISSING_I64 = ${MISSING_I64}`,
    `LOG_LINE_BYTES = ${ABI_LIMITS.log_line_bytes}`,
    `ERROR_TEXT_BYTES = ${ABI_LIMITS.error_text_bytes}`,
    ...constant("STATUS", STATUS),
    ...constant("CALLBACK", CALLBACK),
    ...constant("QUALITY", QUALITY),
    ...constant("REFUSAL", REFUSAL),
    ...constant("OPTION", ORDER_OPTIONS),
    ...Object.entries(ENUMS).flatMap(([name, values]) => constant(name.toUpperCase(), values)),
    ...FRAMES.map((frame) => `KIND_${frame.name.toUpperCase()} = ${frame.kind}`),
  ];
  return (
    `${GENERATED("#")}\n${PRELUDE}${constants.join("\n")}\n\n\n${headers()}${structs()}${FRAMES.map((frame) => frameCode(layFrame(frame))).join("")}`.trimEnd() +
    "\n"
  );
}
