/** Parts of a dry run that are known by name, read strictly; null for what has another form, which is then laid out as it is. */
import { list, nullable, object, oneOf, optional, ShapeError, text, type Of, type Shape } from "../../answers/shape.ts";

const move = object({ from: text, to: text });

const preflight = object({
  items: list(
    object({
      item: text,
      state: oneOf("PASS", "FAIL", "NOTE", "OVERRIDDEN"),
      error_code: nullable(text),
      message: text,
      next: text,
    }),
  ),
});
export type Preflight = Of<typeof preflight>;

const pool = object({
  pool_id: text,
  size: optional(text),
  balance: text,
  allocated: text,
  free: text,
  state: text,
});

const fits =
  <T>(shape: Shape<T>) =>
  (value: unknown): T | null => {
    try {
      return shape(value, "told");
    } catch (problem) {
      if (problem instanceof ShapeError) return null;
      throw problem;
    }
  };

export const moveIn = fits(move);
export const preflightIn = fits(preflight);
const poolAsTold = fits(pool);

export function poolIn(value: unknown) {
  const told = poolAsTold(value);
  if (told === null) return null;
  const { pool_id, size, balance, allocated, free, state } = told;
  return { isShort: state === "short", values: { pool: pool_id, allocated, free, size: size ?? balance } } as const;
}
