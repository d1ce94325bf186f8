/** A host that asks a jailed process for a short pause, and is stopped meanwhile; argv: the lane's order. */
import { type LaneOrder, openLane } from "./sync-lane.kit.ts";

const { ask, stop } = await openLane(JSON.parse(process.argv[2] ?? "{}") as LaneOrder);
const answer = ask({ act: { do: "pause", seconds: 0.2 }, deadline_ms: 500 });
process.stdout.write("asking\n");
process.stdout.write(`${JSON.stringify((await answer).answer)}\n`);
await stop();
