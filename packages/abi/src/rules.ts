/** Small strict rules over JSON: a rule answers the first offence with the path of its field, or nothing. */
export type Offence = {
  readonly path: string;
  readonly kind: "missing" | "unknown" | "malformed";
  readonly problem: string;
};
export type Rule = (value: unknown, path: string) => Offence | undefined;

const malformed = (path: string, problem: string): Offence => ({ path, kind: "malformed", problem });

export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A closed object; `optional` names may be absent. */
export function closed(fields: Readonly<Record<string, Rule>>, optional: readonly string[] = []): Rule {
  return (value, path) => {
    if (!isPlainObject(value)) return malformed(path, "must be an object");
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
    const unknown = Object.keys(value).find((name) => !Object.hasOwn(fields, name));
    if (unknown !== undefined) return { path: at(unknown), kind: "unknown", problem: "is not a known field" };
    for (const [name, rule] of Object.entries(fields)) {
      if (!Object.hasOwn(value, name)) {
        if (optional.includes(name)) continue;
        return { path: at(name), kind: "missing", problem: "is missing" };
      }
      const offence = rule(value[name], at(name));
      if (offence !== undefined) return offence;
    }
    return undefined;
  };
}

export function text(pattern: string, problem: string): Rule {
  const form = new RegExp(pattern);
  return (value, path) => (typeof value === "string" && form.test(value) ? undefined : malformed(path, problem));
}

export function oneOf(...words: readonly (string | number)[]): Rule {
  return (value, path) =>
    (typeof value === "string" || typeof value === "number") && words.includes(value)
      ? undefined
      : malformed(path, `must be one of ${words.join(", ")}`);
}

export function whole(low: number, high: number): Rule {
  return (value, path) =>
    Number.isSafeInteger(value) && Number(value) >= low && Number(value) <= high
      ? undefined
      : malformed(path, `must be a whole number from ${low} to ${high}`);
}

/** 0 < value ≤ high. */
export function share(high: number): Rule {
  return (value, path) =>
    typeof value === "number" && value > 0 && value <= high
      ? undefined
      : malformed(path, `must be above 0 and at most ${high}`);
}

/** A list without repetition. */
export function listOf(rule: Rule, least: number, most: number): Rule {
  return (value, path) => {
    if (!Array.isArray(value)) return malformed(path, "must be a list");
    if (value.length < least || value.length > most) return malformed(path, `must hold ${least} to ${most} entries`);
    if (new Set(value).size !== value.length) return malformed(path, "repeats an entry");
    for (const [index, item] of value.entries()) {
      const offence = rule(item, `${path}[${index}]`);
      if (offence !== undefined) return offence;
    }
    return undefined;
  };
}

export function boolean(value: unknown, path: string): Offence | undefined {
  return typeof value === "boolean" ? undefined : malformed(path, "must be true or false");
}

export function mapOf(name: string, rule: Rule, most: number): Rule {
  const form = new RegExp(name);
  return (value, path) => {
    if (!isPlainObject(value)) return malformed(path, "must be an object");
    const entries = Object.entries(value);
    if (entries.length > most) return malformed(path, `must hold at most ${most} fields`);
    for (const [key, item] of entries) {
      if (!form.test(key)) return malformed(`${path}.${key}`, `its name must match ${name}`);
      const offence = rule(item, `${path}.${key}`);
      if (offence !== undefined) return offence;
    }
    return undefined;
  };
}
