/** A home whose one pack brings a lock file, people of several roles, keys, and a directory of advisories that tests write. */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { artifactStatement, type SupplyShelf } from "@rumi/control";
import { isoFromMicros, micros, type Digest } from "@rumi/kernel";
import { attesterFromPem, type Envelope } from "@rumi/ledger";
import { openAdvisories, type SupplyPolicy } from "@rumi/supply";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { botBody, commandBody, venueBody } from "../../control/test/kit.ts";
import { dataOf, sampleManifest, SAMPLE_WASM, writePack } from "../../platform/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

export type Data = Record<string, unknown>;
export const DAY_S = 86_400;

/** Every part that a policy can ask for. */
export const STRICT: SupplyPolicy = {
  require_signature: true,
  require_lock_files: true,
  require_hashes: true,
  require_advisories: true,
  max_allowed: { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 },
  advisories_max_age_seconds: DAY_S,
  exceptions: { allowed: true, max_seconds: DAY_S },
};
export const NOTHING: SupplyPolicy = {
  ...STRICT,
  require_signature: false,
  require_lock_files: false,
  require_hashes: false,
  require_advisories: false,
};

export const lockFile = (version = "1.3.0"): string =>
  JSON.stringify({
    name: "demo",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "demo", version: "1.0.0", dependencies: { "left-pad": version } },
      "node_modules/left-pad": {
        version,
        resolved: `https://registry.npmjs.org/left-pad/-/left-pad-${version}.tgz`,
        integrity: `sha512-${Buffer.alloc(64, 7).toString("base64")}`,
      },
    },
  });

export type Rig = {
  readonly world: ServedControl;
  readonly digest: Digest;
  readonly shelf: Map<string, Uint8Array>;
  /** Where the advisories lie; null: none is set. */
  advisories: string | null;
  restart(): Promise<void>;
  close(): Promise<void>;
  now(seconds?: number): string;
  ask(url: string, body: Data, token?: string): Promise<Reply>;
  post(url: string, body: Data, token?: string): Promise<Data>;
  get(url: string): Promise<Data>;
  /** A token of somebody who holds these roles. */
  tokenOf(...roles: string[]): Promise<string>;
  /** Asks as the one, has it approved by the home's own principal, confirms as the one. */
  byTwo(url: string, body: Data, token: string): Promise<Reply>;
  run(artifact_id?: string): Promise<Data>;
  setPolicy(policy: SupplyPolicy, token: string): Promise<void>;
  addKey(name: string, token: string, over?: Data): Promise<{ readonly keyid: string; sign(digest: string): Envelope }>;
  keep(envelope: Envelope): Promise<void>;
  /** One record about left-pad, of this severity, mended in 2.0.0. */
  advise(record?: { readonly vector?: string; readonly modified?: string }): void;
  make(bot_id: string, over?: Data): Promise<Reply>;
  move(bot_id: string, from: string, to: string): Promise<Reply>;
};

export const said = ({ status, body }: Reply): unknown => [status, body["error_code"], body["reason_code"]];
export const CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

export async function openRig(
  files: Readonly<Record<string, string>> = { "package-lock.json": lockFile() },
): Promise<Rig> {
  const home = temporaryFolder();
  const shelf = new Map<string, Uint8Array>();
  const kept: SupplyShelf = {
    put: (sha256, bytes) => void shelf.set(sha256, bytes),
    get: (sha256) => shelf.get(sha256),
  };
  const directory = join(home.path, "advisories");
  mkdirSync(directory);
  const state: { advisories: string | null } = { advisories: directory };
  const open = () =>
    openServedControl({
      home: home.path,
      supply: {
        shelf: kept,
        advisories: () => (state.advisories === null ? Promise.resolve(null) : openAdvisories(state.advisories)),
      },
    });
  let world = await open();
  await world.dialRunner();
  writePack(join(world.folder, "ecosystem/demo_pack"), sampleManifest(), {
    "strategies/ema.wasm": SAMPLE_WASM,
    ...files,
  });
  dataOf(await world.command("packs.scan", {}));
  const approved = dataOf(await world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } }));
  dataOf(await world.command("venues.register", venueBody(world)));
  const digest = approved["approved_digest"] as Digest;

  const ask = (url: string, body: Data, token?: string): Promise<Reply> =>
    world.http("POST", url, { command_id: world.id(), reason: "test", ...body }, token);
  const post = async (url: string, body: Data, token?: string): Promise<Data> => {
    const { status, body: answer } = await ask(url, body, token);
    if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(answer)}`);
    return answer["data"] as Data;
  };
  const byTwo = async (url: string, body: Data, token: string): Promise<Reply> => {
    const asked = await ask(url, body, token);
    const { challenge_id, intent_hash, phrase } = (asked.body["challenge"] ?? {}) as Record<string, string>;
    if (challenge_id === undefined) return asked;
    await world.http("GET", `/api/challenges/${challenge_id}`);
    await post(`/api/challenges/${challenge_id}/approve`, { intent_hash });
    return ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, token);
  };
  const now = (seconds = 0): string => isoFromMicros(micros(world.clock.now() + seconds * 1_000_000));
  return {
    get world() {
      return world;
    },
    get advisories() {
      return state.advisories;
    },
    set advisories(folder) {
      state.advisories = folder;
    },
    digest,
    shelf,
    now,
    ask,
    post,
    byTwo,
    restart: async () => {
      await world.close();
      world = await open();
      await world.dialRunner();
    },
    close: async () => {
      await world.close();
      home.remove();
    },
    get: async (url) => (await world.http("GET", url)).body["data"] as Data,
    tokenOf: async (...roles) => {
      const user = { display_name: roles.join(" "), roles, reason: "joins" };
      const { user_id } = dataOf(await world.command("users.create", user)) as { user_id: string };
      const issued = await world.command("tokens.issue", { reason: "laptop" }, { params: { user_id } });
      return String(dataOf(issued)["token"]);
    },
    run: (artifact_id = digest) => post("/api/supply_chain/gate/run", { artifact_id }),
    setPolicy: async (policy, token) => {
      const { status, body } = await byTwo("/api/supply_chain/policy/set", { ...policy }, token);
      if (status !== 200) throw new Error(JSON.stringify(body));
    },
    addKey: async (name, token, over = {}) => {
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const key = attesterFromPem(pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString());
      const wish = { name, public_key_pem: key.public_pem, valid_until: now(30 * DAY_S), ...over };
      const { status, body } = await byTwo("/api/supply_chain/trust_roots", wish, token);
      if (status !== 201) throw new Error(JSON.stringify(body));
      return { keyid: key.keyid, sign: (of) => key.sign(artifactStatement(of as Digest, "demo_pack")) };
    },
    keep: async (envelope) => void (await post("/api/supply_chain/signatures", { artifact_id: digest, envelope })),
    advise: ({ vector = CRITICAL, modified = now(-3_600) } = {}) => {
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory);
      const record = {
        schema_version: "1.6.0",
        id: "GHSA-aaaa-bbbb-cccc",
        modified: `${modified.slice(0, 19)}Z`,
        severity: [{ type: "CVSS_V3", score: vector }],
        affected: [
          {
            package: { ecosystem: "npm", name: "left-pad" },
            ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }],
          },
        ],
      };
      writeFileSync(join(directory, "GHSA-aaaa-bbbb-cccc.json"), JSON.stringify(record));
    },
    make: (bot_id, over = {}) => ask("/api/bots", { ...botBody(world, bot_id, digest), ...over }),
    move: (bot_id, from, to) => ask("/api/commands", commandBody(world, bot_id, from, to)),
  };
}
