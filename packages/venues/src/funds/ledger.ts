/**
 * Ledger and funds, as a port: how much money an account at a venue holds. Nobody in here moves any.
 *
 * How to think: the books are kept elsewhere. `simulatedFunds` is the answer for accounts that hold none (recordings, a
 * simulator): they open with a fixed balance. `declaredFunds` reads what the keeper of the books wrote down; where there is
 * such a file it is the whole truth, so an account that it does not name has nothing.
 *
 * Invariant (ledger.test.ts): a file that cannot be read or understood is a failure, never a balance.
 */
import { readFile } from "node:fs/promises";
import { MONEY_DIGITS } from "@rumi/abi";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";

/** `account` is the venue's own name for it; a currency is one of those that instruments are quoted in. */
export type FundsAccount = { readonly venue: string; readonly account: string; readonly currency: string };

export type Funds = {
  /** Scaled by 10^8. */
  readonly balance: bigint;
  readonly source: "simulated" | "declared";
};

export interface FundsLedger {
  /** Error RUMI-RSK-005. */
  balance(of: FundsAccount): Promise<Result<Funds, Failure>>;
}

export const FUNDS_LIMITS = {
  /** Largest balance, whole units; it stays exact as a number of every store. */
  units: 9_000_000_000_000_000n,
  accounts: 10_000,
  file_bytes: 4 * 1024 * 1024,
} as const;

const SCALE = 10n ** BigInt(MONEY_DIGITS);

/** Every account opens with as much as there can be. */
export const simulatedFunds: FundsLedger = {
  balance: () => Promise.resolve(ok({ balance: FUNDS_LIMITS.units * SCALE, source: "simulated" })),
};

/** `{"version": 1, "accounts": [{"venue", "account", "currency", "balance"}]}`; without the file accounts are simulated. */
export function declaredFunds(path: string): FundsLedger {
  return {
    balance: async (of) => {
      const { venue, account, currency } = of;
      const refuse = (problem: string): Result<Funds, Failure> =>
        err(
          failure(
            "RUMI-RSK-005",
            { account: `${venue}/${account}/${currency}`, problem },
            { reasonCode: "L.CAPITAL.BALANCE_UNKNOWN" },
          ),
        );
      let text: string;
      try {
        text = await readFile(path, "utf8");
      } catch (cause) {
        const code = (cause as NodeJS.ErrnoException).code ?? "it cannot be read";
        return code === "ENOENT" ? simulatedFunds.balance(of) : refuse(code);
      }
      if (text.length > FUNDS_LIMITS.file_bytes) return refuse(`it is larger than ${FUNDS_LIMITS.file_bytes} bytes`);
      const accounts = accountsIn(text);
      if (typeof accounts === "string") return refuse(accounts);
      const found = accounts.filter(
        (one) => one.venue === venue && one.account === account && one.currency === currency,
      );
      if (found.length > 1) return refuse("it is named twice");
      return ok({ balance: found[0]?.balance ?? 0n, source: "declared" });
    },
  };
}

type Declared = FundsAccount & { readonly balance: bigint };
const FIELDS = "account,balance,currency,venue";

/** Or what is wrong with the file. */
function accountsIn(text: string): readonly Declared[] | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is no JSON";
  }
  const { version, accounts } = (value ?? {}) as { readonly version?: unknown; readonly accounts?: unknown };
  if (version !== 1) return "its version is not 1";
  if (!Array.isArray(accounts) || accounts.length > FUNDS_LIMITS.accounts)
    return `accounts is no list of at most ${FUNDS_LIMITS.accounts}`;
  const declared: Declared[] = [];
  for (const [at, one] of (accounts as readonly unknown[]).entries()) {
    if (typeof one !== "object" || one === null || Object.keys(one).toSorted().join() !== FIELDS)
      return `accounts[${at}] has not exactly the fields ${FIELDS}`;
    const { venue, account, currency, balance } = one as Readonly<Record<string, unknown>>;
    const amount = typeof balance === "string" ? balanceOf(balance) : undefined;
    if (typeof venue !== "string" || typeof account !== "string" || typeof currency !== "string")
      return `accounts[${at}] names its account by something else than text`;
    if (amount === undefined) return `accounts[${at}].balance is no decimal string from 0 to ${FUNDS_LIMITS.units}`;
    declared.push({ venue, account, currency, balance: amount });
  }
  return declared;
}

function balanceOf(text: string): bigint | undefined {
  const match = /^(\d{1,16})(?:\.(\d{1,8}))?$/.exec(text);
  if (match === null) return undefined;
  const scaled = BigInt(`${match[1]}${(match[2] ?? "").padEnd(MONEY_DIGITS, "0")}`);
  return scaled > FUNDS_LIMITS.units * SCALE ? undefined : scaled;
}
