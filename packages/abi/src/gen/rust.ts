/** Writes sdk/rust/src/generated.rs: structs with `write` and `read`, no allocation, no panic. */
import {
  ABI_LIMITS,
  ABI_VERSION,
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
  CALLBACK,
} from "../schema.ts";
import {
  type FrameLayout,
  HEADER_LAYOUT,
  type Layout,
  layFrame,
  META_LAYOUT,
  type Place,
  SIZE,
  STRUCT_LAYOUTS,
} from "./layout.ts";
import { GENERATED, pascal, wordRange } from "./words.ts";

const typeOf = (type: ScalarType): string => (type === "b16" || type.startsWith("t") ? `[u8; ${SIZE[type]}]` : type);

function put(place: Place, value: string): string {
  const put = place.type === "b16" ? "bytes" : place.type.startsWith("t") ? "text" : place.type;
  const argument = put === "bytes" || put === "text" ? `&${value}` : value;
  return `wire::put_${put}(out, ${place.at}, ${argument})?;${place.words === undefined ? "" : ` ${range(place, value)}`}`;
}

function take(place: Place): string {
  const kind = place.type === "b16" ? "bytes" : place.type.startsWith("t") ? "text" : place.type;
  return `let ${place.name} = wire::take_${kind}(frame, ${place.at})?;${place.words === undefined ? "" : ` ${range(place, place.name)}`}`;
}

function range(place: Place, value: string): string {
  if (place.words === undefined) return "";
  const [low, high] = wordRange(place.words);
  return low === 0
    ? `if ${value} > ${high} { return None; }`
    : `if !(${low}..=${high}).contains(&${value}) { return None; }`;
}

const doc = (text: string | undefined, indent = ""): string => (text === undefined ? "" : `${indent}/// ${text}\n`);
const fields = (places: readonly Place[]): string =>
  places.map((p) => `${doc(p.doc, "    ")}    pub ${p.name}: ${typeOf(p.type)},\n`).join("");

function plain(name: string, text: string, layout: Layout, places: readonly Place[]): string {
  return [
    `/// ${text}\n#[derive(Clone, Copy, Debug, PartialEq)]\npub struct ${name} {\n${fields(places)}}\n`,
    `impl ${name} {`,
    `    pub const BYTES: usize = ${layout.size};`,
    `    pub const fn empty() -> Self {\n        Self { ${places.map((p) => `${p.name}: ${zero(p.type)}`).join(", ")} }\n    }`,
    `    /// Writes at the start of \`out\`; \`None\` when a number does not fit or the room is too small.`,
    `    pub fn write(&self, out: &mut [u8]) -> Option<()> {`,
    ...layout.pads.map((pad) => `        wire::put_u8(out, ${pad}, 0)?;`),
    ...places.map((p) => `        ${put(p, `self.${p.name}`)}`),
    "        Some(())\n    }",
    `    /// \`None\` when malformed.`,
    `    pub fn read(frame: &[u8]) -> Option<Self> {`,
    ...places.map((p) => `        ${take(p)}`),
    `        Some(Self { ${places.map((p) => p.name).join(", ")} })\n    }\n}\n`,
  ].join("\n");
}

const zero = (type: ScalarType): string =>
  type === "f64" ? "0.0" : type === "b16" || type.startsWith("t") ? `[0; ${SIZE[type]}]` : "0";

