import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StrategyDescriptor } from "@rumi/abi";
import { digestOf } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { descriptor, FIXTURE_DIR, spec } from "../test/support.ts";
import { admit } from "./admission.ts";

const check = (change: Partial<StrategyDescriptor>, more: Partial<Parameters<typeof admit>[0]> = {}): string => {
  const report = admit({ ...spec(""), descriptor: descriptor(change), monotonic: () => performance.now(), ...more });
  const failed = report.checks.find((one) => !one.passed);
  expect(report.admitted).toBe(failed === undefined);
  return failed === undefined ? "admitted" : `${failed.check} ${failed.reason_code ?? ""}`;
};

describe("admission", () => {
  it("[M-12.1] [M-1.1.4] a sound strategy is admitted and every check is in the report", () => {
    expect(check({})).toBe("admitted");
    expect(admit({ ...spec(""), monotonic: () => performance.now() }).checks.map((one) => one.check)).toEqual([
      "descriptor",
      "lane",
      "capabilities",
      "config",
      "binary_hash",
      "isolation",
      "abi_version",
      "smoke",
      "state_schema",
    ]);
  });
  it("[M-12.1] one failing example of each is refused before start with its reason code", () => {
    const capabilities = descriptor().capabilities;
    const { resources } = descriptor();
    expect(check({ strategy_version: "1" })).toBe("descriptor M.DESCRIPTOR.MALFORMED");
    expect(check({ capabilities: { ...capabilities, venues: ["OTHER"] } })).toBe(
      "capabilities M.CAPABILITY.VENUE_NOT_ALLOWED",
    );
    expect(check({ capabilities: { ...capabilities, instruments: ["A.B"] } })).toBe(
      "capabilities M.CAPABILITY.INSTRUMENT_NOT_ALLOWED",
    );
    expect(check({}, { config: { surprise: 1 } })).toBe("config M.CONFIG.UNKNOWN");
    expect(check({ resources: { ...resources, fuel_per_event: 10 } })).toBe("smoke M.SANDBOX.FUEL_EXHAUSTED");
    expect(check({ state_schema_version: 2 })).toBe("smoke M.STATE.SCHEMA_VERSION");
    expect(check({}, { saved_state_version: 2 })).toBe("state_schema M.STATE.INCOMPATIBLE");
  });
  it("[M-3.2.2] [M-13.1] an external service on the low-latency lane is refused", () => {
    const refused = check({ capabilities: { ...descriptor().capabilities, external_services: ["model"] } });
    expect(refused).toMatch(/^(lane M\.LANE\.EXTERNAL_ON_LL|descriptor )/);
  });
  it("[M-2.1.5] one flipped byte of the binary refuses the start", () => {
    const folder = temporaryFolder();
    try {
      const path = join(folder.path, "crossing.wasm");
      copyFileSync(join(FIXTURE_DIR, "crossing.wasm"), path);
      expect(check({}, { pack_dir: folder.path })).toBe("admitted");
      const bytes = readFileSync(path);
      bytes[100] = (bytes[100] ?? 0) ^ 1;
      writeFileSync(path, bytes);
      expect(check({}, { pack_dir: folder.path })).toBe("binary_hash M.DESCRIPTOR.BINARY_HASH");
      writeFileSync(path, "not wasm");
      expect(check({ binary_hash: digestOf("not wasm") }, { pack_dir: folder.path })).toMatch(/^isolation M\./);
    } finally {
      folder.remove();
    }
  });
});
