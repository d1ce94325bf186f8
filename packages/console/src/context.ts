/** What every part of the page shares, so that no component passes it on by hand. */
import { createContext, useContext } from "react";
import type { Api } from "./api.ts";
import type { Language, Translate } from "./i18n.ts";
import type { LiveState } from "./live/stream.ts";
import type { Listen } from "./live/tap.ts";
import type { LogVerifier } from "./verify/log-verifier.ts";

export type ConsoleContext = {
  readonly api: Api;
  readonly t: Translate;
  readonly language: Language;
  readonly live: LiveState;
  /** Every event of the stream, as it comes. */
  readonly listen: Listen;
  readonly log: LogVerifier;
};

export const Shared = createContext<ConsoleContext | null>(null);

export function useConsole(): ConsoleContext {
  const shared = useContext(Shared);
  if (shared === null) throw new Error("outside the console");
  return shared;
}
