/** How a lock file is refused: with its name, the line and what is wrong there. */
import { err, failure, type Failure, type Result } from "@rumi/kernel";
import { shown } from "../shown.ts";
import type { Component, LockFile } from "./component.ts";

export type LockEntry = { readonly component: Component; readonly line: number };

export function lockInvalid(file: LockFile, line: number, problem: string): Result<never, Failure> {
  return err(failure("RUMI-SUP-001", { name: file.name, line, problem }));
}

export function lockSource(file: LockFile, line: number, component: string, source: string): Result<never, Failure> {
  const params = { name: file.name, line, component: shown(component), source: shown(source) };
  return err(failure("RUMI-SUP-003", params));
}
