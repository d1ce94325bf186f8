/** A disk that fails while a command is carried out ends that instance, and the lane hears an answer. */
import { ok } from "@rumi/kernel";
import { createSimulatedVenue } from "@rumi/venues";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { ScriptedStrategy } from "../../test/scripted.ts";
import { market, spec } from "../../test/support.ts";
import { SYSTEM } from "../surroundings.ts";
import { venueOptionsOf } from "./gate-context.ts";
import { InstanceHost } from "./host.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

it("[M-0.6] a disk that is full when an instance is told to pause or stop ends this instance with a reason; nothing is thrown into its lane", async () => {
  for (const command of ["pause", "stop"] as const) {
    let isFull = false;
    const said: string[] = [];
    const of = spec(`${folder.path}/${command}`);
    const venue = createSimulatedVenue(venueOptionsOf(of.instruments, of.venue));
    if (!venue.ok) throw new Error(venue.error.code);
    const opened = await InstanceHost.open({
      spec: of,
      feed: market(1_000),
      strategy: new ScriptedStrategy(() => []),
      venue: venue.value,
      wallNow: SYSTEM.wallNow,
      monotonic: SYSTEM.monotonic,
      datasync: (fd, done) =>
        isFull ? setImmediate(() => done(new Error("no space left on device"))) : SYSTEM.datasync(fd, done),
      log: (line) => said.push(line),
      mayEmit: () => true,
      onDurable: () => undefined,
      onSegment: () => undefined,
    });
    if (!opened.ok) throw new Error(opened.error.code);
    const host = opened.value;
    await host.turn();
    isFull = true;
    expect(await host.carryOut(() => host[command]("test"))).toEqual(ok(host.status()));
    expect(host.status()).toMatchObject({ phase: "failed", failure: { error_code: "RUMI-SYS-001" } });
    expect(await host.turn()).toBe("idle");
    expect(said, "the log has the cause, once").toEqual([expect.stringContaining("RUMI-SYS-001 Error: no space left")]);
  }
});
