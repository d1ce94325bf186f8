import type { JSX } from "react";
import { shownDecimal, signTone } from "../numbers.ts";

const SHOWN_DIGITS = 2;

/** An amount in quote currency: rounded on the page, exact in its title. */
export function Money(props: { readonly amount: string; readonly testId?: string }): JSX.Element {
  const { amount, testId } = props;
  return (
    <span className={`amount ${signTone(amount)}`} title={amount} data-testid={testId}>
      {shownDecimal(amount, SHOWN_DIGITS)}
    </span>
  );
}
