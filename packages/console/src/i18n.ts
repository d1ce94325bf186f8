/** The console speaks English and Japanese; the words are in words/. */
import { EN, type Word } from "./words/en.ts";
import { JA } from "./words/ja.ts";

export type { Word } from "./words/en.ts";

export type Language = "en" | "ja";

export type Translate = (word: Word, values?: Readonly<Record<string, string | number>>) => string;

export function translator(language: Language): Translate {
  const table = wordsOf(language);
  return (word, values = {}) =>
    table[word].replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

export function wordsOf(language: Language): Readonly<Record<Word, string>> {
  return language === "ja" ? JA : EN;
}

export function firstLanguage(): Language {
  const kept = localStorage.getItem("rumi.language");
  if (kept === "en" || kept === "ja") return kept;
  return navigator.language.startsWith("ja") ? "ja" : "en";
}
