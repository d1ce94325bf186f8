/**
 * Golden vectors: how docs/formats/abi.v1.json says a frame, and the Rust test made from it.
 *
 * Names are the wire's; ids and bytes are hexadecimal, everything else is itself.
 */
import * as codec from "../index.ts";
import { FRAME_HEADER, FRAMES, type FieldSchema, type FrameSchema, INTENT_META, STRUCTS } from "../schema.ts";
import { makeFrameViews } from "../views.ts";
import { camel, GENERATED, pascal, wordRange } from "./words.ts";

export type GoldenValue = number | string | readonly Readonly<Record<string, number | string>>[];
export type GoldenRecord = Readonly<Record<string, GoldenValue>>;
export type Golden = {
  readonly name: string;
  readonly header?: GoldenRecord;
  readonly meta?: GoldenRecord;
  readonly fields: GoldenRecord;
  readonly hex: string;
};

const HEADER = FRAME_HEADER.filter((field) => !["kind", "length", "schema_version"].includes(field.name));

/** Distinct values that reach the edges: signs, 2^53 - 1, full words. */
function sample(field: FieldSchema, n: number): number | string {
  if (field.words !== undefined) return wordRange(field.words)[1];
  switch (field.type) {
    case "u8":
      return 200 + n;
    case "u16":
      return 60_000 + n;
    case "u32":
      return 4_000_000_000 + n;
    case "i64":
      return n % 2 === 0 ? -(2 ** 53 - 1 - n) : 4_294_967_296 * 3 + n;
    case "u64":
      return 2 ** 53 - 1 - n;
    case "f64":
      return -1.25 * 2 ** n;
    case "b16":
      return Array.from({ length: 16 }, (_, i) => (16 * n + i) % 256)
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("");
    default:
      return `${field.name.slice(0, 8)}.${n}`;
  }
}

const record = (fields: readonly FieldSchema[], shift = 0): Record<string, number | string> =>
  Object.fromEntries(fields.map((field, n) => [field.name, sample(field, n + shift)]));

export function sampleOf(frame: FrameSchema): Omit<Golden, "hex"> {
  const tails = (frame.tails ?? []).map((tail, n): [string, GoldenValue] => [
    tail.name,
    tail.kind === "bytes" ? "7b22".padEnd(10 + 4 * n, "7d") : [record(STRUCTS[tail.of]), record(STRUCTS[tail.of], 1)],
  ]);
  return {
    name: frame.name,
    ...(frame.group === "input"
      ? { header: record(HEADER) }
      : frame.group === "intent"
        ? { meta: record(INTENT_META) }
        : {}),
    fields: { ...record(frame.fields), ...Object.fromEntries(tails) },
  };
}

type Write = (to: codec.FrameViews, at: number, ...values: unknown[]) => number;
type Read = (from: codec.FrameViews, at: number, ...rest: unknown[]) => string;
type Make = () => Record<string, unknown>;
const named = codec as unknown as Readonly<Record<string, unknown>>;

const isBytes = (schema: FrameSchema | undefined, name: string): boolean =>
  [...HEADER, ...INTENT_META, ...(schema?.fields ?? [])].some((field) => field.name === name && field.type === "b16") ||
  (schema?.tails ?? []).some((tail) => tail.name === name && tail.kind === "bytes");

function toCode(schema: FrameSchema, golden: GoldenRecord): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(golden).map(([name, value]) => [
      camel(name),
      isBytes(schema, name)
        ? new Uint8Array(Buffer.from(String(value), "hex"))
        : Array.isArray(value)
          ? value.map((item: GoldenRecord) => toCode(schema, item))
          : value,
    ]),
  );
}

const heads = (golden: Omit<Golden, "hex">): GoldenRecord[] =>
  [golden.header ?? golden.meta].filter((head) => head !== undefined);
const schemaOf = (name: string): FrameSchema => {
  const schema = FRAMES.find((frame) => frame.name === name);
  if (schema === undefined) throw new Error(`no frame ${name}`);
  return schema;
};

/** The frame's bytes as TypeScript writes them. */
export function encodeGolden(golden: Omit<Golden, "hex">): string {
  const schema = schemaOf(golden.name);
  const views = makeFrameViews(8_192);
  const write = named[`write${pascal(golden.name)}`] as Write;
  const length = write(views, 8, ...heads(golden).map((head) => toCode(schema, head)), toCode(schema, golden.fields));
  return Buffer.from(views.u8.slice(8, 8 + length)).toString("hex");
}

