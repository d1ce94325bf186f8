/** The runbooks as they were when this page was built; a part of the bundle of its own, loaded when one is opened. */
const PAGES: Readonly<Record<string, string>> = import.meta.glob("../../../../docs/runbooks/**/*.md", {
  query: "?raw",
  import: "default",
  eager: true,
});

/** `page` as the API names it: `docs/runbooks/gates.md`. */
export function runbookText(page: string): string | undefined {
  return Object.entries(PAGES).find(([path]) => path.endsWith(`/${page}`))?.[1];
}

/** Every page by the name that the API gives it. */
export function runbookPages(): readonly (readonly [page: string, text: string])[] {
  return Object.entries(PAGES).map(([path, text]) => [path.slice(path.indexOf("docs/runbooks/")), text]);
}
