/** What an operator may do with the libraries that packs ask for, as the Operations Guide prints it. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import {
  defineOperation,
  defineQuery,
  type DecideContext,
  type Declaration,
  type Decision,
  type EventDraft,
} from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { CANDIDATE_STATES, failed, installed, rejectedBy, stateAt, unblocked } from "../candidates/model.ts";
import { readCandidate, readCandidates, removeCandidate, saveCandidate } from "../candidates/tables.ts";
import { printable } from "../packs/digest.ts";
import { readApproval, readPacks } from "../packs/tables.ts";
import {
  PipAnswer,
  PipBlockedAnswer,
  PipRequestsAnswer,
  PipScanAnswer,
  PipUnblockedAnswer,
  pipView,
} from "./answers.ts";
import type { PipEnvironments } from "./environments.ts";
import { DEFAULT_INDEX, judgeIndex } from "./index-url.ts";
import { lookAtLocks, planPipScan, type LookedLocks, type PipCandidate, type PipFacts } from "./scan.ts";
import { INSTALLING, pipEvent, pipSettler, type Approved, type SettleDeps } from "./settle.ts";

export type PipDeps = SettleDeps & { readonly environments: PipEnvironments };

const KIND = "pip";
const closed = { additionalProperties: false } as const;
const READERS = ["view_only", "operator", "admin"] as const;
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const KeyField = Type.String({ minLength: 1, maxLength: 512, description: "{pack_id}:{path of the lock}:{sha256}" });
const KeyInput = Type.Object({ key: KeyField, reason: ReasonField }, closed);
const NO_DANGER = () => ({ kind: "none" }) as const;
const target = ({ key }: { readonly key: string }) => ({ resource_type: "pip_candidate", resource_id: key });

export function pipDeclarations(deps: PipDeps): readonly Declaration[] {
  return [scan(deps), listRequests(), approve(deps), reject(), listBlocked(), unblock()];
}

const scan = ({ library, environments }: PipDeps): Declaration =>
  defineOperation({
    name: "pip.scan",
    summary: "Look through approved packs for lists of libraries",
    http: { method: "POST", path: "/api/pip/candidates/scan" },
    input: Type.Object({ reason: ReasonField }, closed),
    output: PipScanAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: () => ({ resource_type: "pip_candidate", resource_id: "*" }),
    gates: [],
    load: async (reader, _input, { store }) => ({
      looked: await lookAtLocks(await readPacks(reader, store), library),
      known: await readCandidates<PipFacts>(reader, store, KIND),
      broken: await environments.broken(),
    }),
    decide: (
      facts: {
        readonly looked: readonly LookedLocks[];
        readonly known: readonly PipCandidate[];
        readonly broken: ReadonlySet<string>;
      },
      _input,
      { store, now },
    ) => {
      const plan = planPipScan(facts, now);
      return ok({
        writes: [
          ...plan.saved.map(({ next, before }) => saveCandidate(store, KIND, next, before, now)),
          ...plan.gone.map((one) => removeCandidate(store, KIND, one)),
        ],
        events: plan.saved.map(({ next }) => pipEvent("candidate.found", next, {})),
        outbox: [],
        data: {
          scanned: plan.scanned,
          new_candidates: plan.saved.filter(({ before }) => before === undefined).length,
          candidates: plan.listed.map((one) => pipView(one, now)),
          skipped_count: plan.skipped.length,
          skipped: plan.skipped,
        },
      });
    },
  });

const listRequests = (): Declaration =>
  defineQuery({
    name: "pip.requests",
    summary: "Lists of libraries, those in one state or all",
    http: { method: "GET", path: "/api/pip/requests" },
    input: Type.Object(
      { status: Type.Optional(Type.Union(CANDIDATE_STATES.map((state) => Type.Literal(state)))) },
      closed,
    ),
    output: PipRequestsAnswer,
    permission: READERS,
    read: async (reader, { status }, { store, now }) => {
      const all = await readCandidates<PipFacts>(reader, store, KIND);
      const requests = all
        .filter((one) => status === undefined || stateAt(one, now) === status)
        .map((one) => pipView(one, now));
      return ok({ requests, count: requests.length });
    },
  });

const listBlocked = (): Declaration =>
  defineQuery({
    name: "pip.blocked",
    summary: "Lists of libraries that were rejected for good",
    http: { method: "GET", path: "/api/pip/blocked" },
    input: Type.Object({}, closed),
    output: PipBlockedAnswer,
    permission: READERS,
    read: async (reader, _input, { store, now }) => {
      const all = await readCandidates<PipFacts>(reader, store, KIND);
      const blocked = all.filter(({ state }) => state === "blocked").map((one) => pipView(one, now));
      return ok({ blocked, count: blocked.length });
    },
  });

type ApproveFacts = {
  readonly found: Result<PipCandidate, Failure>;
  readonly pack_state: string;
  readonly index: Result<unknown, Failure>;
};

const approve = (deps: PipDeps): Declaration => {
  const settle = pipSettler(deps);
  return defineOperation({
    name: "pip.approve",
    summary: "Install exactly these libraries for the pack, wheels only unless sdists are allowed",
    http: { method: "POST", path: "/api/pip/requests/{key}/approve" },
    input: Type.Object(
      {
        key: KeyField,
        allow_sdist: Type.Optional(
          Type.Boolean({ description: "What has no wheel is built, in a jail without network." }),
        ),
        index_url: Type.Optional(
          Type.String({ minLength: 1, maxLength: 1_024, description: `${DEFAULT_INDEX} where nothing is said.` }),
        ),
        notes: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
        reason: ReasonField,
      },
      closed,
    ),
    output: PipAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { key, index_url = DEFAULT_INDEX }, { store }): Promise<ApproveFacts> => {
      const found = await candidateOf(reader, store, key);
      const approval = found.ok ? await readApproval(reader, store, found.value.pack_id) : undefined;
      const index = await judgeIndex(index_url, deps.install.index);
      return { found, index, pack_state: approval?.state ?? "not installed" };
    },
    decide: ({ found, index, pack_state }: ApproveFacts, input, context) => {
      if (!found.ok) return found;
      const before = found.value;
      const { key, index_url = DEFAULT_INDEX, allow_sdist = false, notes = null } = input;
      const may = installed(before, notes, context.now);
      if (!may.ok) return may;
      if (pack_state !== "approved")
        return err(failure("RUMI-PACK-006", { pack_id: before.pack_id, state: pack_state }));
      if (!index.ok) return index;
      const next = { ...failed(before, INSTALLING), cooldown_until: null };
      const approved: Approved = { candidate_key: key, generation: next.generation, index_url, allow_sdist, notes };
      return ok({
        writes: [saveCandidate(context.store, KIND, next, before, context.now)],
        events: [],
        outbox: [],
        data: { ...pipView(next, context.now), approved },
      });
    },
    settle: (data) => settle((data as { readonly approved: Approved }).approved),
  });
};

const reject = (): Declaration =>
  defineOperation({
    name: "pip.reject",
    summary: "Reject a list of libraries: an hour's rest, and for good the third time",
    http: { method: "POST", path: "/api/pip/requests/{key}/reject" },
    input: KeyInput,
    output: PipAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { key }, { store }) => candidateOf(reader, store, key),
    decide: (found, { reason = null }, context) => {
      if (!found.ok) return found;
      const next = rejectedBy(found.value, reason, context.now);
      if (!next.ok) return next;
      const action = next.value.state === "blocked" ? "candidate.blocked" : "candidate.rejected";
      const details = { rejection_reason: reason, rejected_count: next.value.rejections };
      return ok(decided(found.value, next.value, pipEvent(action, next.value, details), context));
    },
  });

const unblock = (): Declaration =>
  defineOperation({
    name: "pip.unblock",
    summary: "Lift a block: the list waits for a decision again",
    http: { method: "POST", path: "/api/pip/blocked/{key}/unblock" },
    input: KeyInput,
    output: PipUnblockedAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { key }, { store }) => candidateOf(reader, store, key),
    decide: (found, { reason = null }, context) => {
      if (!found.ok) return found;
      const next = unblocked(found.value, "pending", reason, context.now);
      if (!next.ok) return next;
      const { state: status_after } = next.value;
      const event = pipEvent("candidate.unblocked", next.value, { status_after });
      const decision = decided(found.value, next.value, event, context);
      return ok({ ...decision, data: { ...pipView(next.value, context.now), status_after } });
    },
  });

function decided(
  before: PipCandidate,
  next: PipCandidate,
  event: EventDraft,
  { store, now }: Pick<DecideContext, "store" | "now">,
): Decision {
  return {
    writes: [saveCandidate(store, KIND, next, before, now)],
    events: [event],
    outbox: [],
    data: pipView(next, now),
  };
}

async function candidateOf(
  reader: Reader,
  sql: Pick<Store, "builder">,
  key: string,
): Promise<Result<PipCandidate, Failure>> {
  const candidate = await readCandidate<PipFacts>(reader, sql, KIND, key);
  return candidate === undefined ? err(failure("RUMI-PIP-001", { candidate_key: printable(key) })) : ok(candidate);
}
