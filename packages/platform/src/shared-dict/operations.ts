/** What an operator may do with the shared dictionary: propose, remove, clear, list, resolve. Each wish is a line of the journal. */
import { err, failure, isoFromMicros, ok, type Result } from "@rumi/kernel";
import {
  defineOperation,
  defineQuery,
  type DecideContext,
  type Declaration,
  type Decision,
  type RiskDirection,
} from "@rumi/operations";
import type { Reader, Store, Write } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import {
  DICT_RESULTS,
  NAMESPACE_PATTERN,
  proposed,
  resolve,
  SHARED_DICT_LIMITS,
  TOKEN_PATTERN,
  type DictAction,
  type DictEntry,
  type DictOutcome,
  type Meanings,
} from "./model.ts";
import { clearMeanings, insertMeaning, journalWrites, lastLine, readDict, removeMeaning } from "./tables.ts";

const closed = { additionalProperties: false } as const;
const OPEN = { additionalProperties: true } as const;
const READERS = ["view_only", "operator", "admin"] as const;
const NO_DANGER = () => ({ kind: "none" }) as const;
const Namespace = Type.String({ pattern: NAMESPACE_PATTERN });
const Token = Type.String({ pattern: TOKEN_PATTERN });
const Meaning = Type.String({ minLength: 1, maxLength: SHARED_DICT_LIMITS.value_characters });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const target = ({ namespace }: { readonly namespace: string }) => ({
  resource_type: "shared_dict",
  resource_id: namespace,
});

const EntriesAnswer = Type.Object(
  {
    entries: Type.Array(Type.Object({ namespace: Type.String(), token: Type.String(), value: Type.String() }, OPEN)),
    count: Type.Integer({ minimum: 0 }),
  },
  OPEN,
);
const ResolvedAnswer = Type.Object(
  {
    namespace: Type.String(),
    token: Type.String(),
    resolved: Type.Boolean(),
    value: Type.Union([Type.String(), Type.Null()]),
    path: Type.Array(Type.String()),
  },
  OPEN,
);
const OutcomeAnswer = Type.Object(
  {
    action: Type.String(),
    namespace: Type.String(),
    token: Type.Union([Type.String(), Type.Null()]),
    value: Type.Union([Type.String(), Type.Null()]),
    result: Type.Union(DICT_RESULTS.map((result) => Type.Literal(result))),
    accepted: Type.Boolean(),
    why: Type.Union([Type.String(), Type.Null()]),
  },
  OPEN,
);

export function sharedDictDeclarations(): readonly Declaration[] {
  return [listDict(), resolveToken(), propose(), remove(), clear()];
}

const listDict = (): Declaration =>
  defineQuery({
    name: "shared_dict.list",
    summary: "What tokens stand for, in one namespace or in all",
    http: { method: "GET", path: "/api/shared_dict" },
    input: Type.Object({ namespace: Type.Optional(Namespace) }, closed),
    output: EntriesAnswer,
    permission: READERS,
    read: async (reader, { namespace }, { store }) => {
      const all = await readDict(reader, store);
      const entries = all.filter((one) => namespace === undefined || one.namespace === namespace);
      return ok({ entries, count: entries.length });
    },
  });

const resolveToken = (): Declaration =>
  defineQuery({
    name: "shared_dict.resolve",
    summary: "What a token stands for in the end, and by which way",
    http: { method: "GET", path: "/api/shared_dict/resolve" },
    input: Type.Object({ namespace: Namespace, token: Token }, closed),
    output: ResolvedAnswer,
    permission: READERS,
    read: async (reader, { namespace, token }, { store }) => {
      const found = resolve(meaningsOf(await readDict(reader, store), namespace), token);
      const { value = null, path = [token] } = found ?? {};
      return ok({ namespace, token, resolved: found !== undefined, value, path });
    },
  });

type Facts = { readonly all: readonly DictEntry[]; readonly last: number };
const load = async (reader: Reader, sql: Pick<Store, "builder">): Promise<Facts> => ({
  all: await readDict(reader, sql),
  last: await lastLine(reader, sql),
});

