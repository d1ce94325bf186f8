/** Which page is shown: it stands in the address's fragment, so that it survives a reload and can be linked. */
import { useSyncExternalStore } from "react";

export type Page =
  | { readonly kind: "home"; readonly bot: string | null }
  | { readonly kind: "controls" | "approvals" | "bulk" | "people" }
  | { readonly kind: "trace"; readonly id: string }
  | { readonly kind: "runs"; readonly id: number | null };

export function pageOf(fragment: string): Page {
  const [word = "", name = ""] = fragment.replace(/^#?\/?/, "").split("/");
  switch (word) {
    case "controls":
    case "approvals":
    case "bulk":
    case "people":
      return { kind: word };
    case "trace":
      return { kind: "trace", id: decoded(name) };
    case "runs":
      return { kind: "runs", id: /^[1-9]\d{0,9}$/.test(name) ? Number(name) : null };
    case "bots":
      return { kind: "home", bot: name === "" ? null : decoded(name) };
    default:
      return { kind: "home", bot: null };
  }
}

export function hrefOf(page: Page): string {
  switch (page.kind) {
    case "home":
      return page.bot === null ? "#/" : `#/bots/${encodeURIComponent(page.bot)}`;
    case "runs":
      return page.id === null ? "#/runs" : `#/runs/${page.id}`;
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

/** What somebody typed into the address may be anything. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
