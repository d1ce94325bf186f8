/**
 * Whether two principals are two people, as far as a home can tell. Pure.
 *
 * How to think: an id says who is meant, not who sits there. Whoever made an account or minted one of its tokens can act
 * as it, so behind each principal there are *hands*: itself, its maker, whoever minted its tokens, and theirs in turn.
 * Two principals count as two people only where no hand is behind both. The home's own principal is the exception, since
 * every account begins with it: what it makes is in its hand for a waiting time, in which everybody can see it in the log
 * and disable it, and after that no more.
 *
 * Invariants (two-people.test.ts)
 * - Symmetrical: it does not matter who asks and who approves.
 * - No chain of accounts and tokens, however long, leads from one person to two.
 * - What cannot be followed to its end is no second person.
 */
import { err, failure, isoFromMicros, micros, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import { ROOT } from "@rumi/operations";

/** A day: long enough for somebody to see in the log whom the home's own principal has made. */
export const SECOND_PERSON_WAIT_SECONDS = 86_400;
export const TWO_PEOPLE_LIMITS = {
  /** Hands behind two principals that are followed. */
  hands: 1_024,
} as const;

/** That `by` made the account of `subject_id`, or minted a token for it, the last time at `at`. */
export type Origin = { readonly subject_id: string; readonly by: string; readonly at: number };
/** By subject. */
export type Origins = ReadonlyMap<string, readonly Origin[]>;

type Hands = {
  readonly all: ReadonlySet<string>;
  /** When the home's own principal stops being among them; 0 where it is not, Infinity where it is itself. */
  readonly root_until: number;
};

export function judgeTwoPeople(
  [one, other]: readonly [string, string],
  origins: Origins,
  now: Micros,
  wait_seconds: number,
): Result<null, Failure> {
  const [left, right] = [handsBehind(one, origins, now, wait_seconds), handsBehind(other, origins, now, wait_seconds)];
  const about = { principal: other, requester: one };
  if (left.all.size + right.all.size > TWO_PEOPLE_LIMITS.hands) return sameHand(about, "too many to be followed");
  const [shared] = [...left.all].filter((hand) => hand !== ROOT.id && right.all.has(hand));
  if (shared !== undefined) return sameHand(about, shared);
  const until = Math.min(left.root_until, right.root_until);
  if (until === Number.POSITIVE_INFINITY) return sameHand(about, ROOT.id);
  return until <= now
    ? ok(null)
    : err(
        failure(
          "RUMI-AUTH-015",
          { ...about, until: isoFromMicros(micros(until)) },
          { reasonCode: "SECOND_PERSON_TOO_NEW" },
        ),
      );
}

const sameHand = (about: { readonly principal: string; readonly requester: string }, hand: string) =>
  err(failure("RUMI-AUTH-014", { ...about, hand }, { reasonCode: "SECOND_PERSON_SAME_HAND" }));

function handsBehind(subject_id: string, origins: Origins, now: Micros, wait_seconds: number): Hands {
  const all = new Set([subject_id]);
  let root_until = subject_id === ROOT.id ? Number.POSITIVE_INFINITY : 0;
  // A set is walked in the order of insertion, also over what is added meanwhile.
  for (const hand of all)
    for (const { by, at } of origins.get(hand) ?? []) {
      if (by === hand) continue;
      if (by !== ROOT.id) all.add(by);
      else root_until = Math.max(root_until, at + wait_seconds * 1_000_000);
    }
  return { all, root_until: root_until > now ? root_until : 0 };
}
