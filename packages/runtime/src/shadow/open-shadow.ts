/** What an instance over a recording has for feed and venue: the exchange of its own, or its primary's journal. */
import type { MarketFeed, SimulatedVenue } from "@rumi/venues";
import { venueOptionsOf } from "../instance/gate-context.ts";
import type { HostOptions } from "../instance/host-options.ts";
import type { InstanceSpec } from "../protocol.ts";
import { ShadowSide } from "./shadow-side.ts";
import { ShadowVenue } from "./shadow-venue.ts";

export function worldOf(
  spec: InstanceSpec,
  feed: MarketFeed,
  exchange: SimulatedVenue,
): Pick<HostOptions, "feed" | "venue" | "live"> {
  const { follows } = spec;
  if (follows === undefined) return { feed, venue: exchange };
  const venue = new ShadowVenue(venueOptionsOf(spec.instruments, spec.venue));
  const live = new ShadowSide({ spec, follows, feed });
  return { feed: live.feed, venue, live };
}

/** A shadow goes as fast as its primary's journal lets it: what was conflated there is conflated here, nothing else. */
export function atItsPrimarysPace(spec: InstanceSpec): InstanceSpec {
  return spec.follows === undefined ? spec : { ...spec, venue: { ...spec.venue, pace: { kind: "max" } } };
}
