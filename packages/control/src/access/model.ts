/**
 * Who may read what beyond the right to ask (L-39). Pure.
 *
 * How to think: roles and policies say which question somebody may ask; this says which parts of the answers they get.
 * A strategy's configuration is what it knows about the market: whoever may command bots sees it, whoever only looks on
 * does not. What tells of money and of keys is shown to those who may ask, and that they were shown it is kept.
 *
 * Invariants (access.test.ts)
 * - A configuration reaches nobody who may not read it, by whichever question, in whichever depth of the answer.
 * - What is withheld is said to be withheld; nothing looks empty that is not.
 */
import type { Principal, Role } from "@rumi/operations";

export const DATA_CLASSES = {
  configuration: { roles: ["operator", "admin", "break_glass"], audited: [] },
  /** What was won and lost. */
  pnl: { roles: ["view_only", "operator", "admin", "break_glass"], audited: ["positions.list", "fills.list"] },
  /** Of which secrets there are: never the secrets. */
  secret_metadata: { roles: ["admin"], audited: ["tokens.list"] },
} as const satisfies Readonly<Record<string, { readonly roles: readonly Role[]; readonly audited: readonly string[] }>>;
export type DataClass = keyof typeof DATA_CLASSES;

/** One note for so long: a console that asks every second tells once that somebody looks. */
export const READ_WINDOW_US = 900_000_000;

export function mayRead({ roles }: Principal, data: DataClass): boolean {
  const entitled: readonly Role[] = DATA_CLASSES[data].roles;
  return roles.some((role) => entitled.includes(role));
}

/** The class whose reading by this query is kept. */
export function auditedClass(query: string): DataClass | undefined {
  const classes = Object.entries(DATA_CLASSES) as [DataClass, { readonly audited: readonly string[] }][];
  return classes.find(([, { audited }]) => audited.includes(query))?.[0];
}

/** Members that hold configuration wherever they stand; a diff keeps its fields and loses its values. */
const CONFIGURATION = ["config", "shard_config"];

/** The answer without configurations; each object that lost something names what. */
export function withoutConfiguration(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutConfiguration);
  if (!isObject(value)) return value;
  const withheld: string[] = [];
  const kept = Object.entries(value).map(([name, member]): [string, unknown] => {
    if (CONFIGURATION.includes(name) && isObject(member)) {
      withheld.push(name);
      return [name, {}];
    }
    if (name === "diff" && Array.isArray(member)) {
      withheld.push(name);
      return [name, member.map((one: unknown) => (isObject(one) ? { field: one["field"] ?? null } : null))];
    }
    return [name, withoutConfiguration(member)];
  });
  return Object.fromEntries(withheld.length === 0 ? kept : [...kept, ["withheld", withheld]]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
