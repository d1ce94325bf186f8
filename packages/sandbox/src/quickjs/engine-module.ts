/**
 * The engine, compiled so that it pays fuel: every region of its own code is metered as a Rust strategy's is.
 *
 * How to think: a JavaScript program is data to the engine's loops, so metering the engine meters the program, native
 * loops (`fill`, `indexOf`, a regular expression) included, and the same program spends the same fuel on every machine.
 * The engine's dispatch loop is one huge region; `GRAIN` brings its price down to about one unit per nanosecond.
 *
 * Unlike a strategy's module this one is ours: it keeps its imports (host.ts answers them) and its start section.
 */
import { type Failure, invariant, ok, type Result } from "@rumi/kernel";
import { SANDBOX_LIMITS } from "../limits.ts";
import { ByteReader, ByteWriter } from "../wasm/bytes.ts";
import { type WasmModule, wasmEngine } from "../wasm/engine.ts";
import { meterFunction } from "../wasm/meter.ts";
import { SECTION } from "../wasm/module.ts";
import { readEngineFile } from "./engine-file.ts";

/** Instructions of a region per unit of fuel; part of the determinism contract (docs/sandbox.md). */
export const GRAIN = 256;
/** Export that the metering adds. */
export const FUEL_EXPORT = "rumi:fuel";

let compiled: WasmModule | undefined;

/** Metered and compiled once per thread. */
export function engineModule(): Result<WasmModule, Failure> {
  if (compiled !== undefined) return ok(compiled);
  const file = readEngineFile();
  if (!file.ok) return file;
  const bytes = metered(file.value);
  invariant(wasmEngine.validate(bytes), "metering a valid engine gave an invalid one");
  compiled = new wasmEngine.Module(bytes);
  return ok(compiled);
}

function metered(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(bytes);
  const payload = (id: number): ByteReader => {
    const found = sections.find((section) => section.id === id);
    invariant(found !== undefined, `the engine has no section ${id}`);
    return new ByteReader(bytes, found.payload.position, found.payload.end);
  };
  const parameters = parameterCounts(payload(SECTION.type));
  const types = vectorOf(payload(SECTION.function), (reader) => reader.u32());
  const fuel = payload(SECTION.global).u32();
  const out = new ByteWriter(bytes.length * 2).raw([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  for (const { id, payload: found } of sections) {
    if (id === SECTION.custom) continue;
    const written = new ByteWriter(1_024);
    const rest = payload(id);
    if (id === SECTION.global) {
      // Full from the start, because the start section runs before anybody can fill it.
      written.u32(rest.u32() + 1).copy(bytes, rest.position, rest.end);
      written.raw([0x7f, 1, 0x41]).s32(SANDBOX_LIMITS.wasm_fuel).byte(0x0b);
    } else if (id === SECTION.export) {
      written.u32(rest.u32() + 1).copy(bytes, rest.position, rest.end);
      written.text(FUEL_EXPORT).byte(3).u32(fuel);
    } else if (id === SECTION.code) {
      written.u32(rest.u32());
      for (const type of types) {
        const meter = { fuel, parameters: parameters[type] ?? 0, grain: GRAIN };
        const body = meterFunction(rest.slice(rest.u32()), meter);
        written.u32(body.length).raw(body);
      }
    } else written.copy(bytes, found.position, found.end);
    const finished = written.finish();
    out.byte(id).u32(finished.length).raw(finished);
  }
  return out.finish();
}

function sectionsOf(bytes: Uint8Array): { readonly id: number; readonly payload: ByteReader }[] {
  const reader = new ByteReader(bytes, 8);
  const found: { id: number; payload: ByteReader }[] = [];
  while (!reader.done) found.push({ id: reader.byte(), payload: reader.slice(reader.u32()) });
  return found;
}

function vectorOf<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  return Array.from({ length: reader.u32() }, () => read(reader));
}

function parameterCounts(reader: ByteReader): number[] {
  return vectorOf(reader, (r) => {
    r.byte();
    const parameters = vectorOf(r, (one) => one.byte()).length;
    vectorOf(r, (one) => one.byte());
    return parameters;
  });
}
