/**
 * A hand-assembled strategy module for tests and measurements; each callback's body may be replaced.
 *
 * Bodies are instruction bytes that leave one i32; parameters and globals are as `DEFAULTS` shows.
 */
import { ByteWriter } from "./bytes.ts";

export type SampleFunction = { readonly locals?: readonly number[]; readonly code: readonly number[] };
export type SampleOptions = {
  readonly functions?: Readonly<Record<string, SampleFunction>>;
  readonly memory?: readonly number[];
  /** Whole sections to insert, by id, e.g. a start or import section. */
  readonly sections?: ReadonlyMap<number, readonly number[]>;
  readonly globals?: readonly number[];
  readonly tables?: readonly number[];
};

const SIGNATURES: readonly (readonly [string, 0 | 1])[] = [
  ["rumi_abi_version", 0],
  ["rumi_input", 1],
  ["rumi_output", 0],
  ["rumi_on_init", 1],
  ["rumi_on_event", 1],
  ["rumi_on_timer", 1],
  ["rumi_on_shutdown", 1],
  ["rumi_on_healthcheck", 1],
  ["rumi_save_state", 0],
  ["rumi_migrate_state", 1],
];
const constant = (value: number): SampleFunction => ({ code: [0x41, ...new ByteWriter().s32(value).finish()] });
const DEFAULTS: Readonly<Record<string, SampleFunction>> = {
  rumi_abi_version: constant(1),
  rumi_input: constant(1_024),
  rumi_output: constant(2_048),
  // reads the f64 at 1024, adds it to the f64 at 2048, answers 8
  rumi_on_event: {
    code: [0x41, 0x80, 0x10, 0x41, 0x80, 0x10, 0x2b, 3, 0, 0x41, 0x80, 0x08, 0x2b, 3, 0, 0xa0, 0x39, 3, 0, 0x41, 8],
  },
};

export function sampleModule(options: SampleOptions = {}): Uint8Array<ArrayBuffer> {
  const sections = new Map<number, ArrayLike<number>>();
  sections.set(1, [2, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f]);
  const extra = Object.keys(options.functions ?? {}).filter((name) => SIGNATURES.every(([known]) => known !== name));
  const all: (readonly [string, 0 | 1])[] = [...SIGNATURES, ...extra.map((name) => [name, 1] as const)];
  sections.set(
    3,
    new ByteWriter()
      .u32(all.length)
      .raw(all.map(([, parameters]) => parameters))
      .finish(),
  );
  if (options.tables !== undefined) sections.set(4, options.tables);
  sections.set(5, options.memory ?? [1, 0, 2]);
  if (options.globals !== undefined) sections.set(6, options.globals);
  const exports = new ByteWriter()
    .u32(SIGNATURES.length + 1)
    .text("memory")
    .byte(2)
    .u32(0);
  SIGNATURES.forEach(([name], index) => exports.text(name).byte(0).u32(index));
  sections.set(7, exports.finish());
  const code = new ByteWriter().u32(all.length);
  for (const [name] of all) {
    const { locals = [], code: body } = options.functions?.[name] ?? DEFAULTS[name] ?? constant(0);
    const finished = new ByteWriter()
      .u32(locals.length)
      .raw(locals.flatMap((type) => [1, type]))
      .raw(body)
      .byte(0x0b)
      .finish();
    code.u32(finished.length).raw(finished);
  }
  sections.set(10, code.finish());
  for (const [id, payload] of options.sections ?? []) sections.set(id, payload);
  const out = new ByteWriter().raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  const order = [...sections.keys()].sort((a, b) => (a === 12 ? 9.5 : a) - (b === 12 ? 9.5 : b));
  for (const id of order) {
    const payload = sections.get(id) ?? [];
    out.byte(id).u32(payload.length).raw(payload);
  }
  return out.finish();
}
