/** A specification in the words of gate and venue. */
import type { InstrumentSpec, StrategyDescriptor } from "@rumi/abi";
import { invariant } from "@rumi/kernel";
import type { SimulatedVenueOptions } from "@rumi/venues";
import type { GateContext } from "../gate/gate.ts";
import { parseMoney } from "../gate/money.ts";

export type GateSource = {
  readonly descriptor: StrategyDescriptor;
  readonly instruments: readonly InstrumentSpec[];
  readonly mode: string;
  readonly venue: { readonly venue_id: string };
  readonly limits: { readonly capital: string; readonly intents_per_second: number; readonly max_open_orders: number };
};

export function gateContextOf(spec: GateSource): GateContext {
  const { capabilities, resources } = spec.descriptor;
  const capital = parseMoney(spec.limits.capital);
  invariant(capital !== undefined, "the capital was checked when the specification came in");
  return {
    instruments: spec.instruments,
    instrument_allowed: spec.instruments.map(
      (one) => capabilities.instruments.includes("*") || capabilities.instruments.includes(one.instrument_id),
    ),
    order_types: capabilities.order_types,
    venue_allowed: capabilities.venues.includes("*") || capabilities.venues.includes(spec.venue.venue_id),
    intents_per_event: resources.intents_per_event,
    intents_per_second: resources.intents_per_second,
    instance_intents_per_second: spec.limits.intents_per_second,
    max_open_orders: spec.limits.max_open_orders,
    capital,
    shadow: spec.mode === "shadow",
  };
}

/** Exactly the venue's options: its saved state belongs to them, so nothing else (paths, pace) may be among them. */
export function venueOptionsOf(
  instruments: readonly InstrumentSpec[],
  venue: Omit<SimulatedVenueOptions, "instruments">,
): SimulatedVenueOptions {
  const { maker_fee_ppm, taker_fee_ppm, latency_us, latency_jitter_us, seed } = venue;
  return { instruments, maker_fee_ppm, taker_fee_ppm, latency_us, latency_jitter_us, seed };
}
