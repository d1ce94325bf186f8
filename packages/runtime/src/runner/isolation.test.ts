import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok } from "@rumi/kernel";
import type { JailFacts } from "@rumi/sandbox";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { bundleRunner, TestControl } from "../../test/control.ts";
import { pythonHome } from "./runner-main.ts";

const PYTHON = ok({ path: "/usr/bin/python3", prefix: "/usr", version: "3.11" });
const jail = (mechanism: JailFacts["mechanism"], available: boolean, strict = available): JailFacts => ({
  mechanism,
  level: "L1",
  available,
  strict,
  reason: available ? null : `${mechanism} is not here. Install it.`,
  weaker: [],
});
const facts = (python: Parameters<Parameters<typeof pythonHome>[2]["jails"]>[0], jails: readonly JailFacts[]) =>
  pythonHome("/sdk", "/runner", { python: () => python, jails: () => Promise.resolve(jails) });
const room = temporaryFolder();
afterAll(() => room.remove());

describe("what a runner says about isolation", () => {
  it("[R-3.1] the interpreter is a fact of its own, with the reason and the way out when it is missing", async () => {
    const present = await facts(PYTHON, [jail("bubblewrap", true)]);
    expect(present.isolation).toContainEqual({
      level: "interpreter",
      mechanism: "python3",
      available: true,
      reason: null,
    });
    const absent = await facts(err(failure("RUMI-STR-061", { problem: "there is no python3" })), [
      jail("bubblewrap", false),
    ]);
    expect(absent.python).toBe(null);
    const fact = absent.isolation.find((one) => one.mechanism === "python3");
    expect(fact).toMatchObject({ level: "interpreter", available: false });
    expect(fact?.reason?.length).toBeGreaterThan(20);
  });

  it("[R-3.1] no jail at all: no home for Python, and every mechanism says why; a strict one is taken before a weaker one", async () => {
    const none = await facts(PYTHON, [jail("bubblewrap", false), jail("self-jail", false)]);
    expect(none.python).toBe(null);
    expect(none.isolation.filter((one) => one.level === "L1").map((one) => one.available || one.reason)).toEqual([
      "bubblewrap is not here. Install it.",
      "self-jail is not here. Install it.",
    ]);
    expect((await facts(PYTHON, [jail("bubblewrap", true, false), jail("self-jail", true)])).python?.mechanism).toBe(
      "self-jail",
    );
    expect(
      (await facts(PYTHON, [jail("bubblewrap", true, false), jail("self-jail", false)])).python?.mechanism,
      "strict specifications are refused by the jail itself then",
    ).toBe("bubblewrap");
  });

  it("[R-3.1] a real runner tells it before anything is started, found or not", { timeout: 180_000 }, async () => {
    const start = await bundleRunner(room.path);
    const empty = join(room.path, "empty");
    mkdirSync(empty);
    const control = new TestControl(join(room.path, "socket"));
    // System places are looked at besides PATH, so an empty PATH may still find one; the fact must be there either way.
    const child: ChildProcess = start(control.path, undefined, { PATH: empty });
    try {
      const told = await control.until(() => control.seen.find((message) => message.type === "instances"), 120_000);
      const fact = told.type === "instances" ? told.isolation.find((one) => one.mechanism === "python3") : undefined;
      expect(fact?.level).toBe("interpreter");
      expect(fact?.available === true ? fact.reason === null : (fact?.reason ?? "").length > 20).toBe(true);
    } finally {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
      await control.close();
    }
  });
});
