/** Packs and what they may do. These calls come with their page, not with the first load. */
import * as answers from "../answers/packs.ts";
import { auditPage, dryRun } from "../answers/answers.ts";
import { packPartCalls } from "./pack-parts.ts";
import { sendFile, type FileSent } from "./upload.ts";
import { of, type Body, type Call, type Wish } from "./call.ts";

/** An approval of libraries is answered when they are installed. */
const INSTALL_MS = 1_800_000;
const HISTORY = 100;

export type PackCalls = ReturnType<typeof packCalls>;
export type Judged = "approve" | "reject";

export function packCalls(call: Call) {
  const { get, post, send } = call;
  const kind = (of_what: "capability" | "pip", act: Judged | "unblock", key: string): string =>
    `/api/${of_what}/${act === "unblock" ? "blocked" : "requests"}/${of(key)}/${act}`;
  return {
    ...packPartCalls(call),
    packs: () => get(answers.packRows, "/api/packs"),
    pack: (pack_id: string) => get(answers.wholePack, `/api/packs/${of(pack_id)}/status`),
    staged: () => get(answers.stagedPacks, "/api/packs/staged"),
    /** What an act would do and what stands in its way; nothing of it is done. */
    dryRun: async (method: "POST" | "DELETE", path: string, body: Body = {}) =>
      dryRun(await send(method, path, { body: { ...body, dry_run: true } }), path),
    scan: ({ id, reason }: Wish) => post("/api/packs/scan", { reason }, id),
    import: (path: string, { id, reason }: Wish) => post("/api/packs/import", { path, reason }, id),
    /** A file of this browser's machine. */
    upload: (file: File, sha256: string | null, { id, reason }: Wish, sent: Omit<FileSent, "key">) => {
      const fields = new URLSearchParams({ name: file.name, ...(sha256 === null ? {} : { sha256 }), reason });
      return sendFile(call, `/api/packs/upload?${fields.toString()}`, file, { ...sent, key: id });
    },
    apply: (staging_id: string, { id, reason }: Wish) => post("/api/packs/apply", { staging_id, reason }, id),
    judge: (pack_id: string, verdict: Judged, { id, reason }: Wish) =>
      post(`/api/packs/${of(pack_id)}/${verdict}`, { reason }, id),
    uninstall: (pack_id: string, { id, reason }: Wish) =>
      send("DELETE", `/api/packs/${of(pack_id)}`, { body: { reason }, key: id }),

    candidates: () => get(answers.candidatesAnswer, "/api/capability/requests"),
    libraries: () => get(answers.librariesAnswer, "/api/pip/requests"),
    scanFor: (what: "capability" | "pip", { id, reason }: Wish) => post(`/api/${what}/candidates/scan`, { reason }, id),
    judgeCandidate: (key: string, act: Judged | "unblock", { id, reason }: Wish) =>
      post(kind("capability", act, key), { reason }, id),
    judgeLibraries: (key: string, act: "reject" | "unblock", { id, reason }: Wish) =>
      post(kind("pip", act, key), { reason }, id),
    installLibraries: (
      key: string,
      how: { readonly allow_sdist: boolean; readonly index_url: string | null },
      { id, reason }: Wish,
    ) =>
      send("POST", kind("pip", "approve", key), {
        body: { allow_sdist: how.allow_sdist, ...(how.index_url === null ? {} : { index_url: how.index_url }), reason },
        key: id,
        timeout_ms: INSTALL_MS,
      }),
    records: (pack_id: string) => get(answers.recordsAnswer, `/api/lib/records?pack_id=${of(pack_id)}`),

    grants: () => get(answers.grantsAnswer, "/api/capability/grants"),
    grant: (wish: GrantWish, { id, reason }: Wish) => post("/api/capability/grants/grant", { ...wish, reason }, id),
    grantAll: async (grants: readonly GrantWish[], { id, reason }: Wish) =>
      answers.batchAnswer(await post("/api/capability/grants/batch", { grants, reason }, id), "grants"),
    revoke: (grant: Pick<answers.Grant, "principal_id" | "permission_id">, { id, reason }: Wish) =>
      post(
        "/api/capability/grants/revoke",
        { principal_id: grant.principal_id, permission_id: grant.permission_id, reason },
        id,
      ),
    /** The newest of what the log keeps about one resource. */
    newest: async (action: string, resource_type: string, resource_id: string, limit = 1) =>
      (
        await get(
          auditPage,
          `/api/audit/events?action=${of(action)}&resource_type=${of(resource_type)}&resource_id=${of(resource_id)}&limit=${limit}`,
        )
      ).events,
    history: async (resource_type: string, resource_id: string) =>
      (
        await get(
          auditPage,
          `/api/audit/events?resource_type=${of(resource_type)}&resource_id=${of(resource_id)}&limit=${HISTORY}`,
        )
      ).events,

    networks: () => get(answers.networkAnswer, "/api/network/list"),
    grantNetwork: (
      pack_id: string,
      allowed: { readonly allowed_domains: readonly string[]; readonly allowed_ports: readonly number[] },
      { id, reason }: Wish,
    ) => post("/api/network/grant", { pack_id, ...allowed, reason }, id),
    revokeNetwork: (pack_id: string, { id, reason }: Wish) => post("/api/network/revoke", { pack_id, reason }, id),
    checkNetwork: async (pack_id: string, domain: string, port: number) =>
      answers.networkCheck(
        await post("/api/network/check", { pack_id, domain, port }, crypto.randomUUID()),
        "network check",
      ),

    secrets: () => get(answers.secretsAnswer, "/api/secrets"),
    setSecret: (key: string, value: string, { id, reason }: Wish) =>
      post("/api/secrets/set", { key, value, reason }, id),
    deleteSecret: (key: string, { id, reason }: Wish) => post("/api/secrets/delete", { key, reason }, id),

    runGate: (artifact_id: string, { id, reason }: Wish) =>
      post("/api/supply_chain/gate/run", { command_id: id, artifact_id, reason }),
    /** The newest report of an artifact and how it stands now; null where the gate never saw it. */
    supplyReport: async (artifact_id: string) => {
      const { reports } = await get(
        answers.supplyReports,
        `/api/supply_chain/reports?artifact_id=${of(artifact_id)}&limit=1`,
      );
      const [newest] = reports;
      return newest === undefined ? null : get(answers.supplyReport, `/api/supply_chain/reports/${of(newest.scg_id)}`);
    },
    bill: (scg_id: string) => get(answers.supplyBill, `/api/supply_chain/reports/${of(scg_id)}/sbom`),
    signatures: (artifact_id: string) =>
      get(answers.signaturesAnswer, `/api/supply_chain/signatures?artifact_id=${of(artifact_id)}`),
    exceptions: (artifact_id: string) => get(answers.overridesAnswer, `/api/overrides?artifact_id=${of(artifact_id)}`),
  };
}

export type GrantWish = {
  readonly principal_id: string;
  readonly permission_id: string;
  readonly config?: Body;
};
