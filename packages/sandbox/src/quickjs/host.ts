/**
 * What the engine may ask of its host: memory up to the cap, and nothing else.
 *
 * The clock stands at zero, there is no environment, no file, no timer, no module to load; what is written to standard
 * output is swallowed. A question that no sound engine asks is a trap.
 * Import names are those of the pinned build (engine-file.ts).
 */
import type { WasmMemory } from "../wasm/engine.ts";

const PAGE = 65_536;
const BAD_DESCRIPTOR = 8;

/** Ends the call as a trap inside the engine would. */
export class EngineTrap extends Error {}

export type HostImports = { readonly a: Readonly<Record<string, unknown>> };

export type MemoryCap = { readonly memory_bytes: number; readonly without?: "grow_cap" };

export function hostImports(memory: WasmMemory, cap: MemoryCap): HostImports {
  const words = (): Uint32Array => new Uint32Array(memory.buffer);
  const never = (name: string) => (): never => {
    throw new EngineTrap(`the engine asked for ${name}`);
  };
  const clear = (at: number, bytes: number): void => void new Uint8Array(memory.buffer).fill(0, at, at + bytes);
  return {
    a: {
      a: memory,
      b: never("an assertion"),
      q: never("an abort"),
      r: never("its exit"),
      s: never("a host function"),
      i: never("an interrupt"),
      h: never("a module"),
      g: never("a module's name"),
      t: never("a host reference"),
      j: never("a timer"),
      l: () => undefined,
      /** The time now, milliseconds. */
      p: () => 0,
      /** Broken-down local time. */
      m: (_time: bigint, at: number) => clear(at, 44),
      /** Time zone, daylight saving, two names. */
      n: (zone: number, daylight: number, one: number, two: number) => {
        words()[zone >>> 2] = 0;
        words()[daylight >>> 2] = 0;
        clear(one, 17);
        clear(two, 17);
      },
      /** Environment: its strings, then its sizes. */
      e: () => 0,
      f: (count: number, bytes: number) => {
        words()[count >>> 2] = 0;
        words()[bytes >>> 2] = 0;
        return 0;
      },
      d: () => BAD_DESCRIPTOR,
      o: () => BAD_DESCRIPTOR,
      /** Writes to a descriptor: taken and forgotten. */
      c: (_descriptor: number, vectors: number, count: number, written: number) => {
        const all = words();
        let total = 0;
        for (let i = 0; i < count; i += 1) total += all[(vectors >>> 2) + 2 * i + 1] ?? 0;
        all[written >>> 2] = total;
        return 0;
      },
      k: (wanted: number) => grow(memory, wanted >>> 0, cap.without === "grow_cap" ? 2 ** 32 : cap.memory_bytes),
    },
  };
}

/** 1 when memory now has `wanted` bytes. */
function grow(memory: WasmMemory, wanted: number, memory_bytes: number): number {
  const has = memory.buffer.byteLength;
  const most = Math.floor(memory_bytes / PAGE);
  if (wanted > most * PAGE) return 0;
  // A little ahead, so that a growing heap does not ask every time.
  const pages = Math.min(most, Math.ceil(Math.max(wanted, has * 1.25) / PAGE)) - has / PAGE;
  try {
    memory.grow(pages);
    return 1;
  } catch {
    return 0; // the machine has no more to give; the program sees it as out of memory
  }
}
