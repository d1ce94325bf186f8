/**
 * Confirming at the keyboard: what is dangerous is shown with what it would do, and its phrase is typed by a person or
 * given with `--confirm`; nothing here types it for anybody.
 */
import type { Result } from "@rumi/kernel";
import type { ApiAnswer, ApiClient, ApiError } from "./client.ts";
import type { CliContext } from "./context.ts";

type Challenge = {
  readonly challenge_id: string;
  readonly intent_hash: string;
  readonly phrase: string;
  readonly expiry: string;
  readonly requires: readonly string[];
  readonly warnings?: readonly string[];
  readonly preview?: unknown;
  readonly blocked_by?: readonly { readonly error_code: string; readonly error: string }[];
};
export type Said = { readonly reason: string; readonly phrase?: string; readonly ticket?: string };
type Sent = Result<ApiAnswer, ApiError>;

/** The answer as it came, or that of the confirmation where the answer asked for one and the person gave it. */
export async function confirmed(context: CliContext, client: ApiClient, sent: Sent, said: Said): Promise<Sent> {
  const challenge = challengeIn(sent);
  if (challenge === undefined) return sent;
  const { terminal } = context;
  const path = `/api/challenges/${encodeURIComponent(challenge.challenge_id)}/confirm`;
  const byHand = `rumi challenges confirm ${challenge.challenge_id} --intent-hash ${challenge.intent_hash} --phrase '${challenge.phrase}' --reason WHY`;
  for (const warning of challenge.warnings ?? []) terminal.err(`Warning: ${warning}\n`);
  if (challenge.requires.includes("second_person")) {
    terminal.err(
      `This takes a second person, until ${challenge.expiry}:\n  rumi challenges show ${challenge.challenge_id}\n  rumi challenges approve ${challenge.challenge_id} --intent-hash ${challenge.intent_hash} --reason WHY\nThen you confirm:\n  ${byHand}\n`,
    );
    return sent;
  }
  describe(terminal.err, challenge);
  const phrase = said.phrase ?? (await terminal.ask?.(`Type ${challenge.phrase} to confirm: `));
  if (phrase === undefined) {
    terminal.err(`Nobody is at the keyboard. Confirm with --confirm '${challenge.phrase}', or:\n  ${byHand}\n`);
    return sent;
  }
  const { intent_hash } = challenge;
  const ticket = said.ticket === undefined ? {} : { ticket: said.ticket };
  return client.request({ method: "POST", path, body: { intent_hash, phrase, reason: said.reason, ...ticket } });
}

function challengeIn(sent: Sent): Challenge | undefined {
  if (sent.ok || sent.error.kind !== "refused" || sent.error.body["reason_code"] !== "CONFIRMATION_REQUIRED")
    return undefined;
  return sent.error.body["challenge"] as Challenge | undefined;
}

function describe(say: (text: string) => void, { preview, blocked_by = [], expiry }: Challenge): void {
  say(`This is dangerous and is done only when confirmed, until ${expiry}.\n`);
  if (preview !== undefined) say(`What it would do: ${JSON.stringify(preview)}\n`);
  for (const { error_code, error } of blocked_by) say(`It would be refused now: ${error_code} ${error}\n`);
}
