/**
 * The stop ladder: what has to be so, one fact after the other, before a stop is attested (L-N8, L-33). Pure.
 *
 * StopRequested → StopAcknowledged → Quiesced → OrdersClear → CredentialFenced → StopAttested. Each rung is a fact of its own
 * with who said it; it counts only for the epoch that is to be stopped. A report about another epoch is no fact here, a
 * cancel's reply proves nothing, and a new epoch takes every rung but the request away.
 *
 * Invariants (attestation.test.ts, every reachable state)
 * - Nothing is attested while an instance may send, an order is open or unknown, or a credential is in force.
 * - No rung stands without those below it; a request once made is never lost but by its attestation.
 */
export const STOP_RUNGS = [
  "StopRequested",
  "StopAcknowledged",
  "Quiesced",
  "OrdersClear",
  "CredentialFenced",
  "StopAttested",
] as const;
export type StopRung = (typeof STOP_RUNGS)[number];

export type StopState = {
  /** The epoch whose stop this is; null: nobody asked for one. */
  readonly epoch: number | null;
  /** The highest rung that stands. */
  readonly rung: StopRung | null;
  /** Orders the venue named as open when it was last asked; null: it has not been asked under this epoch. */
  readonly open_orders: number | null;
};
export const NO_STOP: StopState = { epoch: null, rung: null, open_orders: null };

export type StopFact =
  | { readonly kind: "requested"; readonly epoch: number }
  /** The holder under this epoch has heard it. */
  | { readonly kind: "acknowledged"; readonly epoch: number }
  /** No new order can leave under this epoch: the instance has ended, or its own deadline has passed. */
  | { readonly kind: "quiesced"; readonly epoch: number }
  /** The venue's own word, asked after the instance was quiet. */
  | {
      readonly kind: "venue_asked";
      readonly epoch: number;
      readonly asked_when_quiet: boolean;
      readonly open_orders: number;
    }
  /** The epoch's lease is released or over, and its credential with it. */
  | { readonly kind: "credential_fenced"; readonly epoch: number }
  | { readonly kind: "attest" }
  /** Somebody started it again, under a newer epoch. */
  | { readonly kind: "new_epoch"; readonly epoch: number };

/** What stands after it; the same state where the fact says nothing about this stop. */
export function climb(state: StopState, fact: StopFact): StopState {
  if (fact.kind === "requested") return state.epoch === fact.epoch ? state : at(fact.epoch, "StopRequested", null);
  if (state.epoch === null || state.rung === null) return state;
  if (fact.kind === "new_epoch") {
    if (fact.epoch <= state.epoch) return state;
    // What was proven is proven of the former epoch; a stop that was not finished goes for the new one.
    return state.rung === "StopAttested" ? NO_STOP : at(fact.epoch, "StopRequested", null);
  }
  if (fact.kind === "attest") return state.rung === "CredentialFenced" ? { ...state, rung: "StopAttested" } : state;
  if (fact.epoch !== state.epoch) return state;
  switch (fact.kind) {
    case "acknowledged":
      return next(state, "StopRequested", "StopAcknowledged");
    case "quiesced":
      // The holder is gone for good: there is nobody left who could acknowledge.
      return next(next(state, "StopRequested", "StopAcknowledged"), "StopAcknowledged", "Quiesced");
    case "venue_asked": {
      if (!fact.asked_when_quiet || !stands(state, "Quiesced") || stands(state, "CredentialFenced")) return state;
      const asked = { ...state, open_orders: fact.open_orders };
      return { ...asked, rung: fact.open_orders === 0 ? "OrdersClear" : "Quiesced" };
    }
    case "credential_fenced":
      return next(state, "OrdersClear", "CredentialFenced");
  }
}

export function stands({ rung }: StopState, wanted: StopRung): boolean {
  return rung !== null && STOP_RUNGS.indexOf(rung) >= STOP_RUNGS.indexOf(wanted);
}

/** The rung that is waited for, and in words what holds it up; null when nothing is to be proven. */
export function blockedBy(state: StopState): { readonly rung: StopRung; readonly why: string } | null {
  switch (state.rung) {
    case null:
    case "StopAttested":
      return null;
    case "StopRequested":
      return { rung: "StopAcknowledged", why: "its runner has not answered" };
    case "StopAcknowledged":
      return { rung: "Quiesced", why: "it has not ended, and its own deadline is not over" };
    case "Quiesced":
      return {
        rung: "OrdersClear",
        why:
          state.open_orders === null
            ? "the venue has not been asked"
            : `${state.open_orders} orders are open at the venue`,
      };
    case "OrdersClear":
      return { rung: "CredentialFenced", why: "its lease is not released" };
    case "CredentialFenced":
      return { rung: "StopAttested", why: "the record is not signed" };
  }
}

const at = (epoch: number, rung: StopRung, open_orders: number | null): StopState => ({ epoch, rung, open_orders });
const next = (state: StopState, from: StopRung, to: StopRung): StopState =>
  state.rung === from ? { ...state, rung: to } : state;
