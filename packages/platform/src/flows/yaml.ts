/**
 * Reads YAML that nobody trusts as plain JSON: within limits, without aliases, tags or repeated keys.
 *
 * Invariants (model.test.ts "YAML that nobody trusts"): nothing is expanded, so no text becomes larger than it is; nesting is bounded before anything
 * recursive sees the text; the words yes, no, on and off stay texts, and whoever wrote them is warned.
 */
import { err, ok, type Json, type Result } from "@rumi/kernel";
import { isAlias, isMap, isPair, isScalar, isSeq, Lexer, parseDocument, Scalar, type Node } from "yaml";
import { FLOW_LIMITS } from "./limits.ts";

export type ReadYaml = { readonly value: Json; readonly warnings: readonly string[] };

/** The problem is a text for the person who wrote the file. */
export function readYaml(text: string): Result<ReadYaml, string> {
  if (Buffer.byteLength(text) > FLOW_LIMITS.file_bytes) return err(`it is larger than ${FLOW_LIMITS.file_bytes} bytes`);
  const deep = tooDeep(text);
  if (deep !== undefined) return err(deep);
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    strict: true,
    uniqueKeys: true,
    merge: false,
  });
  const [first] = document.errors;
  if (first !== undefined) return err(firstLine(first.message));
  const reading: Reading = { nodes: 0, warnings: document.warnings.map(({ message }) => firstLine(message)) };
  try {
    const value = plain(document.contents, 1, reading);
    return ok({ value, warnings: reading.warnings });
  } catch (problem) {
    if (problem instanceof YamlProblem) return err(problem.message);
    throw problem;
  }
}

/** The composer recurses, so what would take it too deep is found in the tokens before: brackets, and dashes of one line. */
function tooDeep(text: string): string | undefined {
  let brackets = 0;
  let inLine = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === "[" || token === "{") brackets += 1;
    else if (token === "]" || token === "}") brackets -= 1;
    else if (token === "-" || token === "?") inLine += 1;
    else if (token.includes("\n")) inLine = 0;
    if (brackets > FLOW_LIMITS.yaml_depth || inLine > FLOW_LIMITS.yaml_depth) return DEPTH;
  }
  return undefined;
}

const DEPTH = `it is nested more than ${FLOW_LIMITS.yaml_depth} deep`;
const OLD_BOOLEANS = /^(yes|no|on|off)$/i;

type Reading = { nodes: number; readonly warnings: string[] };
class YamlProblem extends Error {}

function plain(node: unknown, depth: number, reading: Reading): Json {
  reading.nodes += 1;
  if (reading.nodes > FLOW_LIMITS.yaml_nodes) throw new YamlProblem(`it has more than ${FLOW_LIMITS.yaml_nodes} nodes`);
  if (depth > FLOW_LIMITS.yaml_depth) throw new YamlProblem(DEPTH);
  if (node === null || node === undefined) return null;
  if (isAlias(node)) throw new YamlProblem(`it has the alias *${node.source}; aliases are not taken`);
  const { tag, anchor } = node as Node & { readonly anchor?: string };
  if (anchor !== undefined) throw new YamlProblem(`it has the anchor &${anchor}; anchors are not taken`);
  if (isScalar(node)) return scalar(node, reading);
  if (tag !== undefined) throw new YamlProblem(`it has the tag ${tag}; tags are not taken`);
  if (isSeq(node)) return node.items.map((item) => plain(item, depth + 1, reading));
  if (!isMap(node)) throw new YamlProblem("it has a node that is no value, list or mapping");
  const entries = node.items.map((item): readonly [string, Json] => {
    if (!isPair(item) || !isScalar(item.key) || typeof item.key.value !== "string")
      throw new YamlProblem("a key of it is no text; quote it");
    scalar(item.key, reading);
    if (item.key.value === "__proto__") throw new YamlProblem("a key of it is __proto__");
    return [item.key.value, plain(item.value, depth + 1, reading)];
  });
  return Object.fromEntries(entries);
}

function scalar({ value, tag, anchor, type, source }: Scalar, reading: Reading): Json {
  if (anchor !== undefined) throw new YamlProblem(`it has the anchor &${anchor}; anchors are not taken`);
  if (tag !== undefined) throw new YamlProblem(`it has the tag ${tag}; tags are not taken`);
  if (typeof value === "string") {
    if (type === Scalar.PLAIN && OLD_BOOLEANS.test(value))
      reading.warnings.push(`the word ${value} is a text, not true or false; quote it, or write true or false`);
    if (!value.isWellFormed()) throw new YamlProblem("a text of it has half of a surrogate pair");
    return value;
  }
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)))
    return value;
  throw new YamlProblem(`the number ${source ?? ""} cannot be held exactly`);
}

function firstLine(text: string): string {
  return (text.split("\n")[0] ?? "").slice(0, 300);
}
