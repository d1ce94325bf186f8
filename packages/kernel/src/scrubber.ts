/**
 * Takes known secrets out of whatever is written, told or sent: logs, answers, audit events, live changes, bundles.
 *
 * How to think: one scrubber per program. It is told every stored secret at the start and each new one before it is stored;
 * every sink passes its texts through it. In place of a value stands the key under which it is kept, where that fits, so that
 * a line stays readable and two values stay two. Structure is never touched: only texts within a value are, so what was JSON stays JSON.
 *
 * Invariants (scrubber.test.ts)
 * - A value is found as it is, within JSON, percent-encoded, in Base64, and line by line where it has long lines.
 * - No text grows by it, so what was within a limit stays there.
 * - What is shorter than `characters_min` is a word of everyday and is left; short plain hexadecimal must stand alone, or
 *   identifiers that happen to hold it would break.
 *
 * Left out on purpose: names of members, numbers, and forms that somebody makes on purpose to get past it.
 */
export const SCRUB_LIMITS = {
  /** A shorter value is not looked for. */
  characters_min: 6,
  /** Hexadecimal and digits below this length are only found where they stand alone. */
  plain_hex_characters: 12,
  /** Of a value of several lines those of at least this length are found by themselves. */
  line_characters: 16,
} as const;

export interface Scrubber {
  /** From now on `value` is shown nowhere; `name` stands for it. */
  know(name: string, value: string): void;
  readonly text: (text: string) => string;
  /** The same value with every text in it scrubbed; the very same one where nothing was found. */
  value<T>(value: T): T;
  /** Whether a known secret is in it. */
  isIn(text: string): boolean;
  /** Whatever is known, for those who strike it out under a word of their own. */
  values(): readonly string[];
}

/** Every form in which a value is looked for, longest first. */
export function formsOf(value: string): readonly string[] {
  // The armour of a key is everybody's.
  const lines = value
    .split(/\r?\n/)
    .filter((one) => one.length >= SCRUB_LIMITS.line_characters && !one.startsWith("-----"));
  const whole = [value, value.trim(), ...lines].filter((one) => one.trim().length >= SCRUB_LIMITS.characters_min);
  const forms = whole.flatMap((one) => {
    const bytes = Buffer.from(one, "utf8");
    return [
      one,
      JSON.stringify(one).slice(1, -1),
      encodeURIComponent(bytes.toString("utf8")),
      bytes.toString("base64").replace(/=+$/, ""),
      bytes.toString("base64url"),
    ];
  });
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}

export function createScrubber(): Scrubber {
  const named = new Map<string, { readonly label: string; readonly alone: RegExp | null }>();
  const values = new Set<string>();
  let ordered: readonly string[] = [];
  const text = (of: string): string => {
    let clean = of;
    for (const form of ordered) {
      if (!clean.includes(form)) continue;
      const { label, alone } = named.get(form) ?? { label: "[secret]", alone: null };
      clean = clean.replaceAll(alone ?? form, () => label);
    }
    return clean;
  };
  return {
    know: (name, value) => {
      if (values.has(value)) return;
      values.add(value);
      for (const form of formsOf(value))
        if (!named.has(form)) named.set(form, { label: labelOf(name, form.length), alone: standingAlone(form) });
      ordered = [...named.keys()].toSorted((a, b) => b.length - a.length);
    },
    text,
    value: (of) => (ordered.length === 0 ? of : mapTexts(of, text)),
    isIn: (of) => text(of) !== of,
    values: () => [...values],
  };
}

function labelOf(name: string, characters: number): string {
  const label = [`[secret ${name}]`, "[secret]"].find((one) => one.length <= characters);
  return label ?? "*".repeat(characters);
}

function standingAlone(form: string): RegExp | null {
  return form.length < SCRUB_LIMITS.plain_hex_characters && /^[0-9A-Fa-f-]+$/.test(form)
    ? new RegExp(`(?<![0-9A-Za-z])${form}(?![0-9A-Za-z])`, "g")
    : null;
}

/** Every text within a JSON value, made anew; what holds none that changes stays the very same object. */
export function mapTexts<T>(of: T, change: (text: string) => string): T {
  return mapped(of, change) as T;
}

function mapped(of: unknown, change: (text: string) => string): unknown {
  if (typeof of === "string") return change(of);
  if (typeof of !== "object" || of === null) return of;
  if (Array.isArray(of)) {
    const items = of.map((item) => mapped(item, change));
    return items.some((item, at) => item !== of[at]) ? items : of;
  }
  const prototype: unknown = Object.getPrototypeOf(of);
  if (prototype !== Object.prototype && prototype !== null) return of;
  const entries = Object.entries(of).map(([name, item]) => [name, mapped(item, change)] as const);
  const isSame = entries.every(([name, item]) => item === (of as Readonly<Record<string, unknown>>)[name]);
  return isSame ? of : Object.fromEntries(entries);
}

/** Knows nothing and leaves everything as it is. */
export const NO_SECRETS: Scrubber = Object.freeze({
  know: () => undefined,
  text: (text: string) => text,
  value: <T>(value: T) => value,
  isIn: () => false,
  values: () => [],
});
