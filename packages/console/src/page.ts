/** Which page is shown: it stands in the address's fragment, so that it survives a reload and can be linked. */
import { useSyncExternalStore } from "react";
import { BOT_STATES, type BotState } from "./answers/answers.ts";

export type Page =
  | { readonly kind: "overview" }
  | { readonly kind: "bots"; readonly bot: string | null; readonly state?: BotState }
  | { readonly kind: "controls" | "bulk" | "people" | "audit" | "settings" }
  /** With an id: that challenge or change is open. */
  | { readonly kind: "approvals"; readonly id: string | null }
  | { readonly kind: "trace"; readonly id: string }
  | { readonly kind: "runs"; readonly id: number | null }
  | { readonly kind: "packs"; readonly name: string | null }
  | { readonly kind: "flows"; readonly name: string | null; readonly run: string | null };

export function pageOf(fragment: string): Page {
  const [word = "", name = "", part = ""] = fragment.replace(/^#?\/?/, "").split("/");
  switch (word) {
    case "approvals":
      return { kind: word, id: named(name) };
    case "controls":
    case "bulk":
    case "people":
    case "audit":
    case "settings":
      return { kind: word };
    case "trace":
      return { kind: "trace", id: decoded(name) };
    case "runs":
      return { kind: "runs", id: /^[1-9]\d{0,9}$/.test(name) ? Number(name) : null };
    case "packs":
      return { kind: "packs", name: named(name) };
    case "flows":
      return { kind: "flows", name: named(name), run: name === "" ? null : named(part) };
    case "bots":
      return botsPage(name);
    default:
      return { kind: "overview" };
  }
}

/** States are written in capitals and bots never are, so one place in the address can name either. */
function botsPage(name: string): Page {
  const state = BOT_STATES.find((one) => one === name);
  if (state !== undefined) return { kind: "bots", bot: null, state };
  return { kind: "bots", bot: name === "" ? null : decoded(name) };
}

export function hrefOf(page: Page): string {
  switch (page.kind) {
    case "overview":
      return "#/";
    case "bots":
      return page.bot !== null
        ? `#/bots/${encodeURIComponent(page.bot)}`
        : page.state === undefined
          ? "#/bots"
          : `#/bots/${page.state}`;
    case "runs":
      return page.id === null ? "#/runs" : `#/runs/${page.id}`;
    case "approvals":
      return page.id === null ? "#/approvals" : `#/approvals/${encodeURIComponent(page.id)}`;
    case "packs":
      return page.name === null ? "#/packs" : `#/packs/${encodeURIComponent(page.name)}`;
    case "flows":
      return `#/flows${[page.name, page.run].map((one) => (one === null ? "" : `/${encodeURIComponent(one)}`)).join("")}`;
    case "trace":
      return `#/trace/${encodeURIComponent(page.id)}`;
    default:
      return `#/${page.kind}`;
  }
}

export function usePage(): Page {
  return pageOf(useSyncExternalStore(subscribe, () => window.location.hash));
}

export function goTo(page: Page): void {
  window.location.hash = hrefOf(page);
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}

const named = (name: string): string | null => (name === "" ? null : decoded(name));

/** What somebody typed into the address may be anything. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
