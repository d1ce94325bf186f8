/** What setting up or recovering did, one step each; a step that was done already is no failure, so everything can be run twice. */
export type Step = {
  readonly name: string;
  readonly state: "done" | "already" | "skipped" | "failed";
  readonly fact: string;
  readonly next: string | null;
};

export const done = (name: string, fact: string): Step => ({ name, state: "done", fact, next: null });
export const already = (name: string, fact: string): Step => ({ name, state: "already", fact, next: null });
export const skipped = (name: string, fact: string, next: string | null = null): Step => ({
  name,
  state: "skipped",
  fact,
  next,
});
export const failed = (name: string, fact: string, next: string): Step => ({ name, state: "failed", fact, next });
