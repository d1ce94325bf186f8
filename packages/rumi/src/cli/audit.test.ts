import type { FindingKind, VerifyReport } from "@rumi/ledger";
import { expect, it } from "vitest";
import { settled } from "./audit.ts";

const reportOf = (...kinds: FindingKind[]): VerifyReport => ({
  ok: kinds.length === 0,
  origin: "rumi.local/test",
  size: 9,
  entries_checked: 9,
  payloads_checked: 9,
  payloads_erased: 0,
  jsonl_lines_checked: 9,
  jsonl_complete_to: 9,
  against_checked: 0,
  findings: kinds.map((kind) => ({ kind, index: 4, code: "RUMI-LOG-018", params: {} })),
  findings_total: kinds.length,
});

/** What is said in the end, and after how many looks. */
async function said(...reports: readonly VerifyReport[]): Promise<readonly [string, number]> {
  let looks = 0;
  const last = await settled(async () => {
    looks += 1;
    return reports[Math.min(looks, reports.length) - 1] ?? reportOf();
  });
  return [last.findings.map(({ kind }) => kind).join(), looks];
}

it("[L-26] what an erasure leaves for a moment is looked at again; what stays is told, and a forgery at once", async () => {
  expect(await said(reportOf())).toEqual(["", 1]);
  expect(await said(reportOf("payload_missing"), reportOf("jsonl_mismatch", "jsonl_mismatch"), reportOf())).toEqual([
    "",
    3,
  ]);
  expect(await said(reportOf("jsonl_mismatch"))).toEqual(["jsonl_mismatch", 3]);
  expect(await said(reportOf("payload_missing", "edited"))).toEqual(["payload_missing,edited", 1]);
});
