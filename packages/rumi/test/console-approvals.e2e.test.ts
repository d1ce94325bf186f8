/**
 * Two people in two browsers: what is dangerous is asked for by one, read and approved by the other, confirmed by the first.
 *
 * `dist/` must be built. Each test opens pages as the people it is about.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { confirm, openConsole, see, textOf, turnTo, typePhrase, until, type Console } from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import {
  addVenue,
  createBot,
  installPack,
  makePerson,
  ok,
  startBot,
  writeRecording,
  type Data,
  type Person,
} from "./rig.ts";

const SLOW_MS = 360_000;
const DAY_MS = 86_400_000;
const ROLES = { ann: ["break_glass", "operator"], ben: ["break_glass"], eve: ["operator"], adam: ["admin"] } as const;
type Name = keyof typeof ROLES;

let program: Program;
let chromium: Console;
const people = new Map<string, Person>();

const as = async (name: Name, at: string): Promise<Page> => {
  const page = await chromium.open({ token: people.get(name)?.token ?? "nobody's" });
  await until(page, "myself", /\w/);
  await turnTo(page, at);
  return page;
};
const rowOf = (page: Page, operation: string, state: string) =>
  page.locator(`[data-operation="${operation}"][data-state="${state}"]`).first();
const unfold = async (page: Page, operation: string, state: string): Promise<void> => {
  const name = rowOf(page, operation, state).locator("button.name");
  // What led here may have opened it.
  if ((await name.getAttribute("aria-expanded")) === "false") await name.click();
  await see(page, "challenge-detail").waitFor();
};
const session = async (): Promise<Data | undefined> =>
  ((await ok(program, "GET", "/api/break_glass"))["sessions"] as Data[])[0];

describe.runIf(requires("chromium"))("two people in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served", environment: { RUMI_SECOND_PERSON_WAIT_SECONDS: "0" } });
    chromium = await openConsole(program);
    for (const [name, roles] of Object.entries(ROLES)) people.set(name, await makePerson(program, name, roles));
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
  });

  /** Ann asks for a session, for `reason`. */
  const ask = async (page: Page, reason: string): Promise<void> => {
    await see(page, "session-form").getByRole("button", { name: "Open session" }).click();
    await confirm(page, reason);
    await until(page, "refusal-code", /CONFIRMATION_REQUIRED/);
    // A second person's word cannot be skipped: there is nothing to type.
    expect(await see(page, "phrase").count()).toBe(0);
    await see(page, "to-approvals").click();
  };

  it(
    "[G-4.2] [L-N10] [L-43] a session is read and approved by another person, confirmed by its requester, shown in red, and reviewed",
    async () => {
      const ann = await as("ann", "Controls");
      await ask(ann, "the risk service is gone");
      await unfold(ann, "break_glass.open", "AWAITING_APPROVAL");
      expect(await see(ann, "challenge-detail").getByRole("button").allInnerTexts()).toEqual(["Take back"]);

      const ben = await as("ben", "Approvals");
      await until(ben, "waiting-count", /^1$/);
      await unfold(ben, "break_glass.open", "AWAITING_APPROVAL");
      const shown = await textOf(ben, "challenge-detail");
      for (const part of [
        /gates\.disable/,
        /valid_for_seconds\s+900/,
        /the risk service is gone/,
        /sha256:[0-9a-f]{64}/,
      ])
        expect(shown).toMatch(part);
      await until(ben, "impact", /verbs/);
      await until(ben, "blockers", /Nothing stands in its way/);
      await see(ben, "challenge-detail").getByRole("button", { name: "Approve" }).click();
      expect(await ben.getByRole("dialog").innerText()).toContain("sha256:");
      await confirm(ben, "saw the outage too");

      await until(ann, "approval", new RegExp(`Approved by ${people.get("ben")?.id}.*saw the outage too`));
      expect(await session(), "approved is not done").toBeUndefined();
      await see(ann, "challenge-detail").getByRole("button", { name: "Confirm" }).click();
      await ann.getByRole("dialog").getByLabel("Reason").fill("now");
      expect(await ann.getByRole("dialog").getByRole("button", { name: "Do it" }).isDisabled()).toBe(true);
      await typePhrase(ann, "BREAK GLASS");
      await until(ann, "session-state", /OPEN/);

      await turnTo(ben, "Controls");
      const alarm = see(ben, "session-OPEN");
      await alarm.waitFor();
      expect(await alarm.getAttribute("class")).toContain("alarm");
      expect(await alarm.innerText()).toMatch(/1[0-5]:\d\d left/);
      await alarm.getByRole("button", { name: "End now" }).click();
      await confirm(ben, "it is back");

      await turnTo(ann, "Controls");
      await see(ann, "session-REVIEW_PENDING").waitFor();
      expect(await see(ann, "session-REVIEW_PENDING").getByRole("button", { name: "Review" }).count()).toBe(0);
      const adam = await as("adam", "Controls");
      await see(adam, "session-REVIEW_PENDING").getByRole("button", { name: "Review" }).click();
      await confirm(adam, "nothing was done under it");
      await see(adam, "session-REVIEWED").waitFor();
      expect(await session()).toMatchObject({ state: "REVIEWED", reviewed_by: people.get("adam")?.id });
      for (const page of [ann, ben, adam]) await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[G-0.5] [G-4.2] rejected with a reason, and neither approved nor rejected by whoever is not entitled",
    async () => {
      const ann = await as("ann", "Controls");
      await ask(ann, "once more");
      const eve = await as("eve", "Approvals");
      await unfold(eve, "break_glass.open", "AWAITING_APPROVAL");
      expect(await see(eve, "challenge-detail").getByRole("button").count()).toBe(0);
      const ben = await as("ben", "Approvals");
      await unfold(ben, "break_glass.open", "AWAITING_APPROVAL");
      await see(ben, "challenge-detail").getByRole("button", { name: "Reject" }).click();
      await confirm(ben, "there is no need");
      await rowOf(ann, "break_glass.open", "REJECTED").waitFor();
      await unfold(ann, "break_glass.open", "REJECTED");
      await until(ann, "challenge-detail", /there is no need/);
      expect(await see(ann, "challenge-detail").getByRole("button").count()).toBe(0);
      for (const page of [ann, eve, ben]) await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "[M-8.3.1] staged intents are approved and rejected here, each with a reason",
    async () => {
      const digest = await installPack(program);
      await addVenue(program, { path: writeRecording(program.home, 60_000), factor: 60 });
      const config = { order_quantity: "1", fast_trades: 10, slow_trades: 40, cooldown: 0, order_timeout: 3_600_000 };
      const staging = { expires_after_ms: DAY_MS, max_staged: 4 };
      await createBot(program, "careful", "ema_cross", digest, { config, staging });
      await startBot(program, "careful");
      const ann = await as("ann", "Approvals");
      const waiting = ann.locator('[data-testid="staged-intent"][data-state="staged"]');
      const states = async (state: string) =>
        (await ok(program, "GET", `/api/intents/staged?state=${state}`))["intents"] as Data[];
      for (const [word, state] of [
        ["Approve", "committed"],
        ["Reject", "rejected"],
      ] as const) {
        await waiting.getByRole("button", { name: word }).first().click();
        // The strategy asks for one order at a time. The second is for what the market left of the first.
        const due = await states("staged");
        expect(due).toHaveLength(1);
        const { side, quantity } = ((due[0] ?? {})["intent"] ?? {}) as {
          readonly side: string;
          readonly quantity: string;
        };
        if (word === "Approve") expect(quantity).toBe("1");
        expect(side).toMatch(/^(buy|sell)$/);
        expect(await ann.getByRole("dialog").innerText()).toContain(`\norder ${side} ${quantity} DEMO.SIM market\n`);
        await confirm(ann, `${word}, looked at it`);
        await ann.locator(`[data-testid="staged-intent"][data-state="${state}"]`).first().waitFor();
      }
      expect((await states("committed"))[0]).toMatchObject({ decided_by: people.get("ann")?.id });
      await eventually(async () => (await states("rejected")).length > 0);
      await chromium.shut(ann);
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
