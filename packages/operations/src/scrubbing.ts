/**
 * Known secrets on their way into the log: whatever request they came with, no audit event holds one.
 *
 * Invariant (scrubbing.test.ts): an event that could be logged still can be; where the form of one of its details would not
 * take the word that stands for a secret (an identifier, a digest), that one is left as it is, and the others are scrubbed.
 */
import { createScrubber, NO_SECRETS, type Scrubber } from "@rumi/kernel";
import { eventProblem, type LedgerEvent } from "@rumi/ledger";
import type { Store } from "@rumi/store";
import type { OperationDefinition } from "./operation.ts";

export function scrubbedEvent(scrubber: Scrubber, event: LedgerEvent): LedgerEvent {
  const { resource_id, details } = event;
  const clean = { ...event, resource_id: scrubber.text(resource_id), details: scrubber.value(details) };
  if (clean.resource_id === resource_id && clean.details === details) return event;
  return eventProblem(clean) === undefined ? clean : scrubbedByField(event, clean);
}

/** `clean` where its form allows it, `event` elsewhere. */
function scrubbedByField(event: LedgerEvent, { resource_id, details }: LedgerEvent): LedgerEvent {
  let kept: LedgerEvent = { ...event, resource_id };
  for (const [name, value] of Object.entries(details)) {
    const tried = { ...kept, details: { ...kept.details, [name]: value } };
    if (eventProblem(tried) === undefined) kept = tried;
  }
  return kept;
}

/** The store for everyone above it: what is appended to the log is scrubbed, whoever wrote it. */
export function scrubbedStore(store: Store, scrubber: Scrubber): Store {
  return {
    ...store,
    commit: ({ writes, events }) =>
      store.commit({ writes, events: events.map((event) => scrubbedEvent(scrubber, event)) }),
  };
}

/** Knows what the secret fields of one request hold, which nobody else knows yet. */
export function ownSecrets(
  { secret_fields = [] }: Pick<OperationDefinition, "secret_fields">,
  input: Readonly<Record<string, unknown>>,
): Scrubber {
  if (secret_fields.length === 0) return NO_SECRETS;
  const own = createScrubber();
  for (const field of secret_fields) if (typeof input[field] === "string") own.know(field, input[field]);
  return own;
}
