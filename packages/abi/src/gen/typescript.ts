/** Writes packages/abi/src/generated/: types, straight-line writers and readers for TypeScript. */
import {
  ABI_LIMITS,
  ABI_VERSION,
  CALLBACK,
  ENUMS,
  FRAMES,
  type FrameSchema,
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
import {
  type FrameLayout,
  HEADER_LAYOUT,
  type Layout,
  layFrame,
  META_LAYOUT,
  type Place,
  RECORD_LAYOUT,
  SIZE,
  STRUCT_LAYOUTS,
} from "./layout.ts";
import { camel, GENERATED, pascal, wordRange } from "./words.ts";

const WORD_MAXIMUM: Readonly<Partial<Record<ScalarType, string>>> = { u8: "0xff", u16: "0xffff", u32: "0xffff_ffff" };

const typeOf = (type: ScalarType): string =>
  type === "b16" ? "Uint8Array" : type.startsWith("t") ? "string" : "number";
const emptyOf = (type: ScalarType): string =>
  type === "b16" ? "new Uint8Array(16)" : type.startsWith("t") ? `""` : "0";

/** The expression that is true when `value` may be written or was read whole. */
function fits(place: Place, value: string): string {
  if (place.words !== undefined) {
    const [low, high] = wordRange(place.words);
    return `Number.isInteger(${value}) && ${value} >= ${low} && ${value} <= ${high}`;
  }
  switch (place.type) {
    case "u8":
    case "u16":
    case "u32":
      return `isWord(${value}, ${WORD_MAXIMUM[place.type]})`;
    case "i64":
      return `Number.isSafeInteger(${value})`;
    case "u64":
      return `Number.isSafeInteger(${value}) && ${value} >= 0`;
    case "f64":
      return `Number.isFinite(${value})`;
    case "b16":
      return `${value}.length === 16`;
    default:
      return `isText(${value}, ${SIZE[place.type]})`;
  }
}

function put(place: Place, value: string, base = "at"): string {
  const at = `${base} + ${place.at}`;
  switch (place.type) {
    case "u8":
      return `to.u8[${at}] = ${value};`;
    case "u16":
      return `to.u16[(${at}) >> 1] = ${value};`;
    case "u32":
      return `to.u32[(${at}) >> 2] = ${value};`;
    case "i64":
    case "u64":
      return `putInt64(to, ${at}, ${value});`;
    case "f64":
      return `to.f64[(${at}) >> 3] = ${value};`;
    case "b16":
      return `to.u8.set(${value}, ${at});`;
    default:
      return `putText(to, ${at}, ${SIZE[place.type]}, ${value});`;
  }
}

/** Statements that read one field and answer its name when it is malformed. */
function take(place: Place, into: string, path: string, base = "at"): string {
  const at = `${base} + ${place.at}`;
  const target = `${into}.${camel(place.name)}`;
  const refuse = (test: string): string => ` if (!(${test})) return "${path}${place.name}";`;
  const check = place.words === undefined ? "" : refuse(fits(place, target));
  switch (place.type) {
    case "u8":
      return `${target} = from.u8[${at}] ?? 0;${check}`;
    case "u16":
      return `${target} = from.u16[(${at}) >> 1] ?? 0;${check}`;
    case "u32":
      return `${target} = from.u32[(${at}) >> 2] ?? 0;${check}`;
    case "i64":
      return `${target} = takeInt64(from, ${at});${refuse(`Number.isSafeInteger(${target})`)}`;
    case "u64":
      return `${target} = takeUint64(from, ${at});${refuse(`Number.isSafeInteger(${target})`)}`;
    case "f64":
      return `${target} = from.f64[(${at}) >> 3] ?? 0;${refuse(`Number.isFinite(${target})`)}`;
    case "b16":
      return `copyBytes(from, ${at}, ${target});`;
    default: {
      const local = camel(`${place.name}_text`);
      return `const ${local} = takeText(from, ${at}, ${SIZE[place.type]}); if (${local} === undefined) return "${path}${place.name}"; ${target} = ${local};`;
    }
  }
}

const members = (layout: Layout, skip: readonly string[] = []): string[] =>
  layout.places
    .filter((place) => !skip.includes(place.name))
    .map(
      (place) =>
        `${place.doc === undefined ? "" : `  /** ${place.doc} */\n`}  ${camel(place.name)}: ${typeOf(place.type)};`,
    );
const empties = (layout: Layout, skip: readonly string[] = []): string[] =>
  layout.places
    .filter((place) => !skip.includes(place.name))
    .map((place) => `${camel(place.name)}: ${emptyOf(place.type)}`);

function typeAndMaker(name: string, doc: string, fields: readonly string[], values: readonly string[]): string {
  const body = fields.length === 0 ? "Record<never, never>" : `{\n${fields.join("\n")}\n}`;
  return `/** ${doc} */\nexport type ${name} = ${body};\nexport function make${name}(): ${name} {\n  return { ${values.join(", ")} };\n}\n`;
}

const OWN = ["kind", "length", "schema_version"];
const RECORD_OWN = ["kind", "flags", "length"];

function headers(): string {
  const header = HEADER_LAYOUT.places.filter((place) => !OWN.includes(place.name));
  return [
    typeAndMaker(
      "FrameHeader",
      "What every input frame carries besides kind, length and schema version.",
      members(HEADER_LAYOUT, OWN),
      empties(HEADER_LAYOUT, OWN),
    ),
    typeAndMaker(
      "IntentMeta",
      "What every intent carries (M-2.4.2).",
      members(META_LAYOUT, RECORD_OWN),
      empties(META_LAYOUT, RECORD_OWN),
    ),
    `export function frameHeaderFits(value: Readonly<FrameHeader>): boolean {\n  return ${header.map((p) => fits(p, `value.${camel(p.name)}`)).join(" && ")};\n}\n`,
    `export function putFrameHeader(to: FrameViews, at: number, kind: number, length: number, value: Readonly<FrameHeader>): void {`,
    `  to.u16[at >> 1] = kind;\n  to.u32[(at + 4) >> 2] = length;\n  to.u32[(at + 44) >> 2] = ABI_VERSION;`,
    ...header.map((p) => `  ${put(p, `value.${camel(p.name)}`)}`),
    "}\n",
    `/** Empty when well-formed, else the field's name. */\nexport function readFrameHeader(from: FrameViews, at: number, into: FrameHeader): string {`,
    ...header.map((p) => `  ${take(p, "into", "")}`),
    `  return "";\n}\n`,
    `export function intentMetaFits(value: Readonly<IntentMeta>): boolean {\n  return ${META_LAYOUT.places.map((p) => fits(p, `value.${camel(p.name)}`)).join(" && ")};\n}\n`,
    `export function putIntentMeta(to: FrameViews, at: number, value: Readonly<IntentMeta>): void {`,
    ...META_LAYOUT.places.map((p) => `  ${put(p, `value.${camel(p.name)}`)}`),
    "}\n",
    `/** Empty when well-formed, else the field's name; missing is \`missingMetadata\`'s business. */\nexport function readIntentMeta(from: FrameViews, at: number, into: IntentMeta): string {`,
    ...META_LAYOUT.places.map((p) => `  ${take(p, "into", "")}`),
    `  return "";\n}\n`,
  ].join("\n");
}

function structs(): string {
  return (["level", "instrument"] as const)
    .map((name) => {
      const layout = STRUCT_LAYOUTS[name];
      const type = pascal(name);
      return [
        typeAndMaker(type, `Element of an array tail, ${layout.size} bytes.`, members(layout), empties(layout)),
        `export function ${name}Fits(value: Readonly<${type}>): boolean {\n  return ${layout.places.map((p) => fits(p, `value.${camel(p.name)}`)).join(" && ")};\n}\n`,
        `function put${type}(to: FrameViews, at: number, value: Readonly<${type}>): void {`,
        ...layout.pads.map((pad) => `  to.u8[at + ${pad}] = 0;`),
        ...layout.places.map((p) => `  ${put(p, `value.${camel(p.name)}`)}`),
        "}\n",
        `function read${type}(from: FrameViews, at: number, into: ${type}): string {`,
        ...layout.places.map((p) => `  ${take(p, "into", `${name}.`)}`),
        `  return "";\n}\n`,
      ].join("\n");
    })
    .join("\n");
}

function frameCode(schema: FrameSchema): string {
  const layout = layFrame(schema);
  const type = pascal(schema.name);
  const fields = [
    ...members(layout),
    ...layout.tails.map(
      (tail) => `  ${camel(tail.name)}: ${tail.kind === "bytes" ? "Uint8Array" : `${pascal(tail.of)}[]`};`,
    ),
  ];
  const values = [
    ...empties(layout),
    ...layout.tails.map((tail) => `${camel(tail.name)}: ${tail.kind === "bytes" ? "new Uint8Array(0)" : "[]"}`),
  ];
  return [
    typeAndMaker(
      type,
      `${schema.doc} Kind ${schema.kind}, ${layout.size} bytes${layout.tails.length === 0 ? "" : " and tails"}.`,
      fields,
      values,
    ),
    writer(layout, type),
    reader(layout, type),
  ].join("\n");
}

function writer(layout: FrameLayout, type: string): string {
  const { frame } = layout;
  const head =
    frame.group === "input"
      ? ", header: Readonly<FrameHeader>"
      : frame.group === "intent"
        ? ", meta: Readonly<IntentMeta>"
        : "";
  const value = layout.places.length + layout.tails.length === 0 ? "_value" : "value";
  const checks = [
    "at % 8 === 0",
    "at + length <= to.u8.length",
    ...(frame.group === "input"
      ? ["frameHeaderFits(header)"]
      : frame.group === "intent"
        ? ["intentMetaFits(meta)"]
        : []),
    ...layout.places.map((p) => fits(p, `value.${camel(p.name)}`)),
    ...layout.tails.flatMap((tail) =>
      tail.kind === "array" ? [`value.${camel(tail.name)}.every(${tail.of}Fits)`] : [],
    ),
  ];
  const tails = layout.tails.flatMap((tail) => {
    const name = `value.${camel(tail.name)}`;
    return tail.kind === "bytes"
      ? [`  putBytes(to, tail, ${name}, pad8(${name}.length));`, `  tail += pad8(${name}.length);`]
      : [
          `  for (const item of ${name}) {\n    put${pascal(tail.of)}(to, tail, item);\n    tail += ${tail.elementBytes};\n  }`,
        ];
  });
  const length = [
    String(layout.size),
    ...layout.tails.map((tail) =>
      tail.kind === "bytes"
        ? `pad8(value.${camel(tail.name)}.length)`
        : `value.${camel(tail.name)}.length * ${tail.elementBytes}`,
    ),
  ].join(" + ");
  return [
    `/** Bytes written, or -1 when a field is out of range or the room too small. */`,
    `export function write${type}(to: FrameViews, at: number${head}, ${value}: Readonly<${type}>): number {`,
    `  const length = ${length};`,
    `  if (!(${checks.join(" && ")})) return -1;`,
    frame.group === "input"
      ? `  putFrameHeader(to, at, ${frame.kind}, length, header);`
      : `  to.u32[at >> 2] = ${frame.kind};\n  to.u32[(at + 4) >> 2] = length;`,
    ...(frame.group === "intent" ? ["  putIntentMeta(to, at, meta);"] : []),
    ...layout.pads.map((pad) => `  to.u8[at + ${pad}] = 0;`),
    ...layout.places.map((p) => `  ${put(p, `value.${camel(p.name)}`)}`),
    ...layout.tails.map((tail) => `  ${put(tail.count, `value.${camel(tail.name)}.length`)}`),
    ...(tails.length === 0 ? [] : [`  let tail = at + ${layout.size};`, ...tails]),
    "  return length;\n}\n",
  ].join("\n");
}

function reader(layout: FrameLayout, type: string): string {
  const into = layout.places.length + layout.tails.length === 0 ? "_into" : "into";
  const from = into === "_into" ? "_from" : "from";
  const at = into === "_into" ? "_at" : "at";
  const lines = layout.places.map((p) => `  ${take(p, "into", "")}`);
  if (layout.tails.length === 0) lines.unshift(`  if (length !== ${layout.size}) return "length";`);
  else {
    const counts = layout.tails.map(
      (tail) => `  const ${camel(tail.count.name)} = from.u32[(at + ${tail.count.at}) >> 2] ?? 0;`,
    );
    const total = [
      String(layout.size),
      ...layout.tails.map((tail) =>
        tail.kind === "bytes" ? `pad8(${camel(tail.count.name)})` : `${camel(tail.count.name)} * ${tail.elementBytes}`,
      ),
    ].join(" + ");
    lines.unshift(
      `  if (length < ${layout.size}) return "length";`,
      ...counts,
      `  if (length !== ${total}) return "length";`,
    );
    lines.push(`  let tail = at + ${layout.size};`);
    for (const tail of layout.tails) {
      const name = camel(tail.name);
      if (tail.kind === "bytes")
        lines.push(
          `  into.${name} = from.u8.subarray(tail, tail + ${camel(tail.count.name)});`,
          `  tail += pad8(${camel(tail.count.name)});`,
        );
      else {
        lines.push(
          `  into.${name} = [];`,
          `  for (let i = 0; i < ${camel(tail.count.name)}; i += 1) {`,
          `    const item = make${pascal(tail.of)}();`,
          `    const bad = read${pascal(tail.of)}(from, tail, item);`,
          `    if (bad !== "") return bad;`,
          `    into.${name}.push(item);`,
          `    tail += ${tail.elementBytes};`,
          "  }",
        );
      }
    }
  }
  return [
    `/** Empty when well-formed, else the malformed field's name. \`length\` is the whole frame's; bytes stay views. */`,
    `export function read${type}(${from}: FrameViews, ${at}: number, length: number, ${into}: ${type}): string {`,
    ...lines,
    `  return "";\n}\n`,
  ].join("\n");
}

const words = (): string =>
  Object.entries(ENUMS)
    .map(([name, values]) => `export const ${name.toUpperCase()} = ${JSON.stringify(values)} as const;`)
    .join("\n");
const kinds = (group: (schema: FrameSchema) => boolean, name: string): string =>
  `export const ${name} = { ${FRAMES.filter(group)
    .map((schema) => `${schema.name}: ${schema.kind}`)
    .join(", ")} } as const;`;

const IMPORTS = [
  "copyBytes",
  "isText",
  "isWord",
  "pad8",
  "putBytes",
  "putInt64",
  "putText",
  "takeInt64",
  "takeText",
  "takeUint64",
];

function file(body: string, local: readonly string[]): string {
  const used = (name: string): boolean => new RegExp(`\\b${name}\\(`).test(body);
  const fromViews = IMPORTS.filter(used);
  const own = local.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const types = own.filter((name) => /^[A-Z]/.test(name)).map((name) => `type ${name}`);
  const values = own.filter((name) => !/^[A-Z]/.test(name));
  return [
    GENERATED("//"),
    ...(body.includes("ABI_VERSION") ? [`import { ABI_VERSION } from "../schema.ts";`] : []),
    `import { ${[...fromViews, "type FrameViews"].join(", ")} } from "../views.ts";`,
    ...(own.length === 0 ? [] : [`import { ${[...values, ...types].join(", ")} } from "./header.ts";`]),
    "",
    body,
  ].join("\n");
}

/** Constants beside the codecs: the SDK's own copy of what the host reads from schema.ts. */
function constants(): string {
  const one = (name: string, value: unknown): string => `export const ${name} = ${JSON.stringify(value)} as const;`;
  return [
    GENERATED("//"),
    one("ABI_VERSION", ABI_VERSION),
    "/** Quote-currency amounts are scaled by 10 to this. */",
    one("MONEY_DIGITS", MONEY_DIGITS),
    one("QUALITY", QUALITY),
    "/** Numbers of an execution's `reason`; the list may grow. */",
    one("REFUSAL", REFUSAL),
    one("ORDER_OPTIONS", ORDER_OPTIONS),
    one("STATUS", STATUS),
    one("CALLBACK", CALLBACK),
    one("ABI_LIMITS", ABI_LIMITS),
    one("NO_INSTRUMENT", NO_INSTRUMENT),
    one("MISSING_U32", MISSING_U32),
    one("MISSING_I64", MISSING_I64),
    "",
  ].join("\n");
}

/** The same codecs for the SDK, which has no other file of ours to import. */
export function generateTypeScriptSdk(views: string): Readonly<Record<string, string>> {
  const codecs = Object.entries(generateTypeScript()).map(([name, text]): [string, string] => [
    name,
    text.replaceAll(`"../schema.ts"`, `"./constants.ts"`).replaceAll(`"../views.ts"`, `"./views.ts"`),
  ]);
  return {
    ...Object.fromEntries(codecs),
    "constants.ts": constants(),
    "views.ts": `// A copy of packages/abi/src/views.ts, made by packages/abi/gen.ts; do not edit.\n${views}`,
  };
}

/** File name → text. */
export function generateTypeScript(): Readonly<Record<string, string>> {
  const record = RECORD_LAYOUT.size;
  const header = [
    words(),
    "",
    kinds((s) => s.group === "input", "INPUT_KIND"),
    kinds((s) => s.group !== "input", "OUTPUT_KIND"),
    "",
    `export const FRAME_HEADER_BYTES = ${HEADER_LAYOUT.size};\nexport const RECORD_HEADER_BYTES = ${record};\n`,
    headers(),
  ].join("\n");
  const local = ["frameHeaderFits", "intentMetaFits", "putFrameHeader", "putIntentMeta", "FrameHeader", "IntentMeta"];
  const of = (test: (schema: FrameSchema) => boolean): string => FRAMES.filter(test).map(frameCode).join("\n");
  return {
    "header.ts": file(header, []),
    "input.ts": file(`${structs()}\n${of((s) => s.group === "input")}`, local),
    "output.ts": file(
      of((s) => s.group !== "input"),
      local,
    ),
  };
}