/** What TypeScript reads back, as code values beside the expected ones. */
export function decodeGolden(golden: Golden): { readonly read: unknown; readonly expected: unknown } {
  const schema = schemaOf(golden.name);
  const views = makeFrameViews(golden.hex.length / 2);
  views.u8.set(Buffer.from(golden.hex, "hex"));
  const into = (named[`make${pascal(golden.name)}`] as Make)();
  const faults = [(named[`read${pascal(golden.name)}`] as Read)(views, 0, views.u8.length, into)];
  const seen: unknown[] = [into];
  const head = schema.group === "input" ? "FrameHeader" : schema.group === "intent" ? "IntentMeta" : undefined;
  if (head !== undefined) {
    const value = (named[`make${head}`] as Make)();
    faults.push((named[`read${head}`] as Read)(views, 0, value));
    seen.push(value);
  }
  return {
    read: { faults: faults.filter((fault) => fault !== ""), seen },
    expected: {
      faults: [],
      seen: [toCode(schema, golden.fields), ...heads(golden).map((value) => toCode(schema, value))],
    },
  };
}

function rustValue(field: FieldSchema, value: GoldenValue | undefined): string {
  if (field.type === "b16") return `id("${String(value)}")`;
  if (field.type.startsWith("t")) return `wire::text_field("${String(value)}")`;
  return field.type === "f64" ? `${Number(value)}_f64` : `${Number(value)}`;
}

const rustStruct = (name: string, fields: readonly FieldSchema[], values: GoldenRecord, extra = ""): string =>
  `${name} { ${fields.map((field) => `${field.name}: ${rustValue(field, values[field.name])}`).join(", ")}${extra} }`;

/** sdk/rust/tests/golden.rs: every vector written and read back by the Rust codec. */
export function generateRustGolden(vectors: readonly Golden[]): string {
  const tests = vectors.map((golden) => {
    const schema = schemaOf(golden.name);
    const lets: string[] = [];
    const extra = (schema.tails ?? [])
      .map((tail) => {
        const value = golden.fields[tail.name];
        lets.push(
          tail.kind === "bytes"
            ? `    let ${tail.name} = bytes("${String(value)}");`
            : `    let ${tail.name} = elements(&[${(value as readonly GoldenRecord[]).map((item) => `put(${pascal(tail.of)}::BYTES, |out| ${rustStruct(pascal(tail.of), STRUCTS[tail.of], item)}.write(out))`).join(", ")}]);`,
        );
        return `, ${tail.name}: &${tail.name}`;
      })
      .join("");
    const body = rustStruct(pascal(golden.name), schema.fields, golden.fields, extra).replace("{ , ", "{ ");
    const head =
      schema.group === "input"
        ? rustStruct("FrameHeader", HEADER, golden.header ?? {})
        : schema.group === "intent"
          ? rustStruct("IntentMeta", INTENT_META, golden.meta ?? {})
          : undefined;
    return [
      `#[test]\nfn ${golden.name}() {`,
      ...lets,
      `    let frame = bytes("${golden.hex}");`,
      `    let value = ${body};`,
      ...(head === undefined
        ? []
        : [`    let head = ${head};`, `    assert_eq!(${head.split(" ")[0]}::read(&frame), Some(head));`]),
      `    let mut out = [0xff_u8; 8192];`,
      `    let length = value.write(&mut out${head === undefined ? "" : ", &head"}).unwrap();`,
      `    assert_eq!(&out[..length], &frame[..]);`,
      `    assert_eq!(${pascal(golden.name)}::read(&frame), Some(value));`,
      `    for cut in 0..frame.len() {\n        assert_eq!(${pascal(golden.name)}::read(&frame[..cut]), None);\n    }`,
      "}\n",
    ].join("\n");
  });
  return [
    GENERATED("//"),
    "//! Golden vectors of docs/formats/abi.v1.json.",
    "use rumi_sdk::*;\n",
    `fn bytes(hex: &str) -> Vec<u8> {\n    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap()).collect()\n}\n`,
    `fn id(hex: &str) -> [u8; 16] {\n    bytes(hex).try_into().unwrap()\n}\n`,
    `fn put(size: usize, write: impl FnOnce(&mut [u8]) -> Option<()>) -> Vec<u8> {\n    let mut out = vec![0; size];\n    write(&mut out).unwrap();\n    out\n}\n`,
    `fn elements(parts: &[Vec<u8>]) -> Vec<u8> {\n    parts.concat()\n}\n`,
    ...tests,
  ].join("\n");
}
