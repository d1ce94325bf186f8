import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { contractSchemas, eventProblem, payloadText } from "../src/index.ts";
import { sampleEvent } from "./support.ts";

const folder = join(dirname(fileURLToPath(import.meta.url)), "../../../docs/contracts");
const published = (name: string): object => JSON.parse(readFileSync(join(folder, name), "utf8")) as object;
const validator = (name: string): ((value: unknown) => boolean) => {
  const check = new Ajv2020({ strict: false, validateFormats: false }).compile(published(name));
  return (value) => check(value);
};

describe("contracts", () => {
  it("[G-C] docs/contracts holds what the code says; `npx tsx packages/ledger/generate.ts` writes it", () => {
    for (const [name, schema] of Object.entries(contractSchemas()))
      expect(published(name), name).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it("[G-C] [L-N1] produced payloads satisfy audit_event, and it is closed at both levels", () => {
    const valid = validator("audit_event.schema.json");
    for (const n of [0, 1, 2]) {
      const event = sampleEvent(n);
      const payload = JSON.parse(payloadText(event)) as Record<string, unknown>;
      const details = payload["details"] as Record<string, unknown>;
      expect(valid(payload)).toBe(true);
      expect(valid({ ...payload, more: 1 })).toBe(false);
      expect(valid({ ...payload, schema_version: 2 })).toBe(false);
      expect(valid({ ...payload, action: "bot.invented" })).toBe(false);
      expect(valid({ ...payload, details: { ...details, more: 1 } })).toBe(false);
      expect(eventProblem({ ...event, details: { ...event.details, more: 1 } })).toContain("more");
      for (const name of ["reason", "approval_id", "expires_at", "trace_id", "run_id", "request_id", "fingerprint"]) {
        const { [name]: _, ...rest } = details;
        expect(valid({ ...payload, details: rest }), name).toBe(false);
      }
    }
  });

  it("[G-C] safety_state and gate_results are closed, and UNKNOWN never passes", () => {
    const safety = validator("safety_state.schema.json");
    const id = "0192f0c8-0000-7000-8000-000000000001";
    const at = "2026-02-24T12:00:00.000000Z";
    const state = { schema_version: 1, state_id: id, mode: "SAFE", reason: "x", activated_at: at };
    expect([safety(state), safety({ ...state, mode: "OFF" }), safety({ ...state, more: 1 })]).toEqual([
      true,
      false,
      false,
    ]);
    const gate = validator("gate_results.schema.json");
    const result = {
      schema_version: 1,
      run_id: id,
      gate: "data",
      passed: false,
      rules: [{ rule_id: "r", passed: false }],
      evaluated_at: at,
      state: "UNKNOWN",
      expires_at: at,
    };
    expect([gate(result), gate({ ...result, passed: true }), gate({ ...result, state: "PASS", passed: true })]).toEqual(
      [true, false, true],
    );
  });
});
