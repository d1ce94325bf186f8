/** What an operator may do with capability candidates, as the Operations Guide prints it: the key is percent-encoded in paths. */
import { join } from "node:path";
import { err, failure, ok, sha256Hex, type Failure, type Result } from "@rumi/kernel";
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
import { CANDIDATE_STATES, installed, rejectedBy, stateAt, unblocked, type Candidate } from "../candidates/model.ts";
import { readCandidate, readCandidates, removeCandidate, saveCandidate } from "../candidates/tables.ts";
import { printable } from "../packs/digest.ts";
import { digestFolder, readPlain, storeTree } from "../packs/files.ts";
import type { PackDeps, PackLibrary } from "../packs/library.ts";
import { readPacks } from "../packs/tables.ts";
import {
  BlockedAnswer,
  CandidateAnswer,
  CandidatesAnswer,
  CandidateScanAnswer,
  candidateView,
  InstalledAnswer,
  UnblockedAnswer,
} from "./answers.ts";
import { candidateKey, fileOf, readHandler, type HandlerFacts } from "./handler.ts";
import { lookAtPacks, planScan, type LookedPack } from "./scan.ts";

export type CapabilityDeps = PackDeps & {
  /** `user_data/capabilities/handlers/`. */
  readonly handlers: string;
};
type Known = Candidate<HandlerFacts>;

const KIND = "capability";
const closed = { additionalProperties: false } as const;
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const KeyField = Type.String({ minLength: 1, maxLength: 512, description: "{pack_id}:{slug}:{handler_id}:{sha256}" });
const KeyInput = Type.Object({ key: KeyField, reason: ReasonField }, closed);
const NO_DANGER = () => ({ kind: "none" }) as const;
const target = ({ key }: { readonly key: string }) => ({ resource_type: "capability_candidate", resource_id: key });

export function capabilityDeclarations(deps: CapabilityDeps, library: PackLibrary): readonly Declaration[] {
  return [
    scanCandidates(deps, library),
    listRequests(),
    approveCandidate(deps, library),
    rejectCandidate(),
    listBlocked(),
    unblockCandidate(),
  ];
}

const scanCandidates = ({ limits }: CapabilityDeps, library: PackLibrary): Declaration =>
  defineOperation({
    name: "capability.scan",
    summary: "Look through approved packs for capability handlers",
    http: { method: "POST", path: "/api/capability/candidates/scan" },
    input: Type.Object({ reason: ReasonField }, closed),
    output: CandidateScanAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: () => ({ resource_type: "capability_candidate", resource_id: "*" }),
    gates: [],
    load: async (reader, _input, { store }) => ({
      looked: await lookAtPacks(await readPacks(reader, store), library, limits),
      known: await readCandidates<HandlerFacts>(reader, store, KIND),
    }),
    decide: (
      { looked, known }: { readonly looked: readonly LookedPack[]; readonly known: readonly Known[] },
      _input,
      context,
    ) => {
      const plan = planScan(known, looked, context.now);
      const fresh = plan.saved.filter(({ before }) => before === undefined);
      return ok({
        writes: [
          ...plan.saved.map(({ next, before }) => saveCandidate(context.store, KIND, next, before, context.now)),
          ...plan.gone.map((one) => removeCandidate(context.store, KIND, one)),
        ],
        events: plan.saved
          .filter(({ next }) => next.state === "pending")
          .map(({ next }) => candidateEvent("candidate.found", next, {})),
        outbox: [],
        data: {
          scanned: plan.scanned,
          new_candidates: fresh.length,
          candidates: plan.listed.map((one) => candidateView(one, context.now)),
          skipped_count: plan.skipped.length,
          skipped: plan.skipped,
        },
      });
    },
  });

const listRequests = (): Declaration =>
  defineQuery({
    name: "capability.requests",
    summary: "Capability candidates, those in one state or all",
    http: { method: "GET", path: "/api/capability/requests" },
    input: Type.Object(
      { status: Type.Optional(Type.Union(CANDIDATE_STATES.map((state) => Type.Literal(state)))) },
      closed,
    ),
    output: CandidatesAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, { status }, { store, now }) => {
      const all = await readCandidates<HandlerFacts>(reader, store, KIND);
      const requests = all
        .filter((one) => status === undefined || stateAt(one, now) === status)
        .map((one) => candidateView(one, now));
      return ok({ requests, count: requests.length });
    },
  });

const listBlocked = (): Declaration =>
  defineQuery({
    name: "capability.blocked",
    summary: "Capability candidates that were rejected for good",
    http: { method: "GET", path: "/api/capability/blocked" },
    input: Type.Object({}, closed),
    output: BlockedAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store, now }) => {
      const all = await readCandidates<HandlerFacts>(reader, store, KIND);
      const blocked = all.filter(({ state }) => state === "blocked").map((one) => candidateView(one, now));
      return ok({ blocked, count: blocked.length });
    },
  });

type ApproveFacts = {
  readonly candidate: Known | undefined;
  /** Whether the content is what the key says, and its copy is in place. */
  readonly kept?: Result<unknown, Failure>;
  readonly others: readonly Known[];
};