function frameCode(layout: FrameLayout): string {
  const { frame, tails } = layout;
  const name = pascal(frame.name);
  const life = tails.length === 0 ? "" : "<'a>";
  const tailFields = tails
    .map(
      (tail) =>
        `    /// ${tail.kind === "bytes" ? "Bytes" : `Elements of ${tail.elementBytes} bytes, see \`${pascal(tail.of)}\``}.\n    pub ${tail.name}: &'a [u8],\n`,
    )
    .join("");
  const head =
    frame.group === "input" ? ", header: &FrameHeader" : frame.group === "intent" ? ", meta: &IntentMeta" : "";
  const length = [`Self::BYTES`, ...tails.map((tail) => `wire::pad8(self.${tail.name}.len())`)].join(" + ");
  const names = [...layout.places.map((p) => p.name), ...tails.map((tail) => tail.name)];
  const write = [
    `    pub fn write(&self, out: &mut [u8]${head}) -> Option<usize> {`,
    `        let length = ${length};`,
    `        let out = out.get_mut(..length)?;`,
    ...(frame.group === "input"
      ? ["        header.write(out)?;"]
      : frame.group === "intent"
        ? ["        meta.write(out)?;"]
        : ["        wire::put_u16(out, 2, 0)?;"]),
    ...(frame.group === "intent" ? ["        wire::put_u16(out, 2, 0)?;"] : []),
    `        wire::put_u16(out, 0, Self::KIND)?;\n        wire::put_u32(out, 4, length as u32)?;`,
    ...(frame.group === "input" ? ["        wire::put_u32(out, 44, ABI_VERSION)?;"] : []),
    ...layout.pads.map((pad) => `        wire::put_u8(out, ${pad}, 0)?;`),
    ...layout.places.map((p) => `        ${put(p, `self.${p.name}`)}`),
    ...tails.map(
      (tail) =>
        `        wire::put_u32(out, ${tail.count.at}, (self.${tail.name}.len() / ${tail.elementBytes}) as u32)?;`,
    ),
    ...(tails.length === 0 ? [] : ["        let at = Self::BYTES;"]),
    ...tails.map(
      (tail, index) =>
        `        ${index === tails.length - 1 ? "wire" : "let at = wire"}::put_tail(out, at, self.${tail.name})?;`,
    ),
    "        Some(length)\n    }",
  ];
  const read = [
    `    pub fn read(frame: &${tails.length === 0 ? "" : "'a "}[u8]) -> Option<Self> {`,
    `        if frame.len() ${tails.length === 0 ? "!=" : "<"} Self::BYTES { return None; }`,
    ...layout.places.map((p) => `        ${take(p)}`),
    ...(tails.length === 0 ? [] : ["        let at = Self::BYTES;"]),
    ...tails.map(
      (tail) =>
        `        let (${tail.name}, at) = wire::take_tail(frame, at, wire::take_u32(frame, ${tail.count.at})? as usize, ${tail.elementBytes})?;`,
    ),
    ...(tails.length === 0 ? [] : ["        if at != frame.len() { return None; }"]),
    `        Some(Self { ${names.join(", ")} })\n    }`,
  ];
  return [
    `/// ${frame.doc}\n#[derive(Clone, Copy, Debug, PartialEq)]\npub struct ${name}${life} {\n${fields(layout.places)}${tailFields}}\n`,
    `impl${life} ${name}${life} {`,
    `    pub const KIND: u16 = ${frame.kind};\n    /// Without tails.\n    pub const BYTES: usize = ${layout.size};`,
    `    /// Bytes written; \`None\` when a number does not fit or the room is too small.`,
    ...write,
    `    /// \`frame\` is the whole frame; \`None\` when malformed.`,
    ...read,
    "}\n",
  ].join("\n");
}

const constants = (name: string, values: Readonly<Record<string, number>>, type: string): string =>
  `pub mod ${name} {\n${Object.entries(values)
    .map(([word, value]) => `    pub const ${word.toUpperCase()}: ${type} = ${value};`)
    .join("\n")}\n}\n`;

const enumType = (name: string): string => {
  const places = FRAMES.flatMap((frame) => frame.fields).filter((field) => field.words === name);
  return places[0]?.type ?? "u32";
};

export function generateRust(): string {
  const skip = (layout: Layout, names: readonly string[]): Place[] =>
    layout.places.filter((place) => !names.includes(place.name));
  return [
    GENERATED("//"),
    "//! Strategy ABI v1: frames and their codec.",
    "use crate::wire;\n",
    `pub const ABI_VERSION: u32 = ${ABI_VERSION};`,
    `pub const MONEY_DIGITS: u32 = ${MONEY_DIGITS};`,
    `pub const NO_INSTRUMENT: u32 = ${NO_INSTRUMENT};`,
    `pub const MISSING_U32: u32 = ${MISSING_U32};`,
    `pub const MISSING_I64: i64 = ${MISSING_I64};`,
    `pub const LOG_LINE_BYTES: usize = ${ABI_LIMITS.log_line_bytes};\n`,
    constants("status", STATUS, "i32"),
    constants("callback", CALLBACK, "u8"),
    constants("quality", QUALITY, "u16"),
    constants("refusal", REFUSAL, "u32"),
    constants("order_options", ORDER_OPTIONS, "u8"),
    ...Object.entries(ENUMS).map(([name, values]) => constants(name, values, enumType(name))),
    plain(
      "FrameHeader",
      "What every input frame carries besides kind, length and schema version.",
      HEADER_LAYOUT,
      skip(HEADER_LAYOUT, ["kind", "length", "schema_version"]),
    ),
    plain(
      "IntentMeta",
      "What every intent carries (M-2.4.2); write after it kind and length.",
      META_LAYOUT,
      skip(META_LAYOUT, ["kind", "flags", "length"]),
    ),
    plain("Level", "Element of a book's tails.", STRUCT_LAYOUTS.level, STRUCT_LAYOUTS.level.places),
    plain(
      "Instrument",
      "Element of init's instrument table.",
      STRUCT_LAYOUTS.instrument,
      STRUCT_LAYOUTS.instrument.places,
    ),
    ...FRAMES.map((frame) => frameCode(layFrame(frame))),
  ].join("\n");
}