const common = {
  output: OutcomeAnswer,
  key: "header",
  permission: ["operator", "admin"],
  risk: (): RiskDirection => "neutral",
  danger: NO_DANGER,
  target,
  gates: [],
  load: (reader: Reader, _input: unknown, { store }: { readonly store: Pick<Store, "builder"> }) => load(reader, store),
} as const;

const propose = (): Declaration =>
  defineOperation({
    ...common,
    name: "shared_dict.propose",
    summary: "Let a token stand for a value, unless it stands for another or would lead round",
    http: { method: "POST", path: "/api/shared_dict/propose" },
    input: Type.Object({ namespace: Namespace, token: Token, value: Meaning, reason: ReasonField }, closed),
    decide: (facts: Facts, { namespace, token, value }, context) => {
      const namespaces = new Set(facts.all.map((one) => one.namespace));
      const outcome: DictOutcome =
        !namespaces.has(namespace) && namespaces.size >= SHARED_DICT_LIMITS.namespaces
          ? { result: "rejected", reason: `there are ${SHARED_DICT_LIMITS.namespaces} namespaces already` }
          : proposed(meaningsOf(facts.all, namespace), { token, value }, facts.all.length);
      const entry = { namespace, token, value };
      const writes =
        outcome.result === "accepted" && outcome.reason === null ? [insertMeaning(context.store, entry)] : [];
      return journaled(facts, { action: "propose", ...entry, outcome, writes }, context);
    },
  });

const remove = (): Declaration =>
  defineOperation({
    ...common,
    name: "shared_dict.remove",
    summary: "Let a token stand for nothing any more",
    http: { method: "POST", path: "/api/shared_dict/remove" },
    input: Type.Object({ namespace: Namespace, token: Token, reason: ReasonField }, closed),
    decide: (facts: Facts, { namespace, token }, context) => {
      const entry = facts.all.find((one) => one.namespace === namespace && one.token === token);
      const outcome: DictOutcome =
        entry === undefined
          ? { result: "rejected", reason: "it stands for nothing" }
          : { result: "accepted", reason: null };
      const writes = entry === undefined ? [] : [removeMeaning(context.store, entry)];
      const value = entry?.value ?? null;
      return journaled(facts, { action: "remove", namespace, token, value, outcome, writes }, context);
    },
  });

const clear = (): Declaration =>
  defineOperation({
    ...common,
    name: "shared_dict.clear",
    summary: "Empty a namespace",
    http: { method: "POST", path: "/api/shared_dict/clear" },
    input: Type.Object({ namespace: Namespace, reason: ReasonField }, closed),
    permission: ["admin"],
    decide: (facts: Facts, { namespace }, context) => {
      const count = facts.all.filter((one) => one.namespace === namespace).length;
      if (count === 0) return err(failure("RUMI-SYS-011", { what: "namespace", id: namespace }));
      const outcome: DictOutcome = { result: "accepted", reason: `${count} entries` };
      const writes = [clearMeanings(context.store, namespace, count)];
      return journaled(facts, { action: "clear", namespace, token: null, value: null, outcome, writes }, context);
    },
  });

function journaled(
  { last }: Facts,
  done: {
    readonly action: DictAction;
    readonly namespace: string;
    readonly token: string | null;
    readonly value: string | null;
    readonly outcome: DictOutcome;
    readonly writes: readonly Write[];
  },
  { store, now, principal, command_id, trace_id }: DecideContext,
): Result<Decision, never> {
  const { action, namespace, token, value, outcome, writes } = done;
  const { result, reason: why } = outcome;
  const line = {
    ts: isoFromMicros(now),
    action,
    namespace,
    token,
    value,
    result,
    reason: why,
    provenance: { actor: principal.id, command_id, trace_id },
  };
  const event = {
    action: "shared_dict.changed",
    ...target({ namespace }),
    outcome: result === "accepted" ? ("SUCCESS" as const) : ("REJECTED" as const),
    details: { dict_action: action, token, result },
  };
  return ok({
    writes: [...writes, ...journalWrites(store, last, line)],
    events: [event],
    outbox: [],
    data: { action, namespace, token, value, result, accepted: result === "accepted", why },
  });
}

function meaningsOf(all: readonly DictEntry[], namespace: string): Meanings {
  return new Map(all.filter((one) => one.namespace === namespace).map(({ token, value }) => [token, value]));
}
