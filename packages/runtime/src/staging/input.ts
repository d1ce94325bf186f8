/** What reaches staged intents from outside the machine: recorded inputs like any other (instance/input.ts). */

/** A person's word on one staged intent. */
export type StagingWish = {
  readonly action: "approve" | "reject";
  readonly idempotency_key: string;
  readonly actor: string;
  readonly reason: string;
};
export type StagingInput =
  | ({ readonly input: "staging" } & StagingWish)
  /** The clock of the machine that it runs on says that it waited too long. */
  | { readonly input: "staging"; readonly action: "expire"; readonly idempotency_key: string }
  /** Nothing that waits may be sent any more. */
  | { readonly input: "staging"; readonly action: "void"; readonly reason_code: string };
