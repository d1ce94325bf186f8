/** Every state that stop facts can lead to, in any order, late, doubled and for former epochs, beside what is really so. */
import { explorationText, explore, type Model } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { blockedBy, climb, NO_STOP, stands, STOP_RUNGS, type StopFact, type StopState } from "./model.ts";

const EPOCHS = 2;
const ORDERS = 2;
/** Facts on their way at once. */
const ON_THE_WAY = 3;
/** What is so, whatever anybody says: the running epoch, whether it may send, its orders, its credential. */
type World = { epoch: number; sends: boolean; orders: number; credential: boolean };
type State = { readonly stop: StopState; readonly world: World; readonly told: readonly StopFact[] };

/** Facts travel: each may arrive at any later time, or again, or get lost. */
const model = (decide: typeof climb): Model<State> => ({
  name: "stop attestation",
  start: [{ stop: NO_STOP, world: { epoch: 1, sends: true, orders: 0, credential: true }, told: [] }],
  steps: ({ stop, world, told }) => {
    const steps: { action: string; next: State }[] = [];
    const add = (action: string, change: Partial<World>, fact?: StopFact): void => {
      const isNew = fact !== undefined && !told.some((one) => JSON.stringify(one) === JSON.stringify(fact));
      if (isNew && told.length >= ON_THE_WAY) {
        steps.push({ action, next: { stop, world: { ...world, ...change }, told } }); // and the fact gets lost
        return;
      }
      const facts = isNew ? [...told, fact].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : told;
      steps.push({ action, next: { stop, world: { ...world, ...change }, told: facts } });
    };
    const { epoch } = world;
    if (world.sends && world.orders < ORDERS) add("an order leaves", { orders: world.orders + 1 });
    if (world.orders > 0) add("an order ends", { orders: world.orders - 1 });
    if (world.sends && stop.epoch === epoch) add("it hears the stop", {}, { kind: "acknowledged", epoch });
    if (world.sends) add("it ends", { sends: false }, { kind: "quiesced", epoch });
    // Rows are looked at again and again: what got lost is told once more.
    if (!world.sends) add("it is seen quiet", {}, { kind: "quiesced", epoch });
    if (!world.credential) add("its lease is seen over", {}, { kind: "credential_fenced", epoch });
    if (!world.sends && world.credential)
      add("its lease is released", { credential: false }, { kind: "credential_fenced", epoch });
    if (stop.epoch === epoch)
      add(
        "the venue is asked",
        {},
        { kind: "venue_asked", epoch, asked_when_quiet: !world.sends, open_orders: world.orders },
      );
    const act = (action: string, fact: StopFact): void =>
      void steps.push({ action, next: { stop: decide(stop, fact), world, told } });
    act("a stop is wished", { kind: "requested", epoch });
    act("it is to be signed", { kind: "attest" });
    for (const fact of told) {
      act(`${fact.kind} arrives`, fact);
      steps.push({ action: `${fact.kind} gets lost`, next: { stop, world, told: told.filter((one) => one !== fact) } });
    }
    if (!world.credential && epoch < EPOCHS)
      steps.push({
        action: "it is started again",
        next: {
          stop: decide(stop, { kind: "new_epoch", epoch: epoch + 1 }),
          world: { epoch: epoch + 1, sends: true, orders: world.orders, credential: true },
          told,
        },
      });
    return steps;
  },
  always: {
    "attested is stopped": ({ stop, world }) =>
      stop.rung !== "StopAttested" ||
      stop.epoch !== world.epoch ||
      (!world.sends && world.orders === 0 && !world.credential),
    "no attestation outlives its epoch": ({ stop, world }) =>
      stop.rung !== "StopAttested" || stop.epoch === world.epoch,
    "what is not attested says what it waits for": ({ stop }) =>
      (blockedBy(stop) === null) === (stop.rung === null || stop.rung === "StopAttested"),
    "clear means the venue said none": ({ stop }) => !stands(stop, "OrdersClear") || stop.open_orders === 0,
  },
  everyStep: {
    "a rung at a time, or two where nobody is left to answer": ({ stop: before }, action, { stop: after }) =>
      after.epoch !== before.epoch || place(after) - place(before) <= (action === "quiesced arrives" ? 2 : 1),
    "a wish is not forgotten": ({ stop: before }, _, { stop: after }) =>
      before.rung === null || before.rung === "StopAttested" || after.rung !== null,
  },
  certain: { "a proof can still come": ({ stop }) => stop.rung === "StopAttested" },
  reached: {
    attested: ({ stop }) => stop.rung === "StopAttested",
    "held up by open orders": ({ stop }) => stop.rung === "Quiesced" && (stop.open_orders ?? 0) > 0,
    "a second epoch attested": ({ stop }) => stop.rung === "StopAttested" && stop.epoch === EPOCHS,
  },
});
const place = ({ rung }: StopState): number => (rung === null ? -1 : STOP_RUNGS.indexOf(rung));

describe("the stop ladder", () => {
  it("[L-N8] [L-33] [L-49.2] no order of facts, late or doubled, attests a stop that is none", () => {
    const found = explore(model(climb));
    process.stdout.write(`${explorationText(found)}\n`);
    expect(explorationText(found)).not.toContain("broken");
    expect(found).toMatchObject({ complete: true, unreached: [] });
    expect(found.states).toBeGreaterThan(1_000);
  });

  const BROKEN: Readonly<Record<string, typeof climb>> = {
    "a former epoch's fact counts": (state, fact) =>
      climb(
        state,
        "epoch" in fact && fact.kind !== "requested" && fact.kind !== "new_epoch" && state.epoch !== null
          ? { ...fact, epoch: state.epoch }
          : fact,
      ),
    "a venue asked too early counts": (state, fact) =>
      climb(state, fact.kind === "venue_asked" ? { ...fact, asked_when_quiet: true } : fact),
    "open orders are overlooked": (state, fact) =>
      climb(state, fact.kind === "venue_asked" ? { ...fact, open_orders: 0 } : fact),
    "signed without the credential's end": (state, fact) =>
      fact.kind === "attest" && state.rung === "OrdersClear" ? { ...state, rung: "StopAttested" } : climb(state, fact),
  };
  it.each(Object.entries(BROKEN))("[L-49.2] a planted fault is found, with a shortest way to it: %s", (_, decide) => {
    const { counterexample } = explore(model(decide));
    expect(counterexample?.path.length).toBeGreaterThan(3);
  });
});
