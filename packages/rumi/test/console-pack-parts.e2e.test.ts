/** Packs in a real browser: one sent from it, and what one holds and does, each part with what may be done about it. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zipSync, type Zippable } from "fflate";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { accessibilityProblems } from "./axe.ts";
import { confirm, openConsole, overflowOf, picture, see, turnTo, until, type Console } from "./browser.ts";
import { eventually, startProgram, type Program } from "./program.ts";
import { installPack, makePeople, ok, type Data, type Person } from "./rig.ts";

const SLOW_MS = 360_000;
const work = temporaryFolder();
let program: Program;
let chromium: Console;
let people: ReadonlyMap<string, Person> = new Map();

const manifest = (over: Data = {}): Data =>
  sampleManifest({
    pack_id: "shop",
    pack_identity: "local:shop",
    display_name: "Shop",
    strategies: [],
    vocabulary: { types: ["route"] },
    ...over,
  });
const UNIT = {
  unit_id: "sum",
  version: "1.0.0",
  kind: "python",
  entrypoint: "main.py:execute",
  declared_by_pack_id: "shop",
  exec_modes_allowed: ["sandbox"],
  permission_id: "unit.sum",
};
const FILES: Readonly<Record<string, string>> = {
  "flows/echo.flow.yaml":
    "flow_id: shop.echo\noutputs: { answer: any }\nphases: [p]\nsteps:\n  - { id: a, phase: p, type: set, input: { a: 1 }, output: answer }\n",
  "routes.json": JSON.stringify({
    routes: [
      { method: "POST", path: "/shop/items", flow_id: "shop.echo", description: "Takes anything.", timeout: 5 },
      { method: "POST", path: "/api/packs/scan", flow_id: "shop.echo" },
    ],
  }),
  "units/sum/unit.json": JSON.stringify(UNIT),
  "units/sum/main.py": 'def execute(context, args):\n    return {"sum": sum(args["numbers"])}\n',
};
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const archive = (name: string, over: Data = {}, files: Zippable = {}): string => {
  const path = join(work.path, name);
  writeFileSync(path, zipSync({ "p/ecosystem.json": text(JSON.stringify(manifest(over))), ...files }, { level: 0 }));
  return path;
};
const open = async (who: string, options: { readonly locale?: string } = {}): Promise<Page> => {
  const page = await chromium.open({ token: people.get(who)?.token ?? program.token, ...options });
  await until(page, "myself", /\w/);
  return page;
};
const at = (page: Page, hash: string): Promise<unknown> => page.goto(`${program.url}/${hash}`);
const press = (where: Page | Locator, name: string): Promise<void> =>
  where.getByRole("button", { name, exact: true }).first().click();
const panel = (page: Page, name: string): Locator => see(page, `panel-${name}`);
const left = (folder: string): readonly string[] => {
  const path = join(program.home, "user_data", folder);
  return existsSync(path) ? readdirSync(path) : [];
};
/** One pack as everybody sees it. */
const installed = (pack_id: string, over: Data = {}): Promise<string> =>
  installPack(
    program,
    writePack(
      join(work.path, "origin", pack_id),
      manifest({ pack_id, pack_identity: `local:${pack_id}`, ...over }),
      FILES,
    ),
    pack_id,
  );

