/**
 * The emergency spool's file: made full size in good times, so that writing it needs no room when the disk has none.
 *
 * How to think: two halves are written in turn, each with its number and its digest; whatever a crash leaves of one, the
 * other is whole. Invariant (emergency-file.test.ts): after any torn write the newest whole half is read.
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { createHash } from "node:crypto";
import type { EmergencyFile } from "@rumi/control";
import { writeFileDurably } from "./files.ts";

export const EMERGENCY_HALF_BYTES = 524_288;
type Half = { readonly number: number; readonly text: string };

export function emergencyFile(path: string): EmergencyFile {
  if (!existsSync(path)) writeFileDurably(path, Buffer.alloc(2 * EMERGENCY_HALF_BYTES, " "), 0o600);
  return {
    read: () => newest(path)?.text ?? null,
    write: (text) => {
      const number = (newest(path)?.number ?? 0) + 1;
      const bytes = Buffer.from(`${digestOf(number, text)} ${number}\n${text}\n`);
      if (bytes.length > EMERGENCY_HALF_BYTES) throw new Error("the emergency spool is full");
      const half = Buffer.alloc(EMERGENCY_HALF_BYTES, " ");
      bytes.copy(half);
      const file = openSync(path, "r+");
      try {
        writeSync(file, half, 0, half.length, (number % 2) * EMERGENCY_HALF_BYTES);
        fdatasyncSync(file);
      } finally {
        closeSync(file);
      }
    },
  };
}

function newest(path: string): Half | undefined {
  const bytes = readFileSync(path);
  const halves = [0, 1].flatMap((at) =>
    readHalf(bytes.subarray(at * EMERGENCY_HALF_BYTES, (at + 1) * EMERGENCY_HALF_BYTES)),
  );
  return halves.toSorted((a, b) => b.number - a.number)[0];
}

function readHalf(bytes: Buffer): readonly Half[] {
  const [head = "", ...rest] = bytes.toString("utf8").trimEnd().split("\n");
  const [digest, number = ""] = head.split(" ");
  const text = rest.join("\n");
  return /^\d+$/.test(number) && digest === digestOf(Number(number), text) ? [{ number: Number(number), text }] : [];
}

const digestOf = (number: number, text: string): string =>
  createHash("sha256").update(`${number}\n${text}`).digest("hex");
