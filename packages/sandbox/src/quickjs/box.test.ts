import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { SANDBOX_LIMITS, WASM_FAULTED } from "../index.ts";
import { openQuickJsBox, type QuickJsBox, type QuickJsBoxOptions } from "./box.ts";
import { ENGINE_EXPORTS } from "./engine.ts";
import { hostImports } from "./host.ts";

const MEGABYTE = 1_048_576;
const FUEL = 200_000_000;

/** A script whose calls answer `body`; `at` is the input's place, `say` writes text to the output and answers its length. */
const script = (body: string, before = ""): string => `${before}
globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
  const bytes = new Uint8Array(memory), head = new Uint32Array(memory, 0, 2);
  const say = (text) => { const s = String(text); for (let i = 0; i < s.length; i += 1) bytes[outputAt + i] = s.charCodeAt(i); return s.length; };
  let calls = 0;
  return () => { calls += 1; ${body} };
};`;

function open(source: string, changes: Partial<QuickJsBoxOptions> = {}): QuickJsBox {
  const box = openQuickJsBox({
    source: Buffer.from(source),
    memory_bytes: 64 * MEGABYTE,
    fuel_per_call: FUEL,
    ...changes,
  });
  if (!box.ok) throw new Error(JSON.stringify(box.error));
  return box.value;
}
function said(box: QuickJsBox): string {
  const length = box.call(2, 8);
  if (length < 0) throw new Error(JSON.stringify(box.lastFault()));
  return Buffer.from(box.u8.subarray(box.outputAt, box.outputAt + length)).toString("latin1");
}
const evaluated = (expression: string): string =>
  said(open(script(`try { return say(${expression}); } catch (error) { return say(error); }`)));

describe("a script in its engine", () => {
  it("sees the callback, the frame's length and its bytes, and answers in place", () => {
    const box = open(script(`bytes[outputAt] = bytes[inputAt] + 1; return head[0] * 1000 + head[1];`));
    box.u8[box.inputAt] = 41;
    expect(box.call(3, 96)).toBe(3_096);
    expect(box.u8[box.outputAt]).toBe(42);
    expect([box.inputAt % 8, box.outputAt % 8]).toEqual([0, 0]);
  });

  it("keeps its state between calls and loses it with a reset", () => {
    const box = open(script(`return calls;`));
    expect([box.call(2, 0), box.call(2, 0), box.call(2, 0)]).toEqual([1, 2, 3]);
    box.reset();
    expect(box.call(2, 0)).toBe(1);
  });

  it("[M-5.2.3] has nothing of the host: its globals are the language's own, without clock and chance", () => {
    const names = evaluated(`Object.getOwnPropertyNames(globalThis).sort().join(" ")`).split(" ");
    for (const name of [
      "console",
      "fetch",
      "setTimeout",
      "setInterval",
      "queueMicrotask",
      "process",
      "require",
      "Date",
      "performance",
      "std",
      "os",
      "print",
      "WebAssembly",
      "Worker",
      "rumi_strategy",
    ])
      expect(names).not.toContain(name);
    // What a newer Node has too, and the engine's own word for a full stack.
    const plain = new Set([...Object.getOwnPropertyNames(globalThis), "InternalError", "Float16Array", "Iterator"]);
    expect(names.filter((name) => !plain.has(name))).toEqual([]);
    expect(evaluated("typeof Math.random")).toBe("undefined");
    expect(evaluated("new Function('return this')() === globalThis")).toBe("true");
    expect(evaluated("eval('1 + 1')")).toBe("2");
  });

  it("[M-5.2.3] can load no module", () => {
    const box = open(script(`import("node:fs").then(() => { bytes[outputAt] = 1; }); return calls;`));
    // The engine finds no loader, so the promise is rejected; nobody runs its jobs.
    expect([box.call(2, 0), box.call(2, 0), box.u8[box.outputAt]]).toEqual([1, 2, 0]);
  });

  it("[M-0.7] spends the same fuel for the same calls, also in another engine", () => {
    const body = `let x = 1; for (let i = 0; i < 1000; i += 1) x = (x * 48271 + calls) % 2147483647;
      return say([x, {}.toString(), [3, 1, 2].sort(), "abc".repeat(50).indexOf("cab", 7), 0.1 + 0.2, NaN, /b+/.exec("abbb")]);`;
    const boxes = [open(script(body)), open(script(body))];
    const runs = boxes.map((box) => Array.from({ length: 5 }, () => [said(box), box.fuelUsed()]));
    expect(runs[0]).toEqual(runs[1]);
    expect(Number(runs[0]?.[0]?.[1])).toBeGreaterThan(10_000);
    expect(runs[0]?.[0]?.[0]).toContain("0.30000000000000004,NaN,bbb");
  });

  it("knows NaN for NaN: canonical bits do not disturb the engine's own boxed values", () => {
    expect(
      evaluated(
        `[0 / 0, Number.isNaN(NaN), [NaN].includes(NaN), Object.is(-0, 0), 5e-324, -(2 ** 53), new Float64Array([NaN])[0], typeof (0 / 0)]`,
      ),
    ).toBe("NaN,true,true,false,5e-324,-9007199254740992,NaN,number");
  });
});

