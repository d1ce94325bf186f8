/** Answers about what packs hold and do beside their grants: privileges, stores, meanings, units, boxes, routes. */
import { anything, integer, list, nullable, number, object, oneOf, optional, text, type Of } from "./shape.ts";

const words = list(text);

const privilege = object({ privilege_id: text, description: text, granted_packs: words });
export type Privilege = Of<typeof privilege>;
export const privilegesAnswer = object({ privileges: list(privilege) });

const store = object({
  store_id: text,
  owner_pack: text,
  created_by: text,
  created_at: text,
  keys: integer,
  bytes: integer,
  shared_with: words,
});
export type PackStore = Of<typeof store>;
const storeLimits = object({ keys: integer, bytes: integer });
export type StoreLimits = Of<typeof storeLimits>;
export const storesAnswer = object({ stores: list(store), limits: storeLimits });
const share = object({
  store_id: text,
  owner_pack: text,
  shared_with: words,
  status: oneOf("approved", "pending"),
  approved_at: nullable(text),
});
export type Share = Of<typeof share>;
export const sharesAnswer = object({ shared_stores: list(share) });

const meaning = object({ namespace: text, token: text, value: text });
export type Meaning = Of<typeof meaning>;
export const meaningsAnswer = object({ entries: list(meaning) });

const unit = object({
  store_id: text,
  unit_id: text,
  version: text,
  namespace: text,
  name: text,
  kind: text,
  declared_by_pack_id: text,
  exec_modes_allowed: words,
  permission_id: text,
  digest: text,
  published_by: text,
  published_at: text,
});
export type Unit = Of<typeof unit>;
export const unitsAnswer = object({ units: list(unit) });
export const unitRun = object({ mode: text, output: anything, execution_time: number });
export type UnitRun = Of<typeof unitRun>;

const box = object({
  pack_id: text,
  principal_id: text,
  status: oneOf("running", "idle", "ended"),
  mechanism: text,
  calls: integer,
  container_id: optional(text),
  image: optional(text),
});
export type Box = Of<typeof box>;
export const boxesAnswer = object({ containers: list(box) });
export const isolationAnswer = object({
  isolation: nullable(object({ mechanism: text, level: text })),
  isolation_problem: nullable(text),
});

const route = object({
  pack_id: text,
  method: text,
  path: text,
  flow_id: text,
  description: text,
  timeout: integer,
});
export type PackRoute = Of<typeof route>;
const routeProblem = object({
  pack_id: text,
  method: nullable(text),
  path: nullable(text),
  error_code: text,
  error: text,
  suggestion: text,
});
export const routesAnswer = object({ routes: list(route), problems: list(routeProblem) });
