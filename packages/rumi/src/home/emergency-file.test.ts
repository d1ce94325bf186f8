import { closeSync, openSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { EMERGENCY_HALF_BYTES, emergencyFile } from "./emergency-file.ts";

const room = temporaryFolder();
afterAll(() => room.remove());

function tear(path: string, half: 0 | 1): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from("torn"), 0, 4, half * EMERGENCY_HALF_BYTES + 10);
  closeSync(file);
}

it("[G-5.3] what was written is read back, also by another process, and the file never grows", () => {
  const path = join(room.path, "a");
  const file = emergencyFile(path);
  expect(file.read()).toBeNull();
  const size = statSync(path).size;
  for (const text of ["[1]", '["日本語"]', "[3]"]) {
    file.write(text);
    expect(emergencyFile(path).read()).toBe(text);
  }
  expect([statSync(path).size, statSync(path).mode & 0o777]).toEqual([size, 0o600]);
});

it("a torn newest half leaves the one before it; two torn halves leave nothing, and never something else", () => {
  const path = join(room.path, "b");
  const file = emergencyFile(path);
  file.write("[1]");
  file.write("[2]");
  tear(path, 0);
  expect(file.read()).toBe("[1]");
  tear(path, 1);
  expect(file.read()).toBeNull();
});

it("more than a half holds is refused and what was there stays", () => {
  const file = emergencyFile(join(room.path, "c"));
  file.write("[1]");
  expect(() => file.write("x".repeat(EMERGENCY_HALF_BYTES))).toThrow("full");
  expect(file.read()).toBe("[1]");
});
