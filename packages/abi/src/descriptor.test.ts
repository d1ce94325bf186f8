import { describe, expect, it } from "vitest";
import type { Json } from "@rumi/kernel";
import { parseDescriptor, validateConfig, verifyBinary, type ConfigField } from "./index.ts";

const good = (): Record<string, unknown> => ({
  strategy_id: "ema_cross",
  strategy_version: "1.0.0",
  runtime_kind: "rust_wasm",
  instance_model: "sharded",
  entrypoint: "strategies/a.wasm",
  capabilities: {
    subscribe: ["trade", "execution"],
    order_types: ["market"],
    venues: ["*"],
    instruments: ["XRPETH.SIM"],
    external_services: [],
    lane: "ll",
  },
  resources: {
    event_timeout_ms: 50,
    fuel_per_event: 1000,
    memory_bytes: 65536,
    threads: 1,
    cpu: 0.5,
    queue_events: 10,
    intents_per_event: 1,
    intents_per_second: 1,
    log_bytes_per_second: 1,
    log_bytes_per_run: 1,
    state_bytes: 1,
  },
  state_schema_version: 1,
  config_schema: { fast: { type: "integer", minimum: 1, maximum: 9, unit: "trades", required: true, default: 3 } },
  io_contracts: { abi: 1, events: 1, intents: 1 },
  binary_hash: `sha256:${"0".repeat(64)}`,
});
const refused = (change: (d: Record<string, unknown>) => void): string => {
  const d = structuredClone(good());
  change(d);
  const result = parseDescriptor(d as Json);
  return result.ok ? "ok" : `${result.error.reasonCode} ${String(result.error.params["field"])}`;
};
const inside = (d: Record<string, unknown>, path: string): [Record<string, unknown>, string] => {
  const parts = path.split(".");
  const last = parts.pop() ?? "";
  return [parts.reduce((at, part) => at[part] as Record<string, unknown>, d), last];
};

const PATHS = Object.entries(good()).flatMap(([name, value]) =>
  ["capabilities", "resources", "io_contracts"].includes(name)
    ? [name, ...Object.keys(value as object).map((key) => `${name}.${key}`)]
    : [name],
);

describe("descriptor", () => {
  it("[M-2.1.1] a whole descriptor is taken as it is", () => {
    expect(parseDescriptor(good() as Json)).toEqual({ ok: true, value: good() });
  });
  it.each(PATHS)("[M-2.1.1] missing or malformed %s is refused by name", (path) => {
    expect(
      refused((d) => {
        const [at, key] = inside(d, path);
        delete at[key];
      }),
    ).toBe(`M.DESCRIPTOR.MISSING ${path}`);
    for (const junk of [null, "", -1, [], [""], {}, { x: 1 }]) {
      const answer = refused((d) => {
        const [at, key] = inside(d, path);
        at[key] = junk;
      });
      const accepted =
        (path === "config_schema" && JSON.stringify(junk) === "{}") ||
        (["capabilities.external_services", "capabilities.order_types"].includes(path) &&
          JSON.stringify(junk) === "[]");
      if (accepted) expect(answer).toBe("ok");
      else
        expect(answer).toMatch(new RegExp(`^M\\.DESCRIPTOR\\.(MALFORMED|MISSING|UNKNOWN) ${path.replace(".", "\\.")}`));
    }
  });
  it.each([
    ["MALFORMED descriptor", () => undefined],
    [
      "UNKNOWN extra",
      (d: Record<string, unknown>) => {
        d["extra"] = 1;
      },
    ],
    [
      "MALFORMED strategy_version",
      (d: Record<string, unknown>) => {
        d["strategy_version"] = "1.0";
      },
    ],
    [
      "MALFORMED entrypoint",
      (d: Record<string, unknown>) => {
        d["entrypoint"] = "../x.wasm";
      },
    ],
    [
      "MALFORMED entrypoint",
      (d: Record<string, unknown>) => {
        d["entrypoint"] = "/etc/x";
      },
    ],
    [
      "MALFORMED config_schema.fast.default",
      (d: Record<string, unknown>) => {
        d["config_schema"] = { fast: { type: "integer", minimum: 5, required: false, default: 3 } };
      },
    ],
    [
      "MALFORMED config_schema.fast.minimum",
      (d: Record<string, unknown>) => {
        d["config_schema"] = { fast: { type: "integer", minimum: 5, maximum: 4, required: false } };
      },
    ],
    [
      "MISSING config_schema.fast.values",
      (d: Record<string, unknown>) => {
        d["config_schema"] = { fast: { type: "enum", required: false } };
      },
    ],
    [
      "MALFORMED config_schema.fast.default",
      (d: Record<string, unknown>) => {
        d["config_schema"] = { fast: { type: "string", required: false, secret: true, default: "x" } };
      },
    ],
  ])("[M-2.1.1] %s", (expected, change) => {
    if (expected === "MALFORMED descriptor")
      expect(parseDescriptor([])).toMatchObject({ ok: false, error: { params: { field: "descriptor" } } });
    else expect(refused(change)).toBe(`M.DESCRIPTOR.${expected}`);
  });
  it("[M-2.1.5] one flipped byte of the binary is refused", () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const parsed = parseDescriptor({
      ...good(),
      binary_hash: "sha256:039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
    });
    if (!parsed.ok) throw new Error("refused");
    expect(verifyBinary(parsed.value, bytes)).toEqual({ ok: true, value: true });
    expect(verifyBinary(parsed.value, new Uint8Array([1, 2, 2]))).toMatchObject({
      ok: false,
      error: { code: "RUMI-STR-003" },
    });
  });
});

