/** Turns the schema into offsets: natural alignment, explicit padding, whole frames in multiples of eight. */
import {
  type FieldSchema,
  FRAME_HEADER,
  type FrameSchema,
  INTENT_META,
  RECORD_HEADER,
  type ScalarType,
  STRUCTS,
  type TailSchema,
} from "../schema.ts";

export const SIZE: Readonly<Record<ScalarType, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  i64: 8,
  u64: 8,
  f64: 8,
  b16: 16,
  t16: 16,
  t32: 32,
  t64: 64,
  t72: 72,
};
const ALIGN: Readonly<Record<ScalarType, number>> = {
  u8: 1,
  u16: 2,
  u32: 4,
  i64: 8,
  u64: 8,
  f64: 8,
  b16: 8,
  t16: 8,
  t32: 8,
  t64: 8,
  t72: 8,
};

export type Place = FieldSchema & { readonly at: number };
export type Layout = { readonly places: readonly Place[]; readonly pads: readonly number[]; readonly size: number };
export type TailPlace = TailSchema & { readonly count: Place; readonly elementBytes: number };
export type FrameLayout = Layout & {
  readonly frame: FrameSchema;
  readonly base: number;
  readonly tails: readonly TailPlace[];
};

export function lay(fields: readonly FieldSchema[], base: number): Layout {
  const pads: number[] = [];
  let at = base;
  const align = (to: number): void => {
    for (; at % to !== 0; at += 1) pads.push(at);
  };
  const places = fields.map((field) => {
    align(ALIGN[field.type]);
    const place = { ...field, at };
    at += SIZE[field.type];
    return place;
  });
  align(8);
  return { places, pads, size: at };
}

export const HEADER_LAYOUT: Layout = lay(FRAME_HEADER, 0);
export const RECORD_LAYOUT: Layout = lay(RECORD_HEADER, 0);
export const META_LAYOUT: Layout = lay(INTENT_META, RECORD_LAYOUT.size);
export const STRUCT_LAYOUTS = { level: lay(STRUCTS.level, 0), instrument: lay(STRUCTS.instrument, 0) } as const;

/** Fixed fields and then one u32 count per tail (bytes or elements); the tails follow, each padded to eight. */
export function layFrame(frame: FrameSchema): FrameLayout {
  const base =
    frame.group === "input" ? HEADER_LAYOUT.size : frame.group === "intent" ? META_LAYOUT.size : RECORD_LAYOUT.size;
  const tails = frame.tails ?? [];
  const counts = tails.map((tail): FieldSchema => ({
    name: tail.kind === "bytes" ? `${tail.name}_bytes` : `${tail.name}_count`,
    type: "u32",
  }));
  const all = lay([...frame.fields, ...counts], base);
  const own = all.places.slice(0, frame.fields.length);
  const placed = tails.map((tail, index) => {
    const count = all.places[frame.fields.length + index];
    if (count === undefined) throw new Error(`no count for ${tail.name}`);
    return { ...tail, count, elementBytes: tail.kind === "bytes" ? 1 : STRUCT_LAYOUTS[tail.of].size };
  });
  return { frame, base, places: own, pads: all.pads, size: all.size, tails: placed };
}
