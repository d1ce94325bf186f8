import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { declaredFunds, FUNDS_LIMITS, simulatedFunds } from "./ledger.ts";

const room = temporaryFolder();
afterAll(() => room.remove());
const path = join(room.path, "funds.json");
const ETH = { venue: "SIM", account: "main", currency: "ETH" };
const said = async (text: string) => {
  writeFileSync(path, text);
  const answer = await declaredFunds(path).balance(ETH);
  return answer.ok ? answer.value : [answer.error.code, answer.error.params["problem"]];
};
const file = (accounts: readonly unknown[]) => JSON.stringify({ version: 1, accounts });

it("[L-2.1] without a file accounts are simulated; with one it is the whole truth, exact and read anew each time", async () => {
  const none = await declaredFunds(join(room.path, "none.json")).balance(ETH);
  expect(none).toEqual(await simulatedFunds.balance(ETH));
  expect(await said(file([{ ...ETH, balance: "12.00000001" }]))).toEqual({
    balance: 1_200_000_001n,
    source: "declared",
  });
  expect(await said(file([{ ...ETH, balance: "0" }]))).toEqual({ balance: 0n, source: "declared" });
  expect(await said(file([{ ...ETH, currency: "USD", balance: "7" }]))).toEqual({ balance: 0n, source: "declared" });
});

it("[L-2.1] a file that is not understood is a failure, never a balance", async () => {
  const bad: readonly (readonly [string, string])[] = [
    ["{", "it is no JSON"],
    ["[]", "its version is not 1"],
    ["null", "its version is not 1"],
    [JSON.stringify({ version: 1, accounts: {} }), "accounts is no list of at most 10000"],
    [file([{ ...ETH, balance: 1 }]), "accounts[0].balance"],
    [file([{ ...ETH, balance: "-1" }]), "accounts[0].balance"],
    [file([{ ...ETH, balance: "1e3" }]), "accounts[0].balance"],
    [file([{ ...ETH, balance: "0.000000001" }]), "accounts[0].balance"],
    [file([{ ...ETH, balance: `${FUNDS_LIMITS.units + 1n}` }]), "accounts[0].balance"],
    [file([{ ...ETH, balance: "1", extra: 1 }]), "accounts[0] has not exactly"],
    [file([{ ...ETH, venue: 7, balance: "1" }]), "accounts[0] names its account"],
    [file([ETH]), "accounts[0] has not exactly"],
    [
      file([
        { ...ETH, balance: "1" },
        { ...ETH, balance: "1" },
      ]),
      "it is named twice",
    ],
  ];
  for (const [text, problem] of bad) {
    const [code, why] = (await said(text)) as readonly string[];
    expect([text, code, why]).toEqual([text, "RUMI-RSK-005", expect.stringContaining(problem)]);
  }
  // A folder where the file belongs cannot be read.
  const folder = await declaredFunds(room.path).balance(ETH);
  expect(folder.ok ? "" : folder.error.code).toBe("RUMI-RSK-005");
});
