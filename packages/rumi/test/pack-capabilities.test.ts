/** What the program itself answers packs beside secrets and stores: inboxes, proposals for packs, containers of their own. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemRandom, uuidv7, type Json, type JsonObject } from "@rumi/kernel";
import { createMetrics } from "@rumi/operations";
import {
  CONTAINER_LIMITS,
  createCapabilityCalls,
  createPackContainers,
  dockerEngine,
  INBOX_LIMITS,
  inboxSend,
  PACK_LIMITS,
  PROPOSAL_LIMITS,
  proposePatch,
  createStoreAccess,
  storeBuiltins,
  type PackContainers,
} from "@rumi/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { PackEngine } from "../../platform/test/pack-engine.kit.ts";
import { containerSweep } from "../src/program/containers.ts";
import { innerCommands } from "../src/program/inner-commands.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
let engine: PackEngine;
let containers: PackContainers;
beforeEach(async () => {
  world = await openServedControl({ bare: true });
  engine = new PackEngine(world.folder);
  await engine.listen();
  containers = packContainers();
  await install("sender");
  await install("receiver", { "blocks/a.py": "def run():\n    return 1\n" });
});
afterEach(async () => {
  expect(engine.problems).toEqual([]);
  await engine.close();
  await world.close();
});

const packContainers = (home = "home-1", socket = engine.socket): PackContainers =>
  createPackContainers({ engine: dockerEngine(socket), socket, home, clock: world.clock, random: systemRandom() });
const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
async function install(pack_id: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [] });
  writePack(join(world.folder, "ecosystem", pack_id), manifest, files);
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
const grant = async (permission_id: string, config: JsonObject = {}, principal_id = "sender"): Promise<void> =>
  void data(await post("/api/capability/grants/grant", { principal_id, permission_id, config }));
const neither = (): never => {
  throw new Error("a built-in permission asks for no handler");
};
type More = { readonly principal?: string; readonly request_id?: string; readonly timeout_seconds?: number };

/** As a pack's code calls it: its output, or type and code of the refusal. */
async function call(permission_id: string, args: JsonObject, more: More = {}): Promise<Json> {
  const { store, clock, library, folder } = world;
  const inner = innerCommands(() => uuidv7(clock.now(), systemRandom()));
  inner.attach(world.pipeline, world.registry);
  const { importProposal } = inner;
  const answer = await createCapabilityCalls({
    store,
    clock,
    library,
    random: systemRandom(),
    metrics: createMetrics(),
    handlers: { permissions: neither, find: neither },
    jails: { callHandler: neither },
    builtins: {
      "pack.inbox.send": inboxSend({ store, clock, random: systemRandom() }),
      "pack.update.propose_patch": proposePatch({
        library,
        limits: PACK_LIMITS,
        inbox: join(folder, "user_data/inbox"),
        importProposal,
      }),
      ...storeBuiltins(createStoreAccess({ store, clock })),
      ...containers.builtins,
    },
  })({ principal: "sender", permission_id, args, timeout_seconds: 30, request_id: null, ...more });
  return answer.success ? answer.output : `${answer.error_type} ${answer.error_code} ${answer.error}`;
}

