/**
 * Variables and conditions of flows. Pure; a condition is parsed when its flow is loaded.
 *
 * `${ctx.a.b}` and `$ctx.a.b` name a variable; what is missing is null. A text that is one reference and nothing else keeps
 * the variable's type; inside a longer text it is written out, null as nothing, lists and objects as JSON. A condition is
 * one operand, or two with `== != >= <= > <` between them; an operand is a reference or a literal.
 *
 * Invariants (model.test.ts "variables and conditions"): nothing is coerced, so values of two kinds are neither equal nor in an order; members
 * that an object inherits are no variables.
 */
import { canonicalJson, err, ok, type Json, type JsonObject, type Result } from "@rumi/kernel";

export type Variables = JsonObject;

const NAME = String.raw`[A-Za-z0-9_-]+`;
const SHORT = String.raw`[A-Za-z0-9_]+`;
const REFERENCE = new RegExp(String.raw`\$\{ctx((?:\.${NAME})+)\}|\$ctx((?:\.${SHORT})+)`, "g");
const WHOLE = new RegExp(String.raw`^(?:\$\{ctx((?:\.${NAME})+)\}|\$ctx((?:\.${SHORT})+))$`);

/** `value` with every reference in it replaced; undefined where that would be more than `most` characters. */
export function resolved(value: Json, ctx: Variables, most: number): Json | undefined {
  if (typeof value === "string") return resolvedText(value, ctx, most);
  if (typeof value !== "object" || value === null) return value;
  let left = most;
  const members: (readonly [string, Json])[] = [];
  for (const [name, member] of Object.entries(value)) {
    const made = resolved(member, ctx, left);
    if (made === undefined) return undefined;
    left -= sizeOf(made, left);
    if (left < 0) return undefined;
    members.push([name, made]);
  }
  return Array.isArray(value) ? members.map(([, member]) => member) : Object.fromEntries(members);
}

function resolvedText(text: string, ctx: Variables, most: number): Json | undefined {
  if (!text.includes("$")) return text;
  const whole = WHOLE.exec(text);
  if (whole !== null) return variable(ctx, pathOf(whole));
  const parts: string[] = [];
  let [from, length] = [0, 0];
  for (const match of text.matchAll(REFERENCE)) {
    const part = text.slice(from, match.index) + written(variable(ctx, pathOf(match)));
    length += part.length;
    if (length > most) return undefined;
    parts.push(part);
    from = match.index + match[0].length;
  }
  return parts.join("") + text.slice(from);
}

/** Bytes of a value as JSON, nearly; Infinity as soon as it is more than `most`, however often it holds one thing. */
export function sizeOf(value: Json, most: number): number {
  if (typeof value === "string") return Buffer.byteLength(value) + 2;
  if (typeof value !== "object" || value === null) return 5;
  let size = 2;
  for (const [name, member] of Object.entries(value)) {
    size += (Array.isArray(value) ? 1 : name.length + 4) + sizeOf(member, most - size);
    if (size > most) return Infinity;
  }
  return size;
}

const pathOf = (match: readonly (string | undefined)[]): readonly string[] =>
  (match[1] ?? match[2] ?? "").slice(1).split(".");

function variable(ctx: Variables, path: readonly string[]): Json {
  let at: Json = ctx;
  for (const name of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return null;
    if (Array.isArray(at) && !/^\d+$/.test(name)) return null;
    at = (at as JsonObject)[name] ?? null;
  }
  return at;
}

function written(value: Json): string {
  if (value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

export const OPERATORS = ["==", "!=", ">=", "<=", ">", "<"] as const;
type Operator = (typeof OPERATORS)[number];
type Operand =
  | { readonly kind: "literal"; readonly value: Json }
  | { readonly kind: "reference"; readonly path: readonly string[] };
export type Condition =
  | { readonly kind: "truth"; readonly of: Operand }
  | { readonly kind: "compare"; readonly left: Operand; readonly operator: Operator; readonly right: Operand };

const OPERAND = String.raw`"(?:[^"\\]|\\.)*"|'[^']*'|\$\{ctx(?:\.${NAME})+\}|\$ctx(?:\.${SHORT})+|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null`;
const CONDITION = new RegExp(String.raw`^\s*(${OPERAND})\s*(?:(==|!=|>=|<=|>|<)\s*(${OPERAND})\s*)?$`);

/** The problem is a text for the person who wrote the flow. */
export function parseCondition(text: Json): Result<Condition, string> {
  if (typeof text === "boolean") return ok({ kind: "truth", of: { kind: "literal", value: text } });
  const match = typeof text === "string" && text.length <= 2_048 ? CONDITION.exec(text) : null;
  if (match === null)
    return err(
      `it is no condition; write a reference, or two operands with one of ${OPERATORS.join(" ")} between them, texts in quotes`,
    );
  const [, first, operator, second] = match;
  const left = operandOf(first ?? "");
  const right = second === undefined ? undefined : operandOf(second);
  if (left === undefined || (second !== undefined && right === undefined)) return err("a text of it cannot be read");
  if (operator === undefined || right === undefined) return ok({ kind: "truth", of: left });
  return ok({ kind: "compare", left, operator: operator as Operator, right });
}

function operandOf(text: string): Operand | undefined {
  const whole = WHOLE.exec(text);
  if (whole !== null) return { kind: "reference", path: pathOf(whole) };
  if (text.startsWith("'")) return { kind: "literal", value: text.slice(1, -1) };
  try {
    return { kind: "literal", value: JSON.parse(text) as Json };
  } catch {
    return undefined; // an escape that JSON does not know
  }
}

export function holds(condition: Condition, ctx: Variables): boolean {
  const valueOf = (of: Operand): Json => (of.kind === "literal" ? of.value : variable(ctx, of.path));
  if (condition.kind === "truth") return isTrue(valueOf(condition.of));
  const [left, right] = [valueOf(condition.left), valueOf(condition.right)];
  switch (condition.operator) {
    case "==":
      return isSame(left, right);
    case "!=":
      return !isSame(left, right);
    case ">=":
      return order(left, right) >= 0;
    case "<=":
      return order(left, right) <= 0;
    case ">":
      return order(left, right) > 0;
    case "<":
      return order(left, right) < 0;
  }
}

/** Nothing, zero, false, and what is empty are not true. */
function isTrue(value: Json): boolean {
  if (typeof value === "object" && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function isSame(left: Json, right: Json): boolean {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return left === right;
  return canonicalJson(left) === canonicalJson(right);
}

/** Of two numbers or two texts; NaN, which is in no order, for whatever else. */
function order(left: Json, right: Json): number {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left !== "string" || typeof right !== "string") return Number.NaN;
  return left === right ? 0 : left < right ? -1 : 1;
}
