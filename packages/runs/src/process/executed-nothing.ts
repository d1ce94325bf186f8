/**
 * Whether a check that succeeded did nothing at all: its command is none, or its tool says that it found nothing to do. A flag
 * for people, no verdict: saying nothing is what good linters do. Pure.
 */
const NO_COMMAND = /^\s*(?:(?:true|:|exit 0|#[^\n]*)\s*;?\s*)*$/;
const SAYINGS: readonly RegExp[] = [
  /\bcollected 0 items\b|\bno tests ran\b/, // pytest
  /^Ran 0 tests\b/m, // unittest
  /^No test(?: file)?s found\b/m, // jest, vitest, mocha
  /^# tests 0$/m, // node:test
  /^1\.\.0\b/m, // TAP
];
/** Said of each package or crate: only where no other line says that something ran. */
const PER_PART: readonly (readonly [RegExp, RegExp])[] = [
  [/\[no test files\]|no tests to run/, /^(?:ok|FAIL|---)\s(?!.*no tests to run)/m], // go
  [/^running 0 tests$/m, /^running [1-9]\d* tests?$/m], // cargo
];

export function executedNothing(of: {
  readonly command: string;
  readonly exit_code: number | null;
  readonly tail: string;
}): boolean {
  if (of.exit_code !== 0) return false;
  if (NO_COMMAND.test(of.command)) return true;
  return (
    SAYINGS.some((saying) => saying.test(of.tail)) ||
    PER_PART.some(([none, some]) => none.test(of.tail) && !some.test(of.tail))
  );
}