const approveCandidate = (deps: CapabilityDeps, library: PackLibrary): Declaration =>
  defineOperation({
    name: "capability.approve",
    summary: "Trust exactly this handler's content, and copy it to where handlers run from",
    http: { method: "POST", path: "/api/capability/requests/{key}/approve" },
    input: Type.Object(
      { key: KeyField, notes: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })), reason: ReasonField },
      closed,
    ),
    output: InstalledAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { key }, { store, now }): Promise<ApproveFacts> => {
      const candidate = await readCandidate<HandlerFacts>(reader, store, KIND, key);
      if (candidate === undefined || stateAt(candidate, now) !== "pending") return { candidate, others: [] };
      const others = (await readCandidates<HandlerFacts>(reader, store, KIND)).filter(
        (one) => one.state === "installed" && one.candidate_key !== key,
      );
      return { candidate, others, kept: await keep(reader, candidate, deps, library) };
    },
    decide: ({ candidate, kept, others }, { key, notes }, context) => {
      if (candidate === undefined) return err(failure("RUMI-CAP-001", { what: printable(key) }));
      const next = installed(candidate, notes ?? null, context.now);
      if (!next.ok) return next;
      if (kept?.ok === false) return kept;
      const { slug, permission_id, handler_id } = candidate.facts;
      const isOlder = (one: Known): boolean => one.pack_id === candidate.pack_id && one.facts.slug === slug;
      const twin = others.find(
        (one) => !isOlder(one) && (one.facts.permission_id === permission_id || one.facts.handler_id === handler_id),
      );
      if (twin !== undefined) {
        const what = twin.facts.permission_id === permission_id ? permission_id : handler_id;
        return err(failure("RUMI-CAP-005", { what, other: `${twin.pack_id}:${twin.facts.slug}` }));
      }
      const decision = decided(
        candidate,
        next.value,
        candidateEvent("candidate.approved", next.value, { notes: notes ?? null }),
        context,
      );
      const path = join("user_data/capabilities/handlers", slug, digestFolder(candidate.facts.folder_digest));
      return ok({
        ...decision,
        writes: [...decision.writes, ...others.filter(isOlder).map((one) => removeCandidate(context.store, KIND, one))],
        data: { ...candidateView(next.value, context.now), trusted: true, path },
      });
    },
  });

/** Reads the candidate's folder in its verified pack again and keeps a copy of it, if it is what was scanned. */
async function keep(
  reader: Reader,
  candidate: Known,
  deps: CapabilityDeps,
  library: PackLibrary,
): Promise<Result<unknown, Failure>> {
  const { candidate_key, pack_id, facts } = candidate;
  const mismatch = (found: string) => err(failure("RUMI-CAP-004", { candidate_key, found }));
  const verified = await library.verify(pack_id);
  if (!verified.ok) {
    const pack = await library.packOf(reader, pack_id);
    const file =
      pack === undefined
        ? undefined
        : join(deps.folders.ecosystem, pack.source_dir, facts.folder, fileOf(facts.entrypoint));
    const bytes = file === undefined ? undefined : await readPlain(file);
    const found = bytes === undefined ? undefined : sha256Hex(bytes);
    return found === undefined || found === facts.sha256 ? verified : mismatch(found);
  }
  const { directory } = verified.value;
  const handler = await readHandler(directory, facts.folder, deps.limits);
  if (!handler.ok) return mismatch("no handler");
  if (candidateKey(pack_id, handler.value.facts) !== candidate_key) return mismatch(handler.value.facts.sha256);
  if (handler.value.facts.folder_digest !== facts.folder_digest)
    return mismatch("another beside the entry point's file");
  return storeTree(join(directory, facts.folder), handler.value.tree, join(deps.handlers, facts.slug), deps.limits);
}

const rejectCandidate = (): Declaration =>
  defineOperation({
    name: "capability.reject",
    summary: "Reject a candidate: an hour's rest, and for good the third time",
    http: { method: "POST", path: "/api/capability/requests/{key}/reject" },
    input: KeyInput,
    output: CandidateAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { key }, { store }) => found(reader, store, key),
    decide: (candidate, { reason = null }, context) => {
      if (!candidate.ok) return candidate;
      const next = rejectedBy(candidate.value, reason, context.now);
      if (!next.ok) return next;
      const action = next.value.state === "blocked" ? "candidate.blocked" : "candidate.rejected";
      const details = { rejection_reason: reason, rejected_count: next.value.rejections };
      return ok(decided(candidate.value, next.value, candidateEvent(action, next.value, details), context));
    },
  });

const unblockCandidate = (): Declaration =>
  defineOperation({
    name: "capability.unblock",
    summary: "Lift a block: the candidate rests for an hour, then waits for a decision again",
    http: { method: "POST", path: "/api/capability/blocked/{key}/unblock" },
    input: KeyInput,
    output: UnblockedAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { key }, { store }) => found(reader, store, key),
    decide: (candidate, { reason = null }, context) => {
      if (!candidate.ok) return candidate;
      const next = unblocked(candidate.value, "rejected", reason, context.now);
      if (!next.ok) return next;
      const { state: status_after } = next.value;
      const decision = decided(
        candidate.value,
        next.value,
        candidateEvent("candidate.unblocked", next.value, { status_after }),
        context,
      );
      return ok({ ...decision, data: { ...candidateView(next.value, context.now), status_after } });
    },
  });

function decided(
  before: Known,
  next: Known,
  event: EventDraft,
  { store, now }: Pick<DecideContext, "store" | "now">,
): Decision {
  return {
    writes: [saveCandidate(store, KIND, next, before, now)],
    events: [event],
    outbox: [],
    data: candidateView(next, now),
  };
}

function candidateEvent(action: string, one: Known, details: EventDraft["details"]): EventDraft {
  const { sha256, permission_id, handler_id } = one.facts;
  return {
    action,
    resource_type: "capability_candidate",
    resource_id: one.candidate_key,
    outcome: "SUCCESS",
    details: { owner_pack: one.pack_id, sha256, permission_id, handler_id, ...details },
  };
}

async function found(reader: Reader, sql: Pick<Store, "builder">, key: string): Promise<Result<Known, Failure>> {
  const candidate = await readCandidate<HandlerFacts>(reader, sql, KIND, key);
  return candidate === undefined ? err(failure("RUMI-CAP-001", { what: printable(key) })) : ok(candidate);
}
