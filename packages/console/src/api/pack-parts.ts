/** What packs hold and do beside their grants. These calls come with the packs' page. */
import * as answers from "../answers/pack-parts.ts";
import { of, type Body, type Call, type Wish } from "./call.ts";

/** A unit is answered when it has ended; the server lets it run for so long at the most. */
const EXECUTE_MS = 330_000;
/** A box is answered when it stands. */
const START_MS = 120_000;

export type UnitWish = {
  readonly principal_id: string;
  readonly unit_ref: Pick<answers.Unit, "store_id" | "unit_id" | "version">;
  readonly mode: string;
  readonly args: Body;
};
export type ShareWish = { readonly store_id: string; readonly owner_pack: string; readonly target_pack: string };

export function packPartCalls({ get, post, send }: Call) {
  return {
    privileges: async () => (await get(answers.privilegesAnswer, "/api/privileges")).privileges,
    judgePrivilege: (pack_id: string, act: "grant" | "revoke", privilege_id: string, { id, reason }: Wish) =>
      post(`/api/privileges/${of(pack_id)}/${act}/${of(privilege_id)}`, { reason }, id),

    stores: () => get(answers.storesAnswer, "/api/stores"),
    shares: async () => (await get(answers.sharesAnswer, "/api/stores/shared")).shared_stores,
    makeStore: (store_id: string, owner_pack: string, { id, reason }: Wish) =>
      post("/api/stores/create", { store_id, owner_pack, reason }, id),
    deleteStore: (store_id: string, { id, reason }: Wish) =>
      send("DELETE", `/api/stores/${of(store_id)}`, { body: { reason }, key: id }),
    share: (act: "approve" | "revoke", wish: ShareWish, { id, reason }: Wish) =>
      post(`/api/stores/shared/${act}`, { ...wish, reason }, id),

    meanings: async () => (await get(answers.meaningsAnswer, "/api/shared_dict")).entries,
    forgetMeaning: ({ namespace, token }: Pick<answers.Meaning, "namespace" | "token">, { id, reason }: Wish) =>
      post("/api/shared_dict/remove", { namespace, token, reason }, id),

    units: async () => (await get(answers.unitsAnswer, "/api/units")).units,
    executeUnit: async (wish: UnitWish, { id, reason }: Wish) =>
      answers.unitRun(
        await send("POST", "/api/units/execute", { body: { ...wish, reason }, key: id, timeout_ms: EXECUTE_MS }),
        "units.execute",
      ),

    boxes: async () => (await get(answers.boxesAnswer, "/api/containers")).containers,
    isolation: () => get(answers.isolationAnswer, "/api/docker/status"),
    turnBoxes: (pack_id: string, act: "start" | "stop", { id, reason }: Wish) =>
      send("POST", `/api/containers/${of(pack_id)}/${act}`, { body: { reason }, key: id, timeout_ms: START_MS }),

    routes: () => get(answers.routesAnswer, "/api/routes"),
    reloadRoutes: ({ id, reason }: Wish) => post("/api/routes/reload", { reason }, id),
  };
}
