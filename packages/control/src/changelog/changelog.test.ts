import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { problemOf } from "./model.ts";

const NAMES = ["bot-1", "ema-cross", "demo_pack"];
const problem = (text: string, previous?: string) => problemOf({ text, previous, names: NAMES });
const ZERO_WIDTH = "\u200b";

describe("[L-12] a changelog that says nothing", () => {
  const EMPTY = ["", " ", "\n\t", "...", "-- !!", "…", ZERO_WIDTH, "\u3164\u3164", "\u2800", "\u00ad\u00ad", "🚀🚀"];
  for (const text of EMPTY) it(`is empty: ${JSON.stringify(text)}`, () => expect(problem(text)).toBe("it is empty"));

  const NOTHING = [
    ["fix", "Fix.", "FIXES", "update", "wip", "WIP!!!", "bug fixes", "bug fixes and improvements", "minor changes"],
    ["update config", "new version of the strategy", "misc. fixes & tweaks", "test", "asdf", "n/a", "TODO", "none"],
    ["1.2.3", "v2", "bump version to 1.2.3-rc.1", "release 2.0", "bot-1 1.4.0", "ema-cross update", "see git log"],
    ["https://git.example/pull/17", "JIRA-1234", "#42", "commit 4f2a9c1e77", "0123456789abcdef0123456789abcdef"],
    ["fix fix fix fix fix", "update update update", "aaaa bbbb cccc dddd", "x y z a b c", "12 13 14 15"],
    ["f\u200bi\u200bx", "ｆｉｘ", "fi\u0301x", "f\u0456\u0445", "u\u0440d\u0430t\u0435", "𝐟𝐢𝐱 𝐮𝐩𝐝𝐚𝐭𝐞", "f i x"],
    ["修正", "バグ修正", "修正しました", "軽微な修正と改善", "更新", "исправления", "обновление"],
    ["rаises thе limіt оf оrdеrs"],
  ].flat();
  for (const text of NOTHING)
    it(`only says that something changed: ${JSON.stringify(text)}`, () =>
      expect(problem(text)).toBe("it only says that something changed, not what"));

  it("is the one of the version before, but for spaces, signs, marks or the version", () => {
    const before = "Release 1.2.0: exits earlier when the spread widens";
    for (const text of [
      before,
      `  ${before.toUpperCase()}!`,
      "Release 1.3.0 - exits earlier, when the spread widens",
      before.replaceAll("e", "e\u200d"),
    ])
      expect(problem(text, before), text).toBe("it is the one of the version before");
    expect(problem("exits later when the spread widens", before)).toBeUndefined();
  });
});

describe("[L-12] a changelog that says something", () => {
  const GOOD = [
    "Raises fast from 10 to 12",
    "Exits earlier when the spread widens",
    "stop losses are wider on illiquid pairs",
    "損切りを早めるため閾値を二倍にした",
    "스프레드가 넓어지면 더 일찍 청산한다",
    "Ограничивает размер заявки при широком спреде",
    "ขยายจุดตัดขาดทุนเมื่อสภาพคล่องต่ำ",
    "fix: quantity was rounded up, so that orders exceeded the budget (JIRA-7)",
  ];
  for (const text of GOOD) it(text, () => expect(problem(text)).toBeUndefined());
});

describe("[L-12] going live", () => {
  let world: Control;
  const SAYS = "crosses two averages and leaves within a minute";
  beforeEach(async () => {
    world = await openControl();
    await world.dialRunner();
    await world.addVenueOutside();
  });
  afterEach(() => world.close());
  const made = async (over: Record<string, unknown>) => dataOf(await world.makeBot("bot-1", { venue: "OUT", ...over }));
  const ask = (operation: string, body: Record<string, unknown>) =>
    world.command(operation, { command_id: world.id(), reason: "test", ...body }, { params: { bot_id: "bot-1" } });
  const apply = (fast: number, reason: string) =>
    ask("bots.config_apply", { config: { fast }, at: "next_tick", reason });
  const REFUSED = { failure: { code: "RUMI-BOT-086", reasonCode: "L.CHANGELOG.REFUSED" } };

  it("takes a changelog that says something: refused with the way out, written down once, then it passes", async () => {
    await made({ reason: "first version" });
    const paper = dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER", { dry_run: true }));
    const { items } = (paper["preview"] as { preflight: { items: { item: string; state: string }[] } }).preflight;
    expect(
      items.find(({ item }) => item === "changelog"),
      "paper is told",
    ).toMatchObject({ state: "NOTE" });
    const refused = await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE");
    expect(refused).toMatchObject({ failure: { ...REFUSED.failure, details: { failed_item: "changelog" } } });
    expect(await ask("bots.changelog", { changelog: "more fixes" })).toMatchObject(REFUSED);
    expect(dataOf(await ask("bots.changelog", { changelog: SAYS }))).toMatchObject({ version: "1.0.0", passes: true });
    expect(codeOf(await ask("bots.changelog", { changelog: `${SAYS}, really` }))).toBe("RUMI-BOT-087");
    expect(dataOf(await world.query("bots.changelogs", {}, { bot_id: "bot-1" }))).toMatchObject({
      changelogs: [{ version: "1.0.0", changelog: SAYS, passes: true, problem: null }],
    });
    expect(dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"))).toMatchObject({ state: "RUNNING_LIVE" });
  });

  it("judges each version by its own: an older one's does not count, a rewording needs none", async () => {
    await made({ reason: SAYS });
    dataOf(await ask("bots.runbook", { runbook: "docs/desk.md" }));
    dataOf(await apply(11, "update"));
    expect(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE")).toMatchObject(REFUSED);
    dataOf(await apply(12, SAYS));
    dataOf(await apply(13, SAYS));
    expect(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"), "that of the one before").toMatchObject(REFUSED);
    dataOf(await apply(14, "reacts faster after news of the exchange"));
    dataOf(await ask("bots.runbook", { runbook: "docs/other.md" }));
    dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"));
  });

  it("is no way around it: what runs live takes no configuration and no version without one", async () => {
    await made({ reason: SAYS });
    dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"));
    await world.until("it runs", () => world.runner.instances.size === 1);
    expect(await world.confirm(await apply(11, "tweak"))).toMatchObject(REFUSED);
    const update = (reason: string) =>
      ask("bots.update", { strategy_version: "1.0.0", digest: world.digest, config: { fast: 12 }, reason });
    expect(await world.confirm(await update("tweak"))).toMatchObject(REFUSED);
    expect(await world.bot()).toMatchObject({ generation: 1 });
    dataOf(await world.confirm(await apply(11, "reacts faster after news of the exchange")));
    expect(await world.bot()).toMatchObject({ generation: 2, version: "1.1.0" });
  });
});
