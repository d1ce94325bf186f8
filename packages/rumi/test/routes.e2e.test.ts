/** Routes of packs over HTTP against the built program: served behind the same token, run by the pack's own flow. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { eventually, startProgram, type Answer, type Program } from "./program.ts";
import { installPack, ok, type Data } from "./rig.ts";

const home = temporaryFolder();
let program: Program;

const flow = (flow_id: string, inputs: string, value: string): string =>
  `flow_id: ${flow_id}\n${inputs}outputs: { answer: any }\nphases: [p]\nsteps:\n  - { id: a, phase: p, type: set, input: ${value}, output: answer }\n`;
const ECHO = `{ method: "\${ctx._method}", path: "\${ctx._path}", params: "\${ctx._path_params}", raw: "\${ctx._raw_body}", type: "\${ctx._headers.content-type}", secret: "\${ctx._headers.authorization}", name: "\${ctx.name}" }`;
const routes = [
  { method: "GET", path: "/shop/items/{item_id}", flow_id: "shop.echo" },
  { method: "PUT", path: "/shop/items/{item_id}", flow_id: "shop.echo", timeout: 5 },
  { method: "DELETE", path: "/shop/items/{item_id}", flow_id: "shop.echo" },
  { method: "POST", path: "/shop/items", flow_id: "shop.echo", description: "Takes anything." },
  { method: "GET", path: "/shop/items/newest", flow_id: "shop.typed" },
  { method: "POST", path: "/shop/typed", flow_id: "shop.typed" },
  { method: "POST", path: "/shop/foreign", flow_id: "operators_own" },
  { method: "POST", path: "/shop/gone", flow_id: "shop.gone" },
  { method: "POST", path: "/api/packs/scan", flow_id: "shop.echo" },
  { method: "GET", path: "/api/packs/{pack_id}/status", flow_id: "shop.echo" },
];
const FILES: Readonly<Record<string, string>> = {
  "routes.json": JSON.stringify({ routes }),
  "flows/echo.flow.yaml": flow("shop.echo", "", ECHO),
  "flows/typed.flow.yaml": flow(
    "shop.typed",
    "inputs: { name: string, _method: string }\n",
    '["${ctx.name}", "${ctx._method}"]',
  ),
};

async function install(pack_id: string, files: Readonly<Record<string, string>>): Promise<void> {
  const folder = join(home.path, "origin", pack_id);
  const manifest = { pack_id, pack_identity: `test:${pack_id}`, version: "1.0.0", vocabulary: { types: ["route"] } };
  for (const [path, text] of Object.entries({ ...files, "ecosystem.json": JSON.stringify(manifest) })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await installPack(program, folder, pack_id);
  await ok(program, "POST", "/api/routes/reload", "");
}
const send = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
  program.call(method, path, body, headers);
const answerOf = (answer: Answer): unknown => (answer.body["result"] as unknown as Data | undefined)?.["answer"];
const refusal = (answer: Answer): readonly unknown[] => [answer.status, answer.body["error_code"]];

beforeAll(async () => {
  mkdirSync(join(home.path, "flows"), { recursive: true });
  writeFileSync(join(home.path, "flows/operators_own.flow.yaml"), flow("operators_own", "", "{ a: 1 }"));
  program = await startProgram({ home: home.path });
  await install("shop", FILES);
}, 180_000);
afterAll(async () => {
  await program?.stop();
  home.remove();
});

describe("routes of packs", () => {
  it("[R-28.1] a route runs the pack's own flow, with what the request was", async () => {
    const got = await send("GET", "/shop/items/a%2Fb?x=1");
    expect(got.status).toBe(200);
    expect(got.body).toMatchObject({
      success: true,
      flow_id: "shop.echo",
      execution_time: expect.any(Number) as number,
    });
    expect(answerOf(got)).toEqual({
      method: "GET",
      path: "/shop/items/a%2Fb",
      params: { item_id: "a/b" },
      raw: "",
      type: null,
      secret: null,
      name: null,
    });
    const body = '{"name": "World"}';
    expect(answerOf(await send("POST", "/shop/items", body))).toMatchObject({
      method: "POST",
      params: {},
      raw: body,
      type: "application/json",
      name: "World",
    });
    const form = { "content-type": "application/x-www-form-urlencoded" };
    expect(answerOf(await send("PUT", "/shop/items/7", "name=World", form))).toMatchObject({
      method: "PUT",
      raw: "name=World",
      name: null,
    });
    expect(answerOf(await send("DELETE", "/shop/items/7"))).toMatchObject({ method: "DELETE" });
  });

  it("[R-28.1] a written segment is matched before a parameter; a flow that declares its inputs gets those only", async () => {
    expect(answerOf(await send("GET", "/shop/items/newest"))).toEqual([null, "GET"]);
    expect(answerOf(await send("POST", "/shop/typed", { name: "x" }))).toEqual(["x", "POST"]);
    expect(refusal(await send("POST", "/shop/typed", { other: 1 }))).toEqual([400, "RUMI-FLOW-012"]);
    expect(refusal(await send("POST", "/shop/items", { _method: "GET" }))).toEqual([400, "RUMI-VAL-002"]);
    expect(refusal(await send("POST", "/shop/items", "{nope"))).toEqual([400, "RUMI-VAL-010"]);
  });

  it("[R-28.1] [R-4.1] without a token or with a wrong one it is 401; what a pack does not have is unknown", async () => {
    for (const headers of [{}, { authorization: "Bearer rumi_dev_wrong" }]) {
      const answer = await fetch(new URL("/shop/items/1", program.url), { headers: headers as Record<string, string> });
      expect(answer.status).toBe(401);
    }
    expect(refusal(await send("GET", "/shop"))).toEqual([404, "RUMI-SYS-004"]);
    const other = await send("POST", "/shop/items/1", {});
    expect([...refusal(other), other.headers.get("allow")]).toEqual([405, "RUMI-SYS-013", "DELETE, GET, PUT"]);
    expect(refusal(await send("PUT", "/api/packs", {}))).toEqual([405, "RUMI-SYS-013"]);
  });

  it("[R-28.1] a flow that is not the pack's own is 403, one that there is not 404", async () => {
    expect(refusal(await send("POST", "/shop/foreign"))).toEqual([403, "RUMI-PACK-031"]);
    expect(refusal(await send("POST", "/shop/gone"))).toEqual([404, "RUMI-FLOW-001"]);
  });

  it("[R-28.1] the list names every route and each that is refused; the program's own paths are nobody's", async () => {
    await install("second", {
      "routes.json": JSON.stringify({ routes: [{ method: "GET", path: "/shop/items/{other}", flow_id: "x" }] }),
    });
    await install("third", { "routes.json": '{"routes": [{"method": "PATCH", "path": "/third", "flow_id": "x"}]}' });
    const listed = await ok(program, "GET", "/api/routes");
    expect(listed["count"]).toBe(8);
    expect(listed["routes"]).toContainEqual({
      pack_id: "shop",
      method: "POST",
      path: "/shop/items",
      flow_id: "shop.echo",
      description: "Takes anything.",
      timeout: 300,
    });
    const problems = listed["problems"] as readonly Data[];
    expect(problems.map(({ pack_id, path, error_code }) => [pack_id, path, error_code])).toEqual([
      ["shop", "/api/packs/scan", "RUMI-PACK-032"],
      ["shop", "/api/packs/{pack_id}/status", "RUMI-PACK-032"],
      ["second", "/shop/items/{other}", "RUMI-PACK-032"],
      ["third", null, "RUMI-PACK-030"],
    ]);
    expect(answerOf(await send("GET", "/shop/items/1"))).toMatchObject({ params: { item_id: "1" } });
    expect((await ok(program, "POST", "/api/packs/scan", ""))["packs"]).toBeDefined();
  });

  it("[R-28.1] a repeated request with the same key is answered by the same run", async () => {
    const key = { "idempotency-key": crypto.randomUUID() };
    const [first, again] = [
      await send("POST", "/shop/items", { name: "k" }, key),
      await send("POST", "/shop/items", { name: "k" }, key),
    ];
    expect(again.body["duplicate_suppressed"]).toBe(true);
    expect(again.body["execution_time"]).toBe(first.body["execution_time"]);
  });

  it("[R-28.1] [R-5.1] off while the pack is modified, on again when it was approved again, gone when it is uninstalled", async () => {
    const file = join(home.path, "ecosystem/shop/flows/more.txt");
    writeFileSync(file, "x");
    expect(refusal(await send("GET", "/shop/items/1"))).toEqual([403, "RUMI-PACK-007"]);
    await eventually(async () => refusal(await send("GET", "/shop/items/1"))[0] === 404);
    expect((await ok(program, "GET", "/api/routes"))["count"]).toBe(1); // the second pack's, which nobody keeps from it now
    await ok(program, "POST", "/api/packs/shop/approve");
    await ok(program, "POST", "/api/routes/reload", "");
    expect(refusal(await send("POST", "/shop/items", {}))).toEqual([200, undefined]);
    await ok(program, "DELETE", "/api/packs/shop");
    await eventually(async () => refusal(await send("POST", "/shop/items", {}))[0] === 404);
  });
});