describe("what a script may not do", () => {
  it.each([
    ["a loop", "for (;;) {}"],
    [
      "recursion without end that is caught again and again",
      "for (;;) { try { (function f() { f(); })(); } catch {} }",
    ],
    ["a native fill", "const a = new Uint8Array(8e6); for (;;) a.fill(1);"],
    ["a native search", `const s = "a".repeat(4e6) + "b"; for (;;) s.indexOf("a".repeat(2e6) + "c");`],
    ["a regular expression", `/^(a+)+$/.test("a".repeat(60) + "b"); return 0;`],
    ["a native sort", "const a = Array.from({ length: 2e5 }, (_, i) => -i); for (;;) a.slice().sort();"],
    ["JSON", `const t = JSON.stringify(Array.from({ length: 1e5 }, (_, i) => i)); for (;;) JSON.parse(t);`],
    ["a big number", "let n = 3n; for (;;) n = n * n;"],
  ])("[M-5.2.1] %s without end is stopped by fuel", (_, body) => {
    const box = open(script(body));
    const began = performance.now();
    expect(box.call(2, 0)).toBe(WASM_FAULTED);
    // A big number may meet the heap's end first; everything else spends its fuel.
    expect(box.lastFault()?.kind).toMatch(/^fuel|trap$/);
    expect(performance.now() - began).toBeLessThan(15_000);
    expect(box.call(2, 0)).toBe(WASM_FAULTED);
    box.reset();
    expect(box.lastFault()).toBeNull();
  });

  it("[M-5.2.1] the very call that ran out is the same one in every life", () => {
    const until = (): number => {
      const box = open(script(`for (let i = 0; i < calls * 1000; i += 1); return calls;`), {
        fuel_per_call: 3_000_000,
      });
      let calls = 0;
      while (box.call(2, 0) > 0) calls += 1;
      expect(box.lastFault()?.kind).toBe("fuel");
      return calls;
    };
    const first = until();
    expect(first).toBeGreaterThan(2);
    expect([until(), until()]).toEqual([first, first]);
  });

  it("recursion is an exception of the script's, before it is a fault of the thread's", () => {
    expect(evaluated(`(function () { try { (function f() { f(); })(); } catch (error) { return error; } })()`)).toMatch(
      /stack overflow|InternalError/,
    );
    expect(evaluated(`JSON.parse("[".repeat(1e5))`)).toMatch(/overflow|Error/);
  });

  it.each([
    ["arrays", "const all = []; for (;;) all.push(new Uint8Array(1e6).fill(1));"],
    ["strings", `let s = "x"; const all = []; for (;;) { s += s; all.push(s); }`],
    ["objects", "const all = []; for (;;) all.push({ a: 1 });"],
  ])("[M-5.2.2] hoarding %s ends within the memory it was given", (_, body) => {
    const box = open(script(`try { ${body} } catch (error) { return say(error); }`), {
      memory_bytes: 24 * MEGABYTE,
      fuel_per_call: 1_000_000_000,
    });
    const answer = box.call(2, 0);
    if (answer === WASM_FAULTED) expect(box.lastFault()?.kind).toMatch(/^(fuel|trap)$/);
    else expect(said(open(script(`return say("next")`)))).toBe("next");
    expect(box.memoryBytes()).toBeLessThanOrEqual(24 * MEGABYTE);
  });

  it("[M-5.2.7] memory that its host would grant too freely still ends where the Wasm memory does", () => {
    const hoard = script(
      `const all = []; try { for (;;) all.push(new Uint8Array(65536)); } catch { return all.length; }`,
    );
    const memory_bytes = 24 * MEGABYTE;
    for (const fences of [{}, { without: "grow_cap" }] as const) {
      const box = open(hoard, { memory_bytes, ...fences });
      expect(box.call(2, 0)).toBeGreaterThan(200);
      expect(box.memoryBytes()).toBeGreaterThan(16 * MEGABYTE);
      expect(box.memoryBytes()).toBeLessThanOrEqual(memory_bytes);
    }
    // The other fence alone: a host that knows the cap, a memory that would go on.
    const asked: number[] = [];
    const memory = { buffer: new ArrayBuffer(16 * MEGABYTE), grow: (pages: number): number => asked.push(pages) };
    const { k } = hostImports(memory, { memory_bytes }).a as { readonly k: (wanted: number) => number };
    expect([k(memory_bytes), k(memory_bytes + 1)]).toEqual([1, 0]);
    expect(asked).toEqual([128]);
  });

  it("breaking its own buffer breaks nothing but its own calls", () => {
    const box = open(script(`try { memory.transfer(); } catch {} Object.prototype.then = 1; return calls;`));
    const neighbour = open(script("return calls;"));
    box.call(2, 0);
    box.call(2, 0);
    expect(neighbour.call(2, 0)).toBe(1);
    box.reset();
    expect(box.call(2, 0)).toBe(1);
  });

  it.each([
    ["it does not parse", "globalThis.rumi_strategy = (", /SyntaxError/],
    ["it throws", `throw new Error("as I like")`, /as I like/],
    ["it defines nothing", "1;", /no function rumi_strategy/],
    ["it spins while loading", "for (;;) {}", /fuel/],
  ])("a script is refused when %s", (_, source, problem) => {
    const box = openQuickJsBox({ source: Buffer.from(source), memory_bytes: 32 * MEGABYTE, fuel_per_call: FUEL });
    expect(box.ok ? "open" : [box.error.code, box.error.params["problem"]]).toEqual([
      "RUMI-STR-067",
      expect.stringMatching(problem),
    ]);
  });

  it.each([
    ["memory_bytes", { memory_bytes: 16 * MEGABYTE - 1 }],
    ["fuel_per_call", { fuel_per_call: 0 }],
    ["script bytes", { source: new Uint8Array() }],
  ])("%s outside its bounds is refused by name", (name, changes) => {
    const box = openQuickJsBox({ source: Buffer.from("1"), memory_bytes: 32 * MEGABYTE, fuel_per_call: 1, ...changes });
    expect(box.ok ? "open" : box.error.params["name"]).toBe(name);
  });

  it("[M-5.2.6] a length beyond the room there is, and the word for a fault, are faults", () => {
    for (const answer of ["2_000_000_000", "-2_147_483_648", "1_048_577"]) {
      const box = open(script(`return ${answer};`));
      expect(box.call(2, 0)).toBe(WASM_FAULTED);
      expect(box.lastFault()?.reason_code).toBe("M.SANDBOX.BAD_POINTER");
      expect(box.call(2, 0)).toBe(WASM_FAULTED);
    }
  });

  it("[M-2.1.3] a script has a largest size: at it, it runs; a byte more and it is refused by name, like a module", () => {
    const { script_bytes } = SANDBOX_LIMITS;
    const plain = Buffer.from(script("return 7;"));
    const filled = (bytes: number): Buffer => Buffer.concat([plain, Buffer.alloc(bytes - plain.length, 0x20)]);
    const opened = openQuickJsBox({ source: filled(script_bytes), memory_bytes: 64 * MEGABYTE, fuel_per_call: FUEL });
    expect(opened.ok ? opened.value.call(2, 0) : opened.error).toBe(7);
    const refused = openQuickJsBox({
      source: filled(script_bytes + 1),
      memory_bytes: 64 * MEGABYTE,
      fuel_per_call: FUEL,
    });
    expect(refused.ok ? "open" : refused.error).toMatchObject({
      code: "RUMI-STR-055",
      params: { name: "script bytes", value: script_bytes + 1, most: script_bytes },
    });
  });

  it.each([
    ["a bundle that is no text", Buffer.from([0xff, 0xfe, 0x00, 0x80])],
    ["a bundle with a null byte", Buffer.from("globalThis.rumi_strategy = () => \0;")],
    ["a module", Buffer.from('import fs from "node:fs"; export default 1;')],
    ["a bundle of nested brackets", Buffer.from("[".repeat(200_000))],
    ["a bundle that hoards while it loads", Buffer.from("const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1));")],
    ["a bundle that takes the names away", Buffer.from("globalThis.rumi_strategy = 7;")],
    [
      "a getter in place of it",
      Buffer.from('Object.defineProperty(globalThis, "rumi_strategy", { get() { throw 1; } });'),
    ],
  ])("[M-5.2.6] %s is refused before it has answered anything", (_, source) => {
    const box = openQuickJsBox({ source, memory_bytes: 32 * MEGABYTE, fuel_per_call: FUEL });
    expect(box.ok ? "open" : box.error.code).toBe("RUMI-STR-067");
  });

  it("answers that are no whole number are faults", () => {
    for (const answer of ["1.5", `"x"`, "undefined", "{}"]) {
      const box = open(script(`return ${answer};`));
      expect(box.call(2, 0)).toBe(WASM_FAULTED);
      expect(box.lastFault()?.reason_code).toBe("M.SANDBOX.TRAP");
    }
  });
});

it("the names of the engine's exports are those of the package's own table", () => {
  const wasm = createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm");
  const table = readFileSync(join(dirname(wasm), "emscripten-module.mjs"), "utf8");
  for (const [name, exported] of Object.entries(ENGINE_EXPORTS))
    expect(table.includes(`d._${name}=b.${exported};`) || table.includes(`d._${name}=b.${exported},`)).toBe(true);
});