describe("configuration", () => {
  const schema: Record<string, ConfigField> = {
    fast: { type: "integer", minimum: 2, maximum: 9, unit: "trades", required: true },
    size: { type: "decimal", minimum: "0.5", maximum: "10", required: false, default: "1.50" },
    kind: { type: "enum", values: ["limit", "market"], required: false, default: "market" },
    note: { type: "string", required: false },
    on: { type: "boolean", required: false, default: false },
  };
  const check = (config: Json): string => {
    const result = validateConfig(schema, config);
    return result.ok
      ? JSON.stringify(result.value)
      : `${result.error.reasonCode} ${String(result.error.params["path"])}`;
  };
  it.each<[string, Json, string]>([
    ["defaults are echoed", { fast: 3 }, '{"fast":3,"size":"1.50","kind":"market","on":false}'],
    [
      "a repeated unit is stripped",
      { fast: { value: 3, unit: "trades" } },
      '{"fast":3,"size":"1.50","kind":"market","on":false}',
    ],
    [
      "all given",
      { on: true, note: "x", kind: "limit", size: "0.50", fast: 9 },
      '{"fast":9,"size":"0.50","kind":"limit","note":"x","on":true}',
    ],
    ["missing required", {}, "M.CONFIG.REQUIRED config.fast"],
    ["too small", { fast: 1 }, "M.CONFIG.RANGE config.fast"],
    ["too large", { fast: 10 }, "M.CONFIG.RANGE config.fast"],
    ["no coercion of text", { fast: "3" }, "M.CONFIG.TYPE config.fast"],
    ["no fraction", { fast: 3.5 }, "M.CONFIG.TYPE config.fast"],
    ["null is no absence", { fast: null }, "M.CONFIG.TYPE config.fast"],
    ["wrong unit", { fast: { value: 3, unit: "ms" } }, "M.CONFIG.UNIT config.fast.unit"],
    ["unit missing", { fast: { value: 3 } }, "M.CONFIG.UNIT config.fast.unit"],
    ["unit where none is", { fast: 3, size: { value: "1", unit: "eth" } }, "M.CONFIG.UNIT config.size.unit"],
    ["extra beside unit", { fast: { value: 3, unit: "trades", x: 1 } }, "M.CONFIG.UNKNOWN config.fast.x"],
    ["unknown field", { fast: 3, slow: 3 }, "M.CONFIG.UNKNOWN config.slow"],
    [
      "prototype names are unknown",
      JSON.parse('{"fast":3,"__proto__":{}}') as Json,
      "M.CONFIG.UNKNOWN config.__proto__",
    ],
    ["decimal as number", { fast: 3, size: 1 }, "M.CONFIG.TYPE config.size"],
    ["decimal just below", { fast: 3, size: "0.499999999999999" }, "M.CONFIG.RANGE config.size"],
    ["decimal too large for 2^53", { fast: 3, size: "1.123456789012345678" }, "M.CONFIG.TYPE config.size"],
    ["word outside", { fast: 3, kind: "stop" }, "M.CONFIG.RANGE config.kind"],
    ["truth as text", { fast: 3, on: "true" }, "M.CONFIG.TYPE config.on"],
    ["text too long", { fast: 3, note: "x".repeat(1025) }, "M.CONFIG.RANGE config.note"],
    ["a list", [], "M.CONFIG.TYPE config"],
  ])("[M-2.1.4] %s", (_, config, expected) => expect(check(config)).toBe(expected));
});
