/**
 * A dishonest server, as the console shows it: a forged head, a log rewritten, cut back, replaced or gone, an event shown
 * otherwise than it was logged, a proof of another event, an archive that is not the one that is listed. Answers are tampered
 * with between program and page. `dist/` must be built.
 */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { accessibilityProblems } from "./axe.ts";
import { openConsole, see, textOf, turnTo, until, type Console } from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { auditEvents, ok, type Data } from "./rig.ts";

const SLOW_MS = 360_000;
let program: Program;
let chromium: Console;

const said = (more: Data = {}): Data => ({ command_id: crypto.randomUUID(), reason: "the true reason", ...more });
const served = async (path: string): Promise<string> => (await fetch(new URL(`/tlog/${path}`, program.url))).text();
const text = (body: string) => (route: Route) => route.fulfill({ body, contentType: "text/plain" });
const onAudit = async (prepare: (page: Page) => Promise<unknown>): Promise<Page> => {
  const page = await chromium.open({ prepare });
  await turnTo(page, "Audit");
  return page;
};
/** The page, after it had verified the log as it is. */
const afterTruth = async (): Promise<Page> => {
  const page = await onAudit(() => Promise.resolve());
  await until(page, "log-badge", /Log verified here/);
  return page;
};

/** A log of the same name with a key of somebody else: the line of the key, and a head of that log signed with it. */
async function forged(): Promise<{ readonly key: string; readonly checkpoint: string }> {
  const [name = "", size = "", root = ""] = (await served("checkpoint")).split("\n");
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const material = Buffer.concat([Buffer.of(1), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = createHash("sha256").update(`${name}\n`).update(material).digest().subarray(0, 4);
  const body = `${name}\n${size}\n${root}\n`;
  const signature = Buffer.concat([id, sign(null, Buffer.from(body), privateKey)]).toString("base64");
  return {
    key: `${name}+${id.toString("hex")}+${material.toString("base64")}\n`,
    checkpoint: `${body}\n— ${name} ${signature}\n`,
  };
}

describe.runIf(requires("chromium"))("[G-9.1] a dishonest server in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    await ok(program, "POST", "/api/gates/feed/require", said());
    await ok(program, "POST", "/api/killswitch/set", said({ scope: { all: true }, level: "CLOSE_ONLY" }));
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
  });

  it(
    "a head signed by another key is told with what it means and what to do",
    async () => {
      const { checkpoint } = await forged();
      const page = await onAudit((fresh) => fresh.route("**/tlog/checkpoint", text(checkpoint)));
      await until(page, "log-badge", /LOG NOT VERIFIED: the checkpoint is not signed by this log/);
      await until(
        page,
        "log-alarm",
        /not signed by this log[\s\S]*Trust nothing[\s\S]*Next step:[\s\S]*rumi audit verify/,
      );
      expect(await accessibilityProblems(page)).toEqual([]);
      await page.unroute("**/tlog/checkpoint");
      await see(page, "verify-log").click();
      await until(page, "log-verdict", /Log verified here/);
      expect(await see(page, "log-alarm").count()).toBe(0);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "head and key forged together are found by whoever was here before",
    async () => {
      const { key, checkpoint } = await forged();
      const page = await afterTruth();
      await page.route("**/tlog/log.vkey", text(key));
      await page.route("**/tlog/checkpoint", text(checkpoint));
      await see(page, "verify-log").click();
      await until(page, "log-alarm", /another key than this browser remembers/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "a log that was rewritten since the last visit, and one that is gone",
    async () => {
      const page = await afterTruth();
      // What this browser remembers is another tree of the same size than the one that is served now.
      await page.evaluate(
        `for (const [name, kept] of Object.entries(localStorage)) if (name.startsWith("rumi.head.")) {
          const head = JSON.parse(kept);
          localStorage.setItem(name, JSON.stringify({ ...head, root: btoa("x".repeat(32)) }));
        }`,
      );
      await page.reload();
      await until(page, "log-alarm", /the first \d+ entries were rewritten/);
      await chromium.shut(page);
      const other = await afterTruth();
      await other.route("**/tlog/checkpoint", (route) => route.fulfill({ status: 404, body: "" }));
      await see(other, "verify-log").click();
      await until(other, "log-alarm", /the log is gone; \d+ entries were seen/);
      await chromium.shut(other);
    },
    SLOW_MS,
  );

  it(
    "a sound log of another name is no silent replacement: it is told until somebody says that it is meant",
    async () => {
      const page = await chromium.open({
        prepare: (fresh) => fresh.addInitScript(`localStorage["rumi.log"] ??= "rumi.local/dev/the-other-one"`),
      });
      await until(page, "log-badge", /Another log than before/);
      await turnTo(page, "Audit");
      await until(page, "log-other", /rumi\.local\/dev\/the-other-one → rumi\./);
      expect(await accessibilityProblems(page)).toEqual([]);
      await see(page, "log-other").getByRole("button", { name: "This log is meant" }).click();
      await until(page, "log-badge", /Log verified here/);
      await page.reload();
      await until(page, "log-badge", /Log verified here/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "a log that does not answer says nothing about the log, and is not called broken",
    async () => {
      const page = await onAudit((fresh) => fresh.route("**/tlog/**", (route) => route.abort()));
      await until(page, "log-badge", /Log cannot be reached/);
      await until(page, "log-unknown", /Nothing can be said/);
      expect(await see(page, "log-alarm").count()).toBe(0);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it.each([
    ["another actor", /"actor":"user:root"/g, '"actor":"user:somebody"', /the leaf says actor/],
    ["another reason", /the true reason/g, "a better reason", /other details than the payload has/],
    ["another outcome", /"outcome":"SUCCESS"/g, '"outcome":"REJECTED"', /the payload says outcome/],
  ] as const)(
    "an event shown with %s than it was logged with is not proven",
    async (_name, from, to, problem) => {
      const page = await onAudit((fresh) =>
        fresh.route("**/api/audit/events?*", async (route) => {
          const answer = await (await route.fetch()).text();
          await route.fulfill({ body: answer.replaceAll(from, to), contentType: "application/json" });
        }),
      );
      const row = see(page, "audit").locator('[data-action="execution.killswitch.set"]').first();
      await row.getByTestId("check").click();
      await until(page, "proof", problem);
      expect(await row.getByTestId("check").innerText()).toContain("NOT PROVEN");
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "the proof of another event proves nothing about this one",
    async () => {
      const [first] = await auditEvents(program, { action: "gate.required" });
      const page = await onAudit((fresh) =>
        fresh.route("**/api/audit/proof/*", async (route) => {
          const answer = await program.call("GET", `/api/audit/proof/${String(first?.event_id)}`);
          await route.fulfill({ json: answer.body });
        }),
      );
      const row = see(page, "audit").locator('[data-action="execution.killswitch.set"]').first();
      await row.getByTestId("check").click();
      await until(page, "proof", /✗ [\s\S]*the proof is about entry \d+/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it(
    "an archive that is not the listed one is not saved",
    async () => {
      const { bundle_id } = await ok(program, "POST", "/api/support_bundles", { reason: "for whoever helps" });
      await eventually(
        async () => (await ok(program, "GET", `/api/support_bundles/${String(bundle_id)}`))["state"] === "READY",
      );
      const page = await chromium.open();
      let saved = 0;
      page.on("download", () => (saved += 1));
      await turnTo(page, "Settings");
      await page.route("**/archive", async (route) => {
        const answer = (await (await route.fetch()).json()) as { data: Data };
        const bytes = Buffer.from(String(answer.data["archive_base64"]), "base64");
        bytes[100] = (bytes[100] ?? 0) ^ 1;
        // It even says so itself: only the list and the bytes are believed together.
        const archive_sha256 = createHash("sha256").update(bytes).digest("hex");
        const data = { ...answer.data, archive_sha256, archive_base64: bytes.toString("base64") };
        await route.fulfill({ json: { ...answer, data } });
      });
      await see(page, "take-bundle").first().click();
      await until(page, "bundle-taken", /✗ What came is not the archive[\s\S]*[0-9a-f]{64}/);
      expect(saved).toBe(0);
      await page.unroute("**/archive");
      const download = page.waitForEvent("download");
      await see(page, "take-bundle").first().click();
      await download;
      await until(page, "bundle-taken", /✓ Its SHA-256 was checked here/);
      expect(await textOf(page, "bundle")).toMatch(/READY[\s\S]*ago[\s\S]*bytes · \d+ files · sha256 [0-9a-f]{64}/);
      await chromium.shut(page);
    },
    SLOW_MS,
  );

  it("no page complained", () => expect(chromium.complaints).toEqual([]));
});
