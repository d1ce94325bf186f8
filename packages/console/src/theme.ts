/** Dark or light: as the system says, or as was chosen here; the choice stays in this browser. */
export const THEMES = ["system", "dark", "light"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "rumi.theme";

export function keptTheme(): Theme {
  const kept = localStorage.getItem(KEY);
  return THEMES.find((one) => one === kept) ?? "system";
}

/** Puts it on the page before anything is drawn. */
export function showTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}

export function keepTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  showTheme(theme);
}

/** Whatever makes the colours others: the system's scheme, or a choice. */
export function onColours(changed: () => void): () => void {
  const scheme = window.matchMedia("(prefers-color-scheme: light)");
  const watcher = new MutationObserver(changed);
  scheme.addEventListener("change", changed);
  watcher.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  return () => {
    scheme.removeEventListener("change", changed);
    watcher.disconnect();
  };
}

/** A colour of the style sheet as it is now; its variable alone names both schemes. */
export function colourOf(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
