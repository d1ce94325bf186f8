/**
 * One instance's kill switch as one number in shared memory, where the thread that would emit reads it itself.
 *
 * How to think: like the lease's deadline beside it, the word needs no message to work. From the moment it is stored,
 * nothing passes that was not asked again; the message that follows only wakes who sleeps and brings back the evidence.
 * 0 is the word of a slot that nobody was told anything about.
 */
import { KILL_LEVELS, KILL_SCOPES, type KillLevel, type KillScope } from "./rules.ts";

export type KillWord = {
  readonly level: KillLevel;
  /** Of the rule that holds; null where none does. */
  readonly scope: KillScope | null;
  readonly generation: number;
};
export const UNTOLD: KillWord = { level: "ALLOW", scope: null, generation: 0 };

const LEVELS = BigInt(KILL_LEVELS.length);
const SCOPES = BigInt(KILL_SCOPES.length + 1);

export function packKillWord({ level, scope, generation }: KillWord): bigint {
  const place = scope === null ? 0 : KILL_SCOPES.indexOf(scope) + 1;
  return (BigInt(generation) * SCOPES + BigInt(place)) * LEVELS + BigInt(KILL_LEVELS.indexOf(level));
}

export function unpackKillWord(word: bigint): KillWord {
  const rest = word / LEVELS;
  return {
    level: KILL_LEVELS[Number(word % LEVELS)] ?? "BLOCK",
    scope: KILL_SCOPES[Number(rest % SCOPES) - 1] ?? null,
    generation: Number(rest / SCOPES),
  };
}
