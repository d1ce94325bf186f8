/** Scripts of packs: which is to run (pure), and what comes of it; in real jails in packages/rumi/test/libs.e2e.test.ts. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { millis, systemRandom } from "@rumi/kernel";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dataOf, sampleManifest, writePack } from "../../test/kit.ts";
import { openPacks, type PackWorld } from "../../test/packs.ts";
import type { BlockCall } from "../flows/blocks.ts";
import type { BlockOutcome } from "../flows/run.ts";
import { dueOf, LIB_LIMITS, type Lib, type LibRecord, type LibScript } from "./model.ts";
import { createLibs, type Libs } from "./reconciler.ts";

describe("[R-27.2] which script is to run", () => {
  const script = (lib: Lib, sha256: string): LibScript => ({ lib, sha256, file: `lib/${lib}.py` });
  const record = (lib: Lib, sha256: string, state: LibRecord["state"] = "success"): LibRecord => ({
    ...script(lib, sha256),
    pack_id: "p",
    state,
    error: null,
    duration_us: 1,
    executed_at: 1,
  });
  const [install, update] = [script("install", "i1"), script("update", "u1")];
  it.each([
    ["none where there is none", [], [], undefined],
    ["an installation first, which covers the update", [install, update], [], "install covers update"],
    [
      "nothing that is on record",
      [install, update],
      [record("install", "i1"), record("update", "u1", "covered")],
      undefined,
    ],
    [
      "an update that changed",
      [install, update],
      [record("install", "i1"), record("update", "u0", "covered")],
      "update",
    ],
    [
      "an installation that changed",
      [install, update],
      [record("install", "i0"), record("update", "u1")],
      "install covers update",
    ],
    ["nothing that failed", [install], [record("install", "i1", "failed")], undefined],
    ["no update where the installation failed", [install, update], [record("install", "i1", "failed")], undefined],
    ["an update alone", [update], [], "update"],
    ["what failed and was changed", [install], [record("install", "i0", "failed")], "install"],
  ])("%s", (_, scripts, records, expected) => {
    const due = dueOf(scripts, records);
    const covered = due?.covers === undefined ? "" : ` covers ${due.covers.lib}`;
    expect(due === undefined ? undefined : `${due.script.lib}${covered}`).toBe(expected);
  });
});

describe("[R-27.2] scripts of an approved pack", () => {
  let world: PackWorld;
  let libs: Libs;
  let calls: BlockCall[];
  /** What a script is asked, and what is committed of it. */
  let underWay: Promise<unknown>[];
  let act: (call: BlockCall) => Promise<BlockOutcome> | BlockOutcome;
  /** Of the time that passes, not of the wall's. */
  let ahead_ms: number;
  const done: BlockOutcome = { kind: "output", output: null };

  beforeEach(async () => {
    calls = [];
    underWay = [];
    ahead_ms = 0;
    act = () => done;
    world = await openPacks();
    libs = createLibs({
      store: {
        ...world.store,
        commit: (batch) => {
          const committed = world.store.commit(batch);
          underWay.push(committed);
          return committed;
        },
      },
      clock: { ...world.clock, monotonic: () => millis(world.clock.monotonic() + ahead_ms) },
      random: systemRandom(),
      logger: world.pipeline.settings.logger,
      blocks: {
        call: async (call) => {
          calls.push(call);
          const outcome = Promise.resolve(act(call));
          underWay.push(outcome);
          return outcome;
        },
      },
      packs: join(world.folder, "user_data/packs"),
      recordsPath: recordsPath(),
    });
  });
  afterEach(async () => {
    await libs.close();
    await world.close();
  });
  const recordsPath = (): string => join(world.folder, "user_data/settings/lib_execution_records.json");
  const source = (): string => join(world.folder, "ecosystem/demo_pack");
  async function approve(files: Readonly<Record<string, string>>): Promise<void> {
    writePack(source(), sampleManifest({ strategies: [] }), files);
    dataOf(await world.command("packs.scan", {}));
    dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }));
  }
  const turns = async (count = 4): Promise<void> => {
    for (let at = 0; at < count; at += 1) {
      await libs.reconciler.run();
      // What a script came to is committed as soon as it has answered, and the next look may begin once it is.
      for (let settled = 0; settled < underWay.length;) {
        settled = underWay.length;
        await Promise.all(underWay);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const ran = (): readonly string[] => calls.map(({ file }) => file);
  const listed = async (): Promise<readonly Record<string, unknown>[]> =>
    dataOf(await world.query("lib.records"))["records"] as readonly Record<string, unknown>[];

  it("run once, are recorded in store and file, and run again once changed or cleared", async () => {
    await approve({ "lib/install.py": "# 1", "lib/update.py": "# 1" });
    await turns();
    expect(ran()).toEqual(["lib/install.py"]);
    expect(calls[0]).toMatchObject({ owner_pack: "demo_pack", principal_id: "demo_pack", input: { lib: "install" } });
    expect((await listed()).map((one) => [one["lib"], one["state"]])).toEqual([
      ["install", "success"],
      ["update", "covered"],
    ]);
    const file = JSON.parse(readFileSync(recordsPath(), "utf8")) as { records: Record<string, { state: string }> };
    expect(Object.entries(file.records).map(([key, { state }]) => [key, state])).toEqual([
      ["demo_pack:install", "success"],
      ["demo_pack:update", "covered"],
    ]);
    await approve({ "README.md": "another", "lib/install.py": "# 1", "lib/update.py": "# 1" });
    await turns();
    expect(ran(), "the pack changed, its scripts did not").toEqual(["lib/install.py"]);
    await approve({ "lib/install.py": "# 1", "lib/update.py": "# 2" });
    await turns();
    expect(ran()).toEqual(["lib/install.py", "lib/update.py"]);
    dataOf(await world.command("lib.clear", { pack_id: "demo_pack", lib: "update" }));
    await turns();
    expect(ran()).toEqual(["lib/install.py", "lib/update.py", "lib/update.py"]);
    expect((await world.actions()).filter((action) => action.startsWith("lib."))).toEqual([
      "lib.executed",
      "lib.executed",
      "lib.record_cleared",
      "lib.executed",
    ]);
  });

  it("one that fails is recorded and not tried again until it is changed; what could not begin is no record", async () => {
    act = () => ({ kind: "failed", problem: "no", error_code: "RUMI-STR-064" });
    await approve({ "backend/lib/install.py": "# 1" });
    await turns();
    expect([calls.length, await listed()]).toEqual([1, []]);
    await turns();
    expect(calls, "not yet").toHaveLength(1);
    ahead_ms += LIB_LIMITS.retry_ms;
    act = () => ({ kind: "failed", problem: "ValueError: as it was told", error_code: null });
    await turns();
    expect(await listed()).toMatchObject([
      { lib: "install", file: "backend/lib/install.py", state: "failed", error: "ValueError: as it was told" },
    ]);
    await turns();
    expect(calls).toHaveLength(2);
    act = () => done;
    await approve({ "backend/lib/install.py": "# 2" });
    await turns();
    expect(await listed()).toMatchObject([{ state: "success", error: null }]);
  });

  it("none of a pack that is not approved or is modified, and none stays of one that is uninstalled", async () => {
    writePack(source(), sampleManifest({ strategies: [] }), { "lib/install.py": "# 1" });
    dataOf(await world.command("packs.scan", {}));
    await turns();
    expect(calls).toEqual([]);
    dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }));
    await turns();
    expect(calls).toHaveLength(1);
    writeFileSync(join(source(), "lib/install.py"), "# 2");
    dataOf(await world.command("packs.scan", {}));
    await turns();
    expect(calls).toHaveLength(1);
    dataOf(await world.command("lib.clear", { pack_id: "demo_pack" }));
    await turns();
    expect(calls, "not even what was cleared").toHaveLength(1);
    dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }));
    await turns();
    expect(calls).toHaveLength(2);
    dataOf(await world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } }));
    expect(await listed()).toEqual([]);
  });

  it("one that is under way when the program ends is no record: the next program runs it again", async () => {
    act = ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve({ kind: "failed", problem: "killed", error_code: null })),
      );
    await approve({ "lib/install.py": "# 1" });
    await libs.reconciler.run();
    expect(calls).toHaveLength(1);
    await libs.close();
    expect(await listed()).toEqual([]);
  });
});
