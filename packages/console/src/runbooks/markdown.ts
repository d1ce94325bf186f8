/**
 * The little Markdown that the runbooks are written in, as data: headings, paragraphs, lists, tables, code. Pure.
 *
 * What it does not know stays readable text. Nothing is ever made into HTML by hand: views/runbook-link.tsx turns the
 * data into elements.
 */
export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };

export type Span = { readonly kind: "text" | "code" | "strong"; readonly text: string };

export function blocksOf(markdown: string): readonly Block[] {
  const lines = markdown.split("\n");
  const blocks: Block[] = [];
  let at = 0;
  const takeWhile = (fits: (line: string) => boolean): readonly string[] => {
    const from = at;
    while (at < lines.length && fits(lines[at] ?? "")) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const heading = /^(#{1,6}) (.*)$/.exec(line);
    if (line.trim() === "") at += 1;
    else if (heading !== null) {
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" });
      at += 1;
    } else if (line.startsWith("```")) {
      at += 1;
      blocks.push({ kind: "code", text: takeWhile((one) => !one.startsWith("```")).join("\n") });
      at += 1;
    } else if (line.startsWith("|")) blocks.push(tableOf(takeWhile((one) => one.startsWith("|"))));
    else if (isItem(line)) blocks.push({ kind: "list", items: itemsOf(takeWhile((one) => one.trim() !== "")) });
    else blocks.push({ kind: "paragraph", text: takeWhile((one) => one.trim() !== "" && !isItem(one)).join(" ") });
  }
  return blocks;
}

/** `code`, **strong**, and links as their words. */
export function spansOf(text: string): readonly Span[] {
  const spans: Span[] = [];
  const pattern = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)/g;
  let from = 0;
  for (const found of text.matchAll(pattern)) {
    if (found.index > from) spans.push({ kind: "text", text: text.slice(from, found.index) });
    const [whole, code, strong, link] = found;
    if (code !== undefined) spans.push({ kind: "code", text: code });
    else if (strong !== undefined) spans.push({ kind: "strong", text: strong });
    else spans.push({ kind: "text", text: link ?? whole });
    from = found.index + whole.length;
  }
  if (from < text.length) spans.push({ kind: "text", text: text.slice(from) });
  return spans;
}

const isItem = (line: string): boolean => /^(- |\d+\. )/.test(line);

function itemsOf(lines: readonly string[]): readonly string[] {
  const items: string[] = [];
  for (const line of lines) {
    if (isItem(line)) items.push(line.replace(/^(- |\d+\. )/, ""));
    else items.push(`${items.pop() ?? ""} ${line.trim()}`.trim());
  }
  return items;
}

function tableOf(lines: readonly string[]): Block {
  const [head = [], , ...rows] = lines.map((line) =>
    line
      .replace(/^\||\|\s*$/g, "")
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("\\|", "|")),
  );
  return { kind: "table", head, rows };
}