describe("[R-8.1] pack.inbox.send", () => {
  const send = (more: JsonObject = {}, over: More = {}): Promise<Json> =>
    call("pack.inbox.send", { pack_id: "receiver", subject: "rates", body: { usd: 1 }, ...more }, over);
  const open = async (): Promise<void> =>
    void data(await post("/api/stores/create", { store_id: "inbox-receiver", owner_pack: "receiver" }));
  const inbox = async (permission_id: string, args: JsonObject): Promise<Json> =>
    call(permission_id, { store_id: "inbox-receiver", ...args }, { principal: "receiver" });

  it("goes to packs that the grant names, into an inbox that a person opened; its owner reads and deletes it", async () => {
    expect(await send()).toContain("grant_denied RUMI-CAP-010");
    await grant("pack.inbox.send", { allowed_packs: ["other"] });
    expect(await send()).toContain("grant_denied RUMI-CAP-013");
    await grant("pack.inbox.send", { allowed_packs: ["receiver", "gone"] });
    expect(await send({ pack_id: "gone" })).toContain("approval_denied RUMI-PACK-006");
    expect(await send()).toContain("RUMI-DATA-001");
    await open();
    const sent = (await send()) as JsonObject;
    expect(sent).toEqual({ message_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string, sent: true });
    await grant("store.list", { allowed_store_ids: ["inbox-receiver"] }, "receiver");
    await grant("store.get", { allowed_store_ids: ["inbox-receiver"] }, "receiver");
    await grant("store.delete", { allowed_store_ids: ["inbox-receiver"] }, "receiver");
    expect(await inbox("store.list", {})).toEqual({ keys: [sent["message_id"]], next_after: null });
    expect(await inbox("store.get", { key: String(sent["message_id"]) })).toMatchObject({
      value: { from: "sender", subject: "rates", body: { usd: 1 }, sent_at: expect.stringContaining("T") as string },
    });
    expect(await inbox("store.delete", { key: String(sent["message_id"]) })).toEqual({ deleted: true });
  });

  it("one request_id is one message; other content under it is refused; a sender sees nothing of the inbox", async () => {
    await grant("pack.inbox.send", { allowed_packs: ["receiver"] });
    await open();
    const all = await Promise.all(Array.from({ length: 8 }, () => send({}, { request_id: "r1" })));
    expect(all.filter((one) => (one as JsonObject)["sent"] === true)).toHaveLength(1);
    expect(new Set(all.map((one) => (one as JsonObject)["message_id"])).size).toBe(1);
    expect(await send({ body: { usd: 2 } }, { request_id: "r1" })).toContain("execution_error RUMI-CAP-002");
    expect(await send({ body: { usd: 2 } }, { request_id: "r2" })).toMatchObject({ sent: true });
    await grant("store.list", { allowed_store_ids: ["inbox-receiver"] });
    expect(await call("store.list", { store_id: "inbox-receiver" })).toContain("RUMI-DATA-003");
  });

  it("the same request_id of two senders is two messages: nobody's takes another one's place", async () => {
    await open();
    for (const principal of ["sender", "receiver"])
      await grant("pack.inbox.send", { allowed_packs: ["receiver"] }, principal);
    const ids: string[] = [];
    for (const principal of ["sender", "receiver"]) {
      const sent = (await send({ body: principal }, { principal, request_id: "r1" })) as JsonObject;
      expect(sent["sent"]).toBe(true);
      ids.push(String(sent["message_id"]));
    }
    for (const one of ["store.list", "store.get"])
      await grant(one, { allowed_store_ids: ["inbox-receiver"] }, "receiver");
    expect(await inbox("store.list", {})).toEqual({ keys: ids.toSorted(), next_after: null });
    for (const [at, from] of ["sender", "receiver"].entries())
      expect(await inbox("store.get", { key: ids[at] ?? "" })).toMatchObject({ value: { from, body: from } });
  });

  it("refuses what is too large, too long, of no form, and an inbox that is another pack's", async () => {
    await grant("pack.inbox.send", { allowed_packs: ["receiver", "sender"] });
    await open();
    const room = INBOX_LIMITS.message_bytes - 250;
    expect(await send({ body: "x".repeat(room) })).toMatchObject({ sent: true });
    expect(await send({ body: "x".repeat(INBOX_LIMITS.message_bytes) })).toContain("RUMI-DATA-004");
    expect(await send({ subject: "s".repeat(INBOX_LIMITS.subject_characters) })).toMatchObject({ sent: true });
    expect(await send({ subject: "s".repeat(INBOX_LIMITS.subject_characters + 1) })).toContain("RUMI-VAL-002");
    expect(await send({ subject: "" })).toContain("RUMI-VAL-002");
    expect(await send({ urgent: true })).toContain("RUMI-VAL-008");
    data(await post("/api/stores/create", { store_id: "inbox-sender", owner_pack: "receiver" }));
    expect(await send({ pack_id: "sender" })).toContain("RUMI-DATA-001");
  });
});

