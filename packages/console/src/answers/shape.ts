/**
 * Reads JSON of unknown shape into types: what does not fit is an error that names the place, never an undefined
 * that surfaces three components later.
 *
 * Answers of the API may gain members (docs/formats/api.md), so unknown ones are let through and left out.
 */
export class ShapeError extends Error {
  readonly path: string;
  constructor(path: string, expected: string) {
    super(`${path}: expected ${expected}`);
    this.path = path;
  }
}

export type Shape<T> = (value: unknown, path: string) => T;
export type Of<S> = S extends Shape<infer T> ? T : never;
type Fields = Readonly<Record<string, Shape<unknown>>>;
type Read<F extends Fields> = { readonly [K in keyof F]: ReturnType<F[K]> };

export const text: Shape<string> = (value, path) => {
  if (typeof value !== "string") throw new ShapeError(path, "a text");
  return value;
};

export const integer: Shape<number> = (value, path) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new ShapeError(path, "an integer");
  return value;
};

export const number: Shape<number> = (value, path) => {
  if (typeof value !== "number") throw new ShapeError(path, "a number");
  return value;
};

export const flag: Shape<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new ShapeError(path, "true or false");
  return value;
};

/** A decimal number as text: `-12.50`. */
export const decimal: Shape<string> = (value, path) => {
  if (typeof value !== "string" || !/^-?\d+(\.\d+)?$/.test(value)) throw new ShapeError(path, "a decimal text");
  return value;
};

export const anything: Shape<unknown> = (value) => value;

export const nullable =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, path) =>
    value === null ? null : shape(value, path);

/** Absent reads as null. */
export const optional =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, path) =>
    value === undefined || value === null ? null : shape(value, path);

export const oneOf =
  <const W extends readonly string[]>(...words: W): Shape<W[number]> =>
  (value, path) => {
    const found = words.find((word) => word === value);
    if (found === undefined) throw new ShapeError(path, `one of ${words.join(", ")}`);
    return found;
  };

export const list =
  <T>(shape: Shape<T>): Shape<readonly T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new ShapeError(path, "a list");
    return value.map((item: unknown, at) => shape(item, `${path}[${at}]`));
  };

export const mapOf =
  <T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> =>
  (value, path) =>
    Object.fromEntries(
      Object.entries(record(value, path)).map(([name, item]) => [name, shape(item, `${path}.${name}`)]),
    );

export const object =
  <F extends Fields>(fields: F): Shape<Read<F>> =>
  (value, path) => {
    const given = record(value, path);
    const entries = Object.entries(fields).map(
      ([name, shape]) => [name, shape(given[name], `${path}.${name}`)] as const,
    );
    return Object.fromEntries(entries) as Read<F>;
  };

export function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new ShapeError(path, "an object");
  return value as Readonly<Record<string, unknown>>;
}
