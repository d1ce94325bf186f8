/** The house at a glance: what needs a person first, then the fleet, then what it holds and earned. */
import type { JSX } from "react";
import type { FeedRow } from "../../live/feed-rows.ts";
import { AuditTail } from "../audit-tail.tsx";
import { LiveFeed } from "../live-feed.tsx";
import { VenuesList } from "../venues-list.tsx";
import { ExposurePanel } from "./exposure-panel.tsx";
import { FleetPanel } from "./fleet-panel.tsx";
import { InboxPanel } from "./inbox-panel.tsx";

export function OverviewPage(props: {
  readonly rows: readonly FeedRow[];
  readonly problem: Error | null;
}): JSX.Element {
  return (
    <>
      <InboxPanel />
      <FleetPanel />
      <ExposurePanel />
      <LiveFeed rows={props.rows} problem={props.problem} />
      <AuditTail />
      <VenuesList />
    </>
  );
}
