/** Small draws from a stream. */
import { invariant, type Random } from "@rumi/kernel";

export const happens = (random: Random, probability: number): boolean => random.unit() < probability;

export const between = (random: Random, least: number, most: number): number =>
  least + Math.floor(random.unit() * (most - least + 1));

export function oneOf<T>(random: Random, choices: readonly T[]): T {
  const chosen = choices[random.below(choices.length)];
  invariant(chosen !== undefined, "there is something to choose from");
  return chosen;
}
