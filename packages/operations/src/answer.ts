/** What the pipeline answers, before HTTP or the command line give it their form. */
import { ERROR_CATALOGUE, type Failure } from "@rumi/kernel";

export type Done = {
  readonly kind: "done";
  readonly status: number;
  readonly data: unknown;
};
export type Refused = {
  readonly kind: "refused";
  readonly failure: Failure;
  readonly status: number;
  /** Facts that a seed adds to the error answer. */
  readonly extras: Readonly<Record<string, unknown>>;
  readonly retry_after_seconds?: number;
};
/** `training`: it was rehearsed, and whatever it says has not been done. */
export type Outcome = (Done | Refused) & { readonly training?: true };
export type Answer = Outcome & {
  /** The dedupe key, where the request got as far as having one. */
  readonly command_id: string | null;
  readonly duplicate_suppressed: boolean;
};

export function refused(failure: Failure, extras: Readonly<Record<string, unknown>> = {}): Refused {
  return { kind: "refused", failure, status: ERROR_CATALOGUE[failure.code].status, extras };
}

/** The stored form of a finished command's answer; texts are made anew in the reader's language. */
export function encodeOutcome(outcome: Outcome): string {
  const training = outcome.training === true ? { training: true } : {};
  if (outcome.kind === "done")
    return JSON.stringify({ kind: "done", status: outcome.status, data: outcome.data, ...training });
  const { cause: _, ...failure } = outcome.failure;
  return JSON.stringify({
    kind: "refused",
    status: outcome.status,
    failure,
    extras: outcome.extras,
    ...training,
  });
}

export function decodeOutcome(text: string): Outcome {
  return JSON.parse(text) as Outcome;
}
