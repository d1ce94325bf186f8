/**
 * Takes secrets out of texts before they leave the machine: those that are known (keys of the home, the token,
 * credentials of the environment, texts of bots' configurations), whatever calls itself one, and whatever has the form
 * of one wherever it stands.
 */
import { formsOf } from "@rumi/kernel";

const CREDENTIAL_NAME = /secret|token|passw|api_?key|private_?key|credential|authori[sz]ation/i;
const NAMED =
  /([\w-]*(?:secret|token|passw(?:or)?d|api[_-]?key|private[_-]?key|credential|authorization)[\w-]*\\?["']?\s*[:=]\s*\\?)(["']?)(?!null\b|\[)[^\s"',;)}\]\\]{4,}/gi;
/** Private keys, our own tokens and bearers, keys of clouds and forges, signed tokens, a password within an address. */
const FORMS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, "[redacted]"],
  [/\brumi_[a-z]+_[\w-]{20,}(?:\.[\w-]{20,})?/g, "[redacted]"],
  [/\bBearer +[\x21-\x7e]{8,}/gi, "Bearer [redacted]"],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, "[redacted]"],
  [/\b(?:gh[opsur]|github_pat|glpat|xox[abeprs]|sk|rk|pk)[_-][A-Za-z0-9_-]{16,}/g, "[redacted]"],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/g, "[redacted]"],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*):[^\s/@"']+@/gi, "$1:[redacted]@"],
];
export type Redactor = (text: string) => string;

export function redactor(known: readonly string[]): Redactor {
  const sorted = [...new Set(known.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  return (text) => {
    let clean = text;
    for (const secret of sorted) clean = clean.replaceAll(secret, "[redacted]");
    for (const [form, instead] of FORMS) clean = clean.replaceAll(form, instead);
    return clean.replaceAll(NAMED, "$1$2[redacted]");
  };
}

/** Values of the environment that bear the name of a credential. */
export function environmentSecrets(environment: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value !== undefined && CREDENTIAL_NAME.test(name) ? [value] : [],
  );
}

/** Every text within a configuration that is more than a number or a short word. */
export function textsWithin(value: unknown): readonly string[] {
  if (typeof value === "string") return value.length >= 8 && !/^[\d.-]+$/.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsWithin) : [];
}

/** A configuration with the names and numbers, without its texts. */
export function withheld(value: unknown): unknown {
  if (typeof value === "string") return `[withheld: ${value.length} characters]`;
  if (Array.isArray(value)) return value.map(withheld);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withheld(item)]));
}
