/** What one entry of the error catalogue says. */
export type ErrorEntry = {
  /** Stable word for programs and translations, dotted snake_case. */
  readonly key: string;
  /** The HTTP status; the CLI maps it to its exit codes. */
  readonly status: number;
  /** Whose fault it is. */
  readonly fault: "caller" | "operator" | "system" | "strategy" | "venue";
  /** Whether the same request may succeed later: never, after somebody mends something, or simply later. */
  readonly retry: "never" | "after_fix" | "later";
  /** Texts with `{name}` where a parameter goes. `next` is the next step for the person who reads it. */
  readonly en: { readonly text: string; readonly next: string };
  readonly ja: { readonly text: string; readonly next: string };
};

export type ErrorTable<Code extends string> = { readonly [code in Code]: ErrorEntry };
