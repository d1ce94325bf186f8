/** What a shadow has for feed and venue: its primary's rows, and the reports of its primary's journal; nothing outside. */
import { ok, type Failure, type Result } from "@rumi/kernel";
import type { MarketFeed, SimulatedVenue } from "@rumi/venues";
import { venueOptionsOf } from "../instance/gate-context.ts";
import type { HostOptions } from "../instance/host-options.ts";
import type { Datasync } from "../journal/datasync.ts";
import type { EarlierRun, InstanceSpec } from "../protocol.ts";
import { PrimaryTape } from "./primary-tape.ts";
import { ShadowSide } from "./shadow-side.ts";
import { ShadowVenue } from "./shadow-venue.ts";

type World = Pick<HostOptions, "feed" | "venue" | "live">;

export const shadowVenueOf = (spec: Pick<InstanceSpec, "instruments" | "venue">): ShadowVenue =>
  new ShadowVenue(
    venueOptionsOf(spec.instruments, spec.venue),
    spec.venue.live === undefined ? "simulated" : "outside",
  );

/** Over a recording: with the exchange of its own, or beside the primary that it follows. */
export function worldOf(spec: InstanceSpec, feed: MarketFeed, exchange: SimulatedVenue): World {
  const { follows } = spec;
  if (follows === undefined) return { feed, venue: exchange };
  const live = new ShadowSide({ spec, follows, rows: feed });
  return { feed: live.feed, venue: shadowVenueOf(spec), live };
}

/** Beside a live primary: it neither connects to the venue nor reads its key. Error RUMI-STR-045. */
export function shadowWorldOf(
  spec: InstanceSpec,
  follows: EarlierRun,
  datasync: Datasync | undefined,
): Result<World, Failure> {
  const rows = PrimaryTape.open({ spec, follows, ...(datasync === undefined ? {} : { datasync }) });
  if (!rows.ok) return rows;
  const live = new ShadowSide({ spec, follows, rows: rows.value });
  return ok({ feed: live.feed, venue: shadowVenueOf(spec), live });
}

/** A shadow goes as fast as its primary's journal lets it: what was conflated there is conflated here, nothing else. */
export function atItsPrimarysPace(spec: InstanceSpec): InstanceSpec {
  return spec.follows === undefined ? spec : { ...spec, venue: { ...spec.venue, pace: { kind: "max" } } };
}
