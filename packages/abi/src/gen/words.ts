/** Names as each language spells them. */
import { ENUMS, type EnumName } from "../schema.ts";

export const camel = (name: string): string =>
  name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
export const pascal = (name: string): string => camel(`_${name}`);

export const GENERATED = (comment: string): string =>
  `${comment} Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.`;

/** Smallest and largest number of a word list, which has no holes. */
export function wordRange(name: EnumName): readonly [number, number] {
  const numbers = Object.values(ENUMS[name]).sort((a, b) => a - b);
  const low = numbers[0] ?? 0;
  if (numbers.some((value, index) => value !== low + index)) throw new Error(`${name} has a hole`);
  return [low, low + numbers.length - 1];
}