describe("[R-11.1] [R-8.1] pack.update.propose_patch", () => {
  const propose = (files: Readonly<Record<string, string | null>>, more: JsonObject = {}): Promise<Json> =>
    call("pack.update.propose_patch", { pack_id: "receiver", reason: "a better block", files, ...more });
  const better = { "blocks/a.py": "def run():\n    return 2\n", "blocks/b.py": "x = 1\n" };
  const approved = async (): Promise<unknown> =>
    ((await world.library.packOf(world.store, "receiver")) as { approved: { digest: string } }).approved.digest;
  const left = (): readonly string[] => {
    const folder = join(world.folder, "user_data/inbox/proposals");
    return existsSync(folder) ? readdirSync(folder) : [];
  };

  it("lies in staging as an import does; the approved pack is as it was until people apply and approve it", async () => {
    expect(await propose(better)).toContain("grant_denied RUMI-CAP-010");
    await grant("pack.update.propose_patch", { allowed_packs: ["receiver"] });
    const before = await approved();
    const made = (await propose(better)) as JsonObject;
    expect(made).toMatchObject({ pack_id: "receiver", changed: ["blocks/a.py", "blocks/b.py"] });
    expect([await approved(), left()]).toEqual([before, []]);
    expect(readFileSync(join(world.folder, "ecosystem/receiver/blocks/a.py"), "utf8")).toContain("return 1");
    expect((await world.actions()).slice(-3)).toEqual([
      "pack.imported",
      "controlplane.command.applied",
      "capability.executed",
    ]);
    expect(((await propose(better)) as JsonObject)["staging_id"]).toBe(made["staging_id"]);
    data(await post("/api/packs/apply", { staging_id: made["staging_id"] }));
    expect(await approved()).toBe(before);
    expect(data(await post("/api/packs/receiver/approve"))["approved_digest"]).toBe(made["digest"]);
    const verified = await world.library.verify("receiver");
    expect(readFileSync(join(verified.ok ? verified.value.directory : "", "blocks/a.py"), "utf8")).toContain(
      "return 2",
    );
    expect(await propose({ "blocks/b.py": null })).toMatchObject({ changed: ["blocks/b.py"] });
  });

  it.each<readonly [string, Readonly<Record<string, string | null>>, string]>([
    ["no change", { "blocks/a.py": "def run():\n    return 1\n" }, "changes nothing"],
    ["a file that is not there", { "no.py": null }, "there is no file no.py"],
    ["a way out", { "../outside.py": "x" }, "RUMI-PACK-009"],
    ["an absolute path", { "/tmp/x.py": "x" }, "RUMI-PACK-009"],
    ["a name without sight", { "blocks/a\u200b.py": "x" }, "RUMI-PACK-009"],
    ["text that is none", { "blocks/a.py": "\ud800" }, "is not Unicode"],
    ["another pack's name", { "ecosystem.json": '{"pack_id": "sender"}' }, "does not name the pack receiver"],
    ["no manifest", { "ecosystem.json": null }, "does not name the pack receiver"],
    ["no JSON", { "ecosystem.json": "{" }, "does not name the pack receiver"],
    ["a manifest that is none", { "ecosystem.json": '{"pack_id": "receiver", "version": 1}' }, "RUMI-"],
    ["a name twice apart from case", { "BLOCKS/A.py": "x" }, "RUMI-PACK-009"],
    ["nothing", {}, "RUMI-VAL-002"],
  ])("refuses %s, and leaves nothing", async (_, files, problem) => {
    await grant("pack.update.propose_patch", { allowed_packs: ["receiver"] });
    const before = await world.actions();
    expect(await propose(files)).toContain(problem);
    expect(left()).toEqual([]);
    expect((await world.actions()).slice(before.length)).not.toContain("pack.imported");
  });

  it("refuses more files than the limit, a pack that is not named, and one that is not as it was approved", async () => {
    await grant("pack.update.propose_patch", { allowed_packs: ["receiver"] });
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}.txt`, "x"]));
    expect(await propose(many(PROPOSAL_LIMITS.files))).toMatchObject({ pack_id: "receiver" });
    expect(await propose(many(PROPOSAL_LIMITS.files + 1))).toContain(`more than ${PROPOSAL_LIMITS.files} files`);
    expect(await propose(better, { pack_id: "sender" })).toContain("RUMI-CAP-013");
    expect(await propose(better, { reason: "" })).toContain("RUMI-VAL-002");
    writeFileSync(join(world.folder, "ecosystem/receiver/blocks/a.py"), "changed = True\n");
    expect(await propose(better)).toContain("approval_denied RUMI-PACK-007");
  });
});

describe("[R-13.1] [R-8.1] docker.run, exec, logs, stop, list", () => {
  const IMAGE = `registry.example/tools@sha256:${"a".repeat(64)}`;
  const SLEEP = ["/bin/sh", "-c", "echo ready; echo no >&2; exec sleep 60"];
  const run = (more: JsonObject = {}, over: More = {}): Promise<Json> =>
    call("docker.run", { image: IMAGE, command: SLEEP, ...more }, over);
  const idOf = (answer: Json): string => String((answer as JsonObject)["container_id"]);
  const list = async (over: More = {}): Promise<readonly JsonObject[]> =>
    ((await call("docker.list", {}, over)) as { containers: readonly JsonObject[] }).containers;
  const logs = async (container_id: string): Promise<Json> => {
    let said: Json = null;
    await expect
      .poll(async () => JSON.stringify((said = await call("docker.logs", { container_id }))))
      .toContain("no\\n");
    return said;
  };
  const all = ["docker.run", "docker.exec", "docker.logs", "docker.stop", "docker.list"];
  const allowed = async (principal = "sender"): Promise<void> => {
    engine.images.add(IMAGE);
    for (const one of all) await grant(one, one === "docker.run" ? { allowed_images: [IMAGE] } : {}, principal);
  };

  it("runs an image by its digest, boxed; says what it said; runs a command in it; stops it", async () => {
    for (const one of all) expect(await call(one, {})).toContain("grant_denied RUMI-CAP-010");
    await allowed();
    const container_id = idOf(await run({ environment: { MODE: "x" } }));
    expect(container_id).toMatch(/^[0-9a-f]{64}$/);
    expect(await logs(container_id)).toEqual({ stdout: "ready\n", stderr: "no\n" });
    expect(await call("docker.exec", { container_id, command: ["/bin/sh", "-c", "echo hi; exit 3"] })).toEqual({
      exit_code: 3,
      stdout: "hi\n",
      stderr: "",
    });
    expect(await list()).toMatchObject([{ container_id, image: IMAGE, state: "running" }]);
    expect(await call("docker.stop", { container_id })).toEqual({ container_id, stopped: true });
    expect(await call("docker.stop", { container_id })).toEqual({ container_id, stopped: false });
    expect(await list()).toMatchObject([{ container_id, state: "exited" }]);
    const [created] = engine.created;
    expect(created).toMatchObject({
      Image: IMAGE,
      Cmd: SLEEP,
      Env: ["MODE=x"],
      User: "65534:65534",
      NetworkDisabled: true,
      HostConfig: {
        NetworkMode: "none",
        Privileged: false,
        ReadonlyRootfs: true,
        CapAdd: [],
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
        Devices: [],
        Mounts: [],
        Binds: [],
        PidMode: "",
        IpcMode: "none",
        Memory: CONTAINER_LIMITS.memory_bytes,
        MemorySwap: CONTAINER_LIMITS.memory_bytes,
        NanoCpus: CONTAINER_LIMITS.processors * 1e9,
        PidsLimit: CONTAINER_LIMITS.processes,
        Tmpfs: { "/tmp": `rw,noexec,nosuid,nodev,mode=1777,size=${CONTAINER_LIMITS.tmp_bytes}` },
      },
    });
  });

  it("refuses a tag, an image that the grant does not name, one that is not there, and what has no form", async () => {
    for (const image of ["alpine", "alpine:3", `alpine@sha256:${"A".repeat(64)}`])
      expect(
        (
          await post("/api/capability/grants/grant", {
            principal_id: "sender",
            permission_id: "docker.run",
            config: { allowed_images: [image] },
          })
        ).body["error_code"],
      ).toBe("RUMI-CAP-008");
    await grant("docker.run", {});
    expect(await run()).toContain("grant_denied RUMI-CAP-013");
    await allowed();
    expect(await run({ image: "alpine:3" })).toContain("RUMI-CAP-013");
    engine.images.clear();
    expect(await run()).toContain(`docker pull ${IMAGE}`);
    const words = Array.from({ length: CONTAINER_LIMITS.command_words }, () => "true");
    expect(await run({ command: words })).toContain("docker pull");
    expect(await run({ command: [...words, "x"] })).toContain("RUMI-VAL-002");
    expect(await run({ command: [] })).toContain("RUMI-VAL-002");
    expect(await run({ command: ["x".repeat(CONTAINER_LIMITS.command_word_characters + 1)] })).toContain(
      "RUMI-VAL-002",
    );
    expect(await run({ environment: { "a b": "x" } })).toMatch(/RUMI-VAL-00[28]/);
    expect(await run({ privileged: true })).toContain("RUMI-VAL-008");
    expect(await call("docker.logs", { container_id: "a".repeat(64), tail: CONTAINER_LIMITS.log_lines + 1 })).toContain(
      "RUMI-VAL-002",
    );
    expect(await call("docker.stop", { container_id: "../images" })).toContain("RUMI-VAL-002");
    expect(engine.count).toBe(0);
  });

  it("one request_id is one container; a principal has at most so many, and ended ones make room", async () => {
    await allowed();
    const first = await run({}, { request_id: "r1" });
    expect(await run({}, { request_id: "r1" })).toEqual({ container_id: idOf(first), created: false });
    for (let at = 1; at < CONTAINER_LIMITS.of_principal; at += 1) await run();
    expect(engine.count).toBe(CONTAINER_LIMITS.of_principal);
    expect(await run()).toContain(`${CONTAINER_LIMITS.of_principal} containers run already`);
    await call("docker.stop", { container_id: idOf(first) });
    expect(await run()).toMatchObject({ created: true });
    expect(engine.count).toBe(CONTAINER_LIMITS.of_principal);
    expect((await list()).map((one) => one["container_id"])).not.toContain(idOf(first));
  });

  it("says nothing of another principal's container, another home's, or one that is nobody's", async () => {
    await allowed();
    await allowed("receiver");
    const theirs = idOf(await run({}, { principal: "receiver" }));
    const foreign = engine.foreign({});
    const pretended = engine.foreign({ "rumi.pack.home": "home-2", "rumi.pack.principal": "sender" });
    for (const container_id of [theirs, foreign, pretended, "f".repeat(64)])
      for (const one of ["docker.logs", "docker.stop", "docker.exec"])
        expect(await call(one, { container_id, ...(one === "docker.exec" ? { command: ["true"] } : {}) })).toContain(
          "RUMI-SYS-011",
        );
    expect(await list()).toEqual([]);
    expect(engine.count).toBe(3);
  });

  it("an exec that is late ends with its container", async () => {
    await allowed();
    const container_id = idOf(await run());
    const command = ["/bin/sleep", "5"];
    expect(await call("docker.exec", { container_id, command }, { timeout_seconds: 1 })).toContain("timeout");
    await expect.poll(() => engine.count).toBe(0);
  });

  it("containers of a pack that is no longer approved are removed, and all of this home's in the end", async () => {
    await allowed();
    await allowed("receiver");
    await run();
    await run({}, { principal: "receiver" });
    engine.foreign({ "rumi.pack.home": "home-2", "rumi.pack.principal": "sender" });
    expect((await containers.standing()).map((one) => [one.pack_id, one.status])).toEqual([
      ["sender", "running"],
      ["receiver", "running"],
    ]);
    writeFileSync(join(world.folder, "ecosystem/receiver/blocks/a.py"), "changed = True\n");
    expect((await world.library.verify("receiver")).ok).toBe(false);
    await containerSweep(containers, world).run();
    expect((await containers.standing()).map((one) => one.pack_id)).toEqual(["sender"]);
    expect(await containers.sweep(() => false)).toBe(1);
    expect(engine.count).toBe(1);
  });

  it("without an engine, behind an old one and behind one that talks nonsense, each is a coded refusal", async () => {
    await allowed();
    engine.refuses = { "POST containers/create": [500, '{"message":"no space left"}'] };
    expect(await run()).toContain("execution_error RUMI-CAP-002");
    expect(await run()).toContain("no space left");
    engine.refuses = { "POST containers/create": [201, "nonsense"] };
    expect(await run()).toContain("has no id");
    engine.refuses = { "POST containers/ID/start": [500, "x"] };
    expect(await run()).toContain("RUMI-CAP-002");
    expect(engine.count).toBe(0);
    engine.refuses = {};
    const container_id = idOf(await run());
    engine.refuses = { "GET containers/ID/logs": [200, "no frames at all"] };
    expect(await call("docker.logs", { container_id })).toContain("not framed as agreed");
    engine.refuses = { "GET containers/ID/logs": [200, "x".repeat(4_194_305)] };
    expect(await call("docker.logs", { container_id })).toContain("answered more than");
    engine.refuses = {};
    engine.version = "1.24";
    expect(await run()).toContain("1.41 or newer is needed");
    containers = packContainers("home-1", join(world.folder, "nobody.sock"));
    expect(await run()).toContain("RUMI-CAP-015");
    expect(await containers.sweep(() => false)).toBe(0);
  });
});