describe.runIf(requires("chromium"))("parts of packs in Chromium", () => {
  beforeAll(async () => {
    program = await startProgram({ console: "served" });
    chromium = await openConsole(program);
    people = await makePeople(program, { viewer: "view_only", operator: "operator", admin: "admin" });
  }, SLOW_MS);
  afterAll(async () => {
    await chromium?.close();
    await program?.stop();
    work.remove();
  });

  it(
    "[R-5.2] [R-11.1] a pack is sent from this machine: hashed first, refused with its code, seen on its way, taken back, imported",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("admin");
      await turnTo(page, "Packs");
      const form = see(page, "upload-form");
      const file = form.getByLabel("A .zip or .rumipack");
      expect(await form.getByRole("button", { name: "Send", exact: true }).isDisabled()).toBe(true);
      const choose = async (path: string): Promise<void> => {
        await file.setInputFiles(path);
        await press(form, "Send");
      };
      await choose(archive("evil.zip", {}, { "p/../../evil": text("x") }));
      await confirm(page, "from a stranger");
      await until(page, "refusal-code", /RUMI-PACK-009/);
      await until(page, "next-step", /Next step/);
      await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
      expect(left("pack_staging")).toEqual([]);

      const large = join(work.path, "large.zip");
      writeFileSync(large, Buffer.alloc(100_000_001));
      await file.setInputFiles(large);
      await until(page, "upload-too-long", /More than 100\.0 MB is not taken this way/);
      expect(await form.getByRole("button", { name: "Send", exact: true }).isDisabled()).toBe(true);

      const network = await page.context().newCDPSession(page);
      await network.send("Network.enable");
      const slowly = (uploadThroughput: number): Promise<unknown> =>
        network.send("Network.emulateNetworkConditions", {
          offline: false,
          latency: 0,
          downloadThroughput: -1,
          uploadThroughput,
        });
      await slowly(4_000_000);
      await choose(archive("slow.zip", {}, { "p/data.bin": new Uint8Array(30_000_000) }));
      await confirm(page, "too slow");
      await until(page, "upload-progress", /[1-9]\d? % sent/);
      expect(await accessibilityProblems(page)).toEqual([]);
      await eventually(() => left("pack_uploads").length === 1);
      await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
      await eventually(() => left("pack_uploads").length === 0); // leaving takes it back
      await slowly(-1);
      expect(await see(page, "staged-pack").count()).toBe(0);

      const path = archive("shop one.zip");
      const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
      await choose(path);
      await until(page, "upload-digest", new RegExp(`sha256 ${digest}`));
      await page.getByRole("dialog").getByRole("textbox").fill("from the maker");
      expect(await page.getByRole("dialog").getByTestId("rumi-line").innerText()).toBe(
        `rumi packs upload --file 'shop one.zip' --name 'shop one.zip' --sha256 ${digest} --reason 'from the maker'`,
      );
      await confirm(page, "from the maker");
      await until(page, "staged-pack", /shop[^]*upload:shop one\.zip/);
      expect(left("pack_uploads")).toEqual([]);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await overflowOf(page, 400)).toBe(0);
      await picture(page, "packs-upload");
      await press(see(page, "staged-pack"), "Put in place");
      await until(page, "dry-run-changes", /Version\s+–\s+1\.0\.0/);
      await until(page, "dry-run", /No live bot runs from it/);
      await picture(page, "packs-apply");
      await page.keyboard.press("Escape");
      await chromium.shut(page);
    },
  );

  it("[R-5.2] a file that is dropped is chosen as one that is picked", { timeout: SLOW_MS }, async () => {
    const page = await open("admin");
    await at(page, "#/packs");
    const form = see(page, "upload-form");
    await form.waitFor();
    const dropped = await page.evaluateHandle(`(() => {
        const all = new DataTransfer();
        all.items.add(new File(["no archive"], "dropped.zip"));
        return all;
      })()`);
    await form.dispatchEvent("drop", { dataTransfer: dropped });
    await until(page, "upload-chosen", /dropped\.zip · 10 B/);
    await press(form, "Send");
    await confirm(page, "dropped here");
    await until(page, "refusal-code", /RUMI-PACK-010/);
    await chromium.shut(page);
  });

  it(
    "[R-12.1] [R-15.1] stores: made, full of what they hold, shared and taken back, deleted with what goes; acts on the host",
    { timeout: SLOW_MS },
    async () => {
      await installed("shop");
      await installed("other", { stores: [{ store_id: "orders", owner_pack: "shop" }] });
      const page = await open("admin");
      await at(page, "#/packs/shop");
      await until(page, "panel-stores", /It has no store/);
      await see(page, "store-form").getByLabel("Another store's name").fill("orders");
      await press(see(page, "store-form"), "Make");
      await confirm(page, "for its orders");
      await until(page, "store", /orders[^]*0 of 100,000 keys[^]*0 B of 268\.4 MB/);
      await until(page, "share", /other[^]*asked for/i);
      await press(see(page, "share"), "Share");
      await confirm(page, "they belong together");
      await until(page, "share", /other[^]*shared/i);
      await at(page, "#/packs/other");
      await until(page, "shared-stores", /orders[^]*shared[^]*of shop/i);
      await press(see(page, "share"), "Stop sharing");
      await confirm(page, "no longer");
      await until(page, "shared-stores", /asked for/i);

      await at(page, "#/packs/shop");
      await until(page, "panel-privileges", /It may do nothing to the program itself/);
      const restart = see(page, "privilege").filter({ hasText: "system.restart" });
      await press(restart, "Allow");
      await confirm(page, "it updates the house");
      await eventually(async () => /^allowed$/i.test(await restart.getByTestId("privilege-state").innerText()));
      await press(restart, "Take away");
      await confirm(page, "no longer");
      await eventually(async () => /^not allowed$/i.test(await restart.getByTestId("privilege-state").innerText()));
      await press(see(page, "store"), "Delete");
      await until(page, "dry-run", /0 keys, 0 B[^]*No other pack uses it/);
      await confirm(page, "empty");
      await until(page, "panel-stores", /It has no store/);
      await chromium.shut(page);
    },
  );

  it.runIf(requires("python3") && requires("bubblewrap"))(
    "[R-13.1] a box is had ready and ended",
    { timeout: SLOW_MS },
    async () => {
      const page = await open("operator");
      await at(page, "#/packs/shop");
      await until(page, "panel-boxes", /None of its code stands ready/);
      await until(page, "isolation", /kept apart here by \w+/);
      await press(panel(page, "boxes"), "Have one ready");
      await confirm(page, "before the rush");
      await until(page, "box", /shop[^]*ready[^]*\d+ calls/i);
      await press(panel(page, "boxes"), "End them");
      await confirm(page, "after the rush");
      await until(page, "panel-boxes", /None of its code stands ready/);
      await chromium.shut(page);
    },
  );

  it(
    "[R-28.1] [R-12.2] [R-17.1] paths that it answers on, and one that it did not get; units executed; words that name it",
    { timeout: SLOW_MS },
    async () => {
      await ok(program, "POST", "/api/stores/create", { store_id: "shelf", owner_pack: "shop" });
      await ok(program, "POST", "/api/shared_dict/propose", { namespace: "trade", token: "ticker", value: "symbol" });
      await ok(program, "POST", "/api/shared_dict/propose", { namespace: "shop", token: "basket", value: "order" });
      const page = await open("admin");
      await at(page, "#/packs/shop");
      await press(panel(page, "routes"), "Read again");
      await confirm(page, "a new pack");
      await until(page, "route", /POST \/shop\/items[^]*shop\.echo[^]*at most 5 s[^]*Takes anything/);
      await until(page, "route-problem", /RUMI-PACK-032[^]*Next step/);
      await until(page, "panel-units", /rumi units publish --store-id STORE --source-dir ecosystem\/shop\/UNIT/);
      await ok(program, "POST", "/api/units/publish", {
        store_id: "shelf",
        source_dir: "ecosystem/shop/units/sum",
        namespace: "shop",
        name: "sum",
        version: "1.0.0",
      });
      await until(page, "unit", /sum[^]*1\.0\.0[^]*in shelf[^]*unit\.sum/);
      await press(see(page, "unit"), "Execute");
      await see(page, "unit-form").getByLabel("Arguments").fill('{"numbers": [1, 2]}');
      await press(see(page, "unit-form"), "Execute");
      await confirm(page, "to see");
      await until(page, "refusal-code", /RUMI-CAP-010/); // nobody granted it
      await page.getByRole("dialog").getByRole("button", { name: "Close", exact: true }).click();
      if (requires("python3") && requires("bubblewrap")) {
        await ok(program, "POST", "/api/capability/grants/grant", { principal_id: "shop", permission_id: "unit.sum" });
        await press(see(page, "unit-form"), "Execute");
        await confirm(page, "to see");
        await until(page, "unit-ran", /Ended after [\d.]+ s \(sandbox\)[^]*"sum": 3/);
      }
      await until(page, "panel-meanings", /shop\s+basket[^]*order/);
      await see(page, "other-meanings").getByText("Entries about other things: 1").click();
      await until(page, "other-meanings", /trade\s+ticker[^]*symbol/);
      await press(see(page, "meaning"), "Remove");
      await confirm(page, "nobody says so");
      await until(page, "panel-meanings", /No entry names it/);
      expect(await accessibilityProblems(page)).toEqual([]);
      expect(await overflowOf(page, 400)).toBe(0);
      await picture(page, "pack-parts");
      await chromium.shut(page);
    },
  );

  it(
    "[R-7.2] what is blocked says since when, by whom and why; who may only look is shown no act on any part, in Japanese too",
    { timeout: SLOW_MS },
    async () => {
      const candidate = {
        candidate_key: "shop:fs:fs_read:1",
        pack_id: "shop",
        sha256: "1".repeat(64),
        status: "blocked",
        rejections: 3,
        cooldown_until: null,
        note: "it reads too much",
        slug: "fs",
        handler_id: "fs_read",
        permission_id: "fs.read",
        description: "Reads one file",
        risk: "",
      };
      for (const [who, locale] of [
        ["operator", "en-US"],
        ["viewer", "ja-JP"],
      ] as const) {
        const page = await open(who, { locale });
        await page.route("**/api/capability/requests", (route) =>
          route.fulfill({ json: { success: true, data: { requests: [candidate], count: 1 } } }),
        );
        await at(page, "#/packs/shop");
        await until(
          page,
          "standing",
          who === "operator"
            ? /Blocked, without an end: it was rejected 3 times[^]*Reason: it reads too much/
            : /期限なくブロック[^]*it reads too much/,
        );
        await until(page, "panel-stores", who === "operator" ? /shelf/ : /ストア/);
        await until(page, "panel-boxes", /\w/);
        expect(await accessibilityProblems(page)).toEqual([]);
        expect(await overflowOf(page, 400)).toBe(0);
        if (who === "viewer") {
          await picture(page, "pack-parts-ja");
          const shown = await page.locator("main").getByRole("button").allInnerTexts();
          expect([...new Set(shown)].toSorted()).toEqual(["コピー", "確認"]);
        }
        await chromium.shut(page);
      }
      expect(chromium.complaints).toEqual([]);
    },
  );
});
