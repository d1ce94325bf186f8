import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, truncateSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { micros, seededRandom } from "@rumi/kernel";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { codeOf, eventOf, logOf, must, sampleEvent } from "../test/support.ts";
import { jsonlLine, localDays } from "./jsonl.ts";
import { clearJsonl, openJsonlWriter } from "./jsonl-writer.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

const contents = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory)
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => [name, readFileSync(join(directory, name), "utf8")]),
  );

describe("JSONL views", () => {
  it("[R-17.1] a line has the documented fields in their order, then what leads back to the log", () => {
    const event = eventOf(5, "permission.granted", {
      permission_type: "capability_grant",
      owner_pack: "demo",
      flow_id: "f",
    });
    const line = JSON.parse(jsonlLine(5, event)) as Record<string, unknown>;
    expect(Object.keys(line).slice(0, 15)).toEqual([
      "ts",
      "category",
      "severity",
      "action",
      "success",
      "flow_id",
      "step_id",
      "phase",
      "owner_pack",
      "modifier_id",
      "details",
      "error",
      "error_type",
      "rejection_reason",
      "execution_mode",
    ]);
    expect(line).toMatchObject({
      ts: "2026-09-21T14:13:25.000000Z",
      category: "permission",
      severity: "warning",
      success: true,
      flow_id: "f",
      owner_pack: "demo",
      log_index: 5,
      event_id: event.event_id,
    });
  });

  it("[R-17.1] the guide's jq selections find their lines", async () => {
    const writer = must(await openJsonlWriter(folder.path, localDays("UTC")));
    const events = [
      eventOf(0, "principal_id_overridden", { owner_pack: "p", claimed_principal: "a", used_principal: "b" }),
      eventOf(1, "lib.executed", { lib: "setup" }),
      eventOf(2, "permission.granted", { permission_type: "capability_grant" }),
      { ...eventOf(3, "controlplane.command.denied", { reason_code: "G.SAFE" }), outcome: "REJECTED" as const },
    ];
    must(await writer.append(0, events));
    const day = "2026-09-21";
    const lines = (category: string): Record<string, unknown>[] =>
      readFileSync(join(folder.path, `${category}_${day}.jsonl`), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines("security").filter((line) => line["action"] === "principal_id_overridden")).toHaveLength(1);
    expect(lines("security").filter((line) => line["success"] === false)).toMatchObject([
      { rejection_reason: "G.SAFE" },
    ]);
    expect(lines("system").filter((line) => String(line["action"]).includes("lib"))).toHaveLength(1);
    expect(
      lines("permission").filter(
        (line) => (line["details"] as Record<string, unknown>)["permission_type"] === "capability_grant",
      ),
    ).toHaveLength(1);
    if (requires("jq")) {
      const path = join(folder.path, `security_${day}.jsonl`);
      expect(execFileSync("jq", ["-c", "select(.success == false) | .log_index", path], { encoding: "utf8" })).toBe(
        "3\n",
      );
    }
  });

  it("[R-17.1] files go by the local day while ts is UTC", () => {
    const late = micros(Date.parse("2026-02-24T23:30:00Z") * 1_000);
    expect(localDays("UTC")(late)).toBe("2026-02-24");
    expect(localDays("Asia/Tokyo")(late)).toBe("2026-02-25");
    expect(localDays("Asia/Kathmandu")(micros(Date.parse("2026-02-24T18:14:59Z") * 1_000))).toBe("2026-02-24");
    expect(localDays("Asia/Kathmandu")(micros(Date.parse("2026-02-24T18:15:00Z") * 1_000))).toBe("2026-02-25");
  });

  it("[R-17.1] cut at any byte, with or without a remembered position, catching up restores every file", async () => {
    const log = logOf(400);
    const day = localDays("UTC");
    const whole = join(folder.path, "whole");
    must(await must(await openJsonlWriter(whole, day)).catchUp(log, 400));
    const expected = contents(whole);
    const random = seededRandom("cuts");
    for (let trial = 0; trial < 12; trial += 1) {
      const directory = join(folder.path, `trial-${trial}`);
      const first = must(await openJsonlWriter(directory, day));
      const durable = random.below(300);
      must(await first.append(0, log.events.slice(0, durable)));
      must(await first.flush());
      const sizes = new Map(Object.entries(contents(directory)).map(([name, text]) => [name, Buffer.byteLength(text)]));
      must(await first.append(durable, log.events.slice(durable, durable + random.below(100))));
      for (const name of Object.keys(contents(directory))) {
        const path = join(directory, name);
        const synced = sizes.get(name) ?? 0;
        truncateSync(path, synced + random.below(statSync(path).size - synced + 1));
      }
      const second = must(await openJsonlWriter(directory, day));
      expect(second.next).toBe(durable);
      must(await second.catchUp(log, 400));
      expect(contents(directory)).toEqual(expected);
      must(await second.append(390, log.events.slice(390)));
      expect(contents(directory)).toEqual(expected);
    }
  });

  it("a gap is refused, a folder that cannot be written is a coded failure, clearing starts anew", async () => {
    const log = logOf(3);
    const writer = must(await openJsonlWriter(folder.path, localDays("UTC")));
    expect(codeOf(await writer.append(1, [sampleEvent(1)]))).toBe("RUMI-LOG-022");
    expect(codeOf(await openJsonlWriter(`${folder.path}/\0`, localDays("UTC")))).toBe("RUMI-LOG-022");
    must(await writer.catchUp(log, 3));
    must(await clearJsonl(folder.path));
    expect(must(await openJsonlWriter(folder.path, localDays("UTC"))).next).toBe(0);
  });
});
