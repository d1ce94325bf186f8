/** The shared dictionary over HTTP, and the journal that the guide's jq lines read. */
import { execFileSync } from "node:child_process";
import { appendFileSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dictJournal, SHARED_DICT_LIMITS } from "@rumi/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
beforeEach(async () => {
  world = await openServedControl({ bare: true });
});
afterEach(() => world.close());

const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const post = async (act: string, body: Data): Promise<Data> =>
  data(await world.http("POST", `/api/shared_dict/${act}`, { namespace: "symbols", ...body }));
const propose = async (token: string, value: string): Promise<unknown> =>
  (await post("propose", { token, value }))["result"];
const path = (): string => join(world.folder, "user_data/settings/shared_dict/journal.jsonl");
const lines = (): readonly Data[] =>
  readFileSync(path(), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Data);

describe("[R-17.1] the shared dictionary over HTTP", () => {
  it("answers every wish with its result, and resolves tokens", async () => {
    expect(await propose("BTC", "bitcoin")).toBe("accepted");
    expect(await propose("XBT", "BTC")).toBe("accepted");
    expect(await propose("XBT", "BTC")).toBe("accepted");
    expect(await propose("BTC", "other")).toBe("conflict");
    expect(await propose("bitcoin", "XBT")).toBe("cycle_detected");
    const resolved = await world.http("GET", "/api/shared_dict/resolve?namespace=symbols&token=XBT");
    expect(data(resolved)).toMatchObject({ resolved: true, value: "bitcoin", path: ["XBT", "BTC", "bitcoin"] });
    expect(data(await world.http("GET", "/api/shared_dict?namespace=symbols"))).toMatchObject({ count: 2 });
    expect((await post("remove", { token: "XBT" }))["result"]).toBe("accepted");
    expect((await post("remove", { token: "XBT" }))["result"]).toBe("rejected");
    expect((await post("clear", {}))["result"]).toBe("accepted");
    const again = await world.http("POST", "/api/shared_dict/clear", { namespace: "symbols" });
    expect([again.status, again.body["error_code"]]).toEqual([404, "RUMI-SYS-011"]);
    const wrong = await world.http("POST", "/api/shared_dict/propose", { namespace: "n", token: "a b", value: "x" });
    expect(wrong.body["error_code"]).toBe("RUMI-VAL-002");
  });

  it("has limits: 1,000 namespaces, values of 1,024 characters, a journal of 100,000 lines", async () => {
    const rows = (sql: string) => world.store.commit({ writes: [{ sql, parameters: [], expect: "any" }], events: [] });
    const counted = (count: number) =>
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`;
    const { namespaces, value_characters, journal_lines } = SHARED_DICT_LIMITS;
    expect((await rows(`${counted(namespaces - 1)} INSERT INTO shared_dict SELECT 'n' || i, 't', 'v' FROM n`)).ok).toBe(
      true,
    );
    expect(await propose("first", "x".repeat(value_characters))).toBe("accepted");
    expect((await post("propose", { namespace: "one-more", token: "t", value: "v" }))["result"]).toBe("rejected");
    expect(await propose("second", "x")).toBe("accepted");
    const long = { namespace: "symbols", token: "t", value: "x".repeat(value_characters + 1) };
    expect((await world.http("POST", "/api/shared_dict/propose", long)).body["error_code"]).toBe("RUMI-VAL-012");
    const [journal] = await world.store.rows<{ last: number }>({
      sql: "SELECT max(seq) AS last FROM shared_dict_journal",
      parameters: [],
    });
    const filled = `${counted(journal_lines)} INSERT INTO shared_dict_journal SELECT ${journal?.last ?? 0} + i, '{}' FROM n`;
    expect((await rows(filled)).ok).toBe(true);
    expect(await propose("third", "x")).toBe("accepted");
    const [kept] = await world.store.rows<{ count: number; first: number }>({
      sql: "SELECT count(*) AS count, min(seq) AS first FROM shared_dict_journal",
      parameters: [],
    });
    expect(kept).toEqual({ count: journal_lines, first: (journal?.last ?? 0) + 2 });
  });

  it("the guide's jq lines read the journal", async () => {
    await propose("a", "b");
    await propose("b", "a");
    await dictJournal({ store: world.store, path: path() }).run();
    expect(lines()).toHaveLength(2);
    if (requires("jq")) {
      const line = `cat "$0" | jq 'select(.result == "cycle_detected")' | jq -r .token`;
      expect(execFileSync("bash", ["-c", line, path()], { encoding: "utf8" })).toBe("b\n");
    }
    const [cycle, ...more] = lines().filter(({ result }) => result === "cycle_detected");
    expect(more).toEqual([]);
    expect(cycle).toEqual({
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      action: "propose",
      namespace: "symbols",
      token: "b",
      value: "a",
      result: "cycle_detected",
      reason: "b → a → b",
      provenance: expect.objectContaining({ actor: expect.any(String) as string }) as object,
    });
  });

  it("the file is made whole again whatever became of it, and only grows otherwise", async () => {
    const journal = dictJournal({ store: world.store, path: path() });
    await journal.run();
    await propose("a", "b");
    await journal.run();
    await propose("c", "d");
    await journal.run();
    const whole = readFileSync(path(), "utf8");
    expect(lines().map(({ token }) => token)).toEqual(["a", "c"]);
    appendFileSync(path(), '{"half');
    await journal.run();
    expect(readFileSync(path(), "utf8")).toBe(whole);
    rmSync(path());
    await journal.run();
    expect(readFileSync(path(), "utf8")).toBe(whole);
    await dictJournal({ store: world.store, path: path() }).run();
    expect(readFileSync(path(), "utf8")).toBe(whole);
  });
});
