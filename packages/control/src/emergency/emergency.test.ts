import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { err, failure } from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import type { EmergencyFile } from "../index.ts";
import { emergencySpool } from "./spool.ts";

let world: Control;
let kept: string | null;
let isDiskGone: boolean;
const file: EmergencyFile = {
  read: () => kept,
  write: (text) => {
    if (isDiskGone) throw new Error("no room");
    kept = text;
  },
};
beforeEach(async () => {
  [kept, isDiskGone] = [null, false];
  world = await openControl({ emergency_file: file });
  await world.dialRunner();
});
afterEach(() => world.close());

/** Nothing can be committed until it is mended; reading goes on, as on a full disk. */
function breakLog(): { mend(): void } {
  const store = world.store as { commit: Store["commit"] };
  const whole = store.commit;
  store.commit = () => Promise.resolve(err({ kind: "failed", failure: failure("RUMI-STO-004", { path: "store.db" }) }));
  return { mend: () => void (store.commit = whole) };
}
const OPERATOR = { id: "user:op", roles: ["operator"] } as const;
const kill = (level: string, scope: Record<string, unknown> = { all: true }, command_id = world.id()) =>
  world.command("killswitch.set", { command_id, scope, level, reason: "smoke" }, { principal: OPERATOR });
const safety = (mode: string) => world.command("safety.set", { command_id: world.id(), mode, reason: "smoke" });
const lastKill = () => world.runner.received.findLast((one) => one.type === "killswitch");
const lastSafety = () => world.runner.received.findLast((one) => one.type === "safety");
const replay = () => world.control.emergency(world.pipeline).run();

describe("[G-5.3] [G-7.2] with a log that cannot be written", () => {
  it("tightening works, is told to runners at once, and is audited as the command it is when the log returns, with the gap", async () => {
    const log = breakLog();
    const command_id = world.id();
    const answer = await kill("BLOCK", { all: true }, command_id);
    expect(answer).toMatchObject({ kind: "done", status: 202, data: { spooled: true, durable: true, command_id } });
    expect(await safety("SAFE")).toMatchObject({ kind: "done", status: 202 });
    await world.until("told", () => lastKill()?.rules.length === 1 && lastSafety()?.mode === "SAFE");
    // Sent again, it waits once; a runner that dials in now hears it too.
    dataOf(await kill("BLOCK", { all: true }, command_id));
    const second = world.runnerNamed("runner-2");
    await second.dial();
    await world.until("heard", () => second.received.some((one) => one.type === "killswitch"));
    await replay();
    expect(JSON.parse(kept ?? "[]")).toHaveLength(2);
    log.mend();
    await replay();
    expect(kept).toBe("[]");
    expect(dataOf(await world.query("killswitch.show"))).toMatchObject({
      rules: [{ level: "BLOCK", set_by: "user:op" }],
    });
    expect(dataOf(await world.query("safety.show"))).toMatchObject({ mode: "SAFE" });
    const actions = await world.actions();
    for (const action of ["execution.killswitch.set", "safety.transition", "audit.gap"])
      expect(actions.filter((one) => one === action)).toHaveLength(1);
    expect(dataOf(await kill("BLOCK", { all: true }, command_id))).toMatchObject({ changed: true });
  });

  it("nothing else works: loosening, starts and other commands are refused and leave nothing", async () => {
    dataOf(await world.makeBot());
    dataOf(await kill("FLATTEN"));
    const log = breakLog();
    const before = (await world.actions()).length;
    for (const answer of [
      await world.command(
        "killswitch.set",
        { command_id: world.id(), scope: { all: true }, level: "ALLOW", reason: "x" },
        { principal: { id: "user:root", roles: ["admin"] } },
      ),
      await world.move("bot-1", "IDLE", "RUNNING_PAPER"),
      await world.makeBot("bot-2"),
      await kill("BLOCK", { bot_id: "nobody" }),
    ])
      expect(answer.kind).toBe("refused");
    expect(kept).toBeNull();
    log.mend();
    expect((await world.actions()).length).toBe(before);
  });

  it("who may not tighten may not do it then either", async () => {
    breakLog();
    const viewer = { id: "user:eye", roles: ["view_only"] } as const;
    const answer = await world.command(
      "killswitch.set",
      { command_id: world.id(), scope: { all: true }, level: "BLOCK", reason: "x" },
      { principal: viewer },
    );
    expect(answer.kind).toBe("refused");
    expect([kept, lastKill()]).toEqual([null, undefined]);
  });

  it("without a disk too it works for as long as the program lives, and says that it is not durable", async () => {
    breakLog();
    isDiskGone = true;
    expect(await kill("BLOCK")).toMatchObject({ kind: "done", data: { spooled: true, durable: false } });
    await world.until("told", () => lastKill()?.rules[0]?.level === "BLOCK");
  });

  it("what waited is in force again after a restart, before the log is back; nothing in it ever loosens", () => {
    const entry = (operation: string, input: Record<string, unknown>) => ({
      command_id: `${operation} ${JSON.stringify(input)}`,
      operation,
      principal: OPERATOR,
      input,
      trace_id: "t",
      at: 1,
    });
    const text = JSON.stringify([
      entry("safety.set", { mode: "SAFE" }),
      entry("killswitch.set", { scope: { venue: "SIM" }, level: "CLOSE_ONLY" }),
    ]);
    const again = emergencySpool({ read: () => text, write: () => undefined });
    expect([again.mode("NORMAL"), again.mode("EMERGENCY_STOP")]).toEqual(["SAFE", "EMERGENCY_STOP"]);
    expect(again.rules([])).toEqual([{ scope: "venue", id: "SIM", level: "CLOSE_ONLY" }]);
    const strict = [{ scope: "venue", id: "SIM", level: "BLOCK" }] as const;
    expect(again.rules(strict)).toEqual(strict);
  });
});

describe("[G-12] [G-5.3] policies", () => {
  it("cannot forbid tightening, and still forbid loosening", async () => {
    const text = "forbid (principal, action, resource);\npermit (principal, action, resource);";
    const asked = await world.command("policies.set", { command_id: world.id(), cedar: text, reason: "a slip" });
    if (codeOf(asked) === "RUMI-CMD-004") dataOf(await world.confirm(asked));
    else dataOf(asked);
    expect(dataOf(await kill("BLOCK"))).toMatchObject({ changed: true });
    dataOf(
      await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "x" }, { principal: OPERATOR }),
    );
    const loosened = await world.command(
      "killswitch.set",
      { command_id: world.id(), scope: { all: true }, level: "ALLOW", reason: "x" },
      { principal: { id: "user:other", roles: ["admin"] } },
    );
    expect(codeOf(loosened)).toBe("RUMI-AUTH-011");
    expect(codeOf(await world.makeBot())).toBe("RUMI-AUTH-011");
  });
});
