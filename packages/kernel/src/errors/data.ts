/** Codes of the category DATA: stores, what packs keep in them, and who may see it; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type DataCode =
  | "RUMI-DATA-001"
  | "RUMI-DATA-002"
  | "RUMI-DATA-003"
  | "RUMI-DATA-004"
  | "RUMI-DATA-005"
  | "RUMI-DATA-006"
  | "RUMI-DATA-007"
  | "RUMI-DATA-008"
  | "RUMI-DATA-009"
  | "RUMI-DATA-010";

const asCaller = { fault: "caller", retry: "after_fix" } as const;
const asOperator = { fault: "operator", retry: "after_fix" } as const;

export const DATA_ERRORS: ErrorTable<DataCode> = {
  "RUMI-DATA-001": {
    ...asCaller,
    key: "data.store_not_found",
    status: 404,
    en: {
      text: "There is no store {store_id}.",
      next: "GET /api/stores lists every store; POST /api/stores/create makes one.",
    },
    ja: {
      text: "Store {store_id} はありません。",
      next: "GET /api/stores で一覧を確認し、POST /api/stores/create で作成できます。",
    },
  },
  "RUMI-DATA-002": {
    ...asCaller,
    key: "data.store_exists",
    status: 409,
    en: {
      text: "The store {store_id} exists already and belongs to {owner_pack}.",
      next: "Use it, or create one under another store_id.",
    },
    ja: {
      text: "Store {store_id} はすでに存在し、{owner_pack} が所有しています。",
      next: "その Store を使うか、別の store_id で作成してください。",
    },
  },
  "RUMI-DATA-003": {
    ...asOperator,
    key: "data.access_denied",
    status: 403,
    en: {
      text: "The pack {pack_id} may not {act} the store {store_id}: {problem}.",
      next: "A grant has to name the store in allowed_store_ids; another pack's store has to be shared as well: POST /api/stores/shared/approve.",
    },
    ja: {
      text: "パック {pack_id} は Store {store_id} に対する {act} を許可されていません: {problem}。",
      next: "Grant の allowed_store_ids に Store を含めてください。他の Pack の Store は POST /api/stores/shared/approve での共有も必要です。",
    },
  },
  "RUMI-DATA-004": {
    ...asCaller,
    key: "data.value_too_large",
    status: 413,
    en: {
      text: "The value for {key} has {bytes} bytes as JSON; {limit} are allowed.",
      next: "Split it over several keys, or have max_value_bytes of the grant raised (at most 1,048,576).",
    },
    ja: {
      text: "{key} の値は JSON で {bytes} バイトあり、上限 {limit} を超えています。",
      next: "複数のキーに分けるか、Grant の max_value_bytes (最大 1,048,576) を引き上げてください。",
    },
  },
  "RUMI-DATA-005": {
    ...asOperator,
    key: "data.store_full",
    status: 409,
    en: {
      text: "The store {store_id} is full: it may hold {keys} keys and {bytes} bytes.",
      next: "Delete what is no longer needed, or use another store.",
    },
    ja: {
      text: "Store {store_id} は満杯です: 上限は {keys} キー、{bytes} バイトです。",
      next: "不要なキーを削除するか、別の Store を使ってください。",
    },
  },
  "RUMI-DATA-006": {
    ...asCaller,
    key: "data.answer_too_large",
    status: 413,
    en: {
      text: "The values asked for have {bytes} bytes together; one call gives back at most {limit}.",
      next: "Ask for fewer keys at once.",
    },
    ja: {
      text: "要求された値は合計 {bytes} バイトで、一回の上限 {limit} を超えています。",
      next: "一度に要求するキーを減らしてください。",
    },
  },
  "RUMI-DATA-007": {
    key: "data.busy",
    status: 409,
    fault: "system",
    retry: "later",
    en: {
      text: "{key} of the store {store_id} was changed by others {attempts} times while it was to be written.",
      next: "Try again; nothing was written. store.cas tells whether a value is still the one that was read.",
    },
    ja: {
      text: "Store {store_id} の {key} は書き込み中に {attempts} 回ほかから変更されました。",
      next: "再試行してください。何も書き込まれていません。読んだ値のままかどうかは store.cas で確認できます。",
    },
  },
  "RUMI-DATA-008": {
    ...asCaller,
    key: "data.not_shared",
    status: 404,
    en: {
      text: "The store {store_id} is not shared with {target_pack}.",
      next: "GET /api/stores/shared lists what is shared with whom.",
    },
    ja: {
      text: "Store {store_id} は {target_pack} に共有されていません。",
      next: "GET /api/stores/shared で共有の一覧を確認できます。",
    },
  },
  "RUMI-DATA-009": {
    ...asCaller,
    key: "data.wrong_owner",
    status: 409,
    en: {
      text: "The store {store_id} belongs to {owner}, not to {owner_pack}.",
      next: "Name the owner that GET /api/stores shows.",
    },
    ja: {
      text: "Store {store_id} の所有者は {owner_pack} ではなく {owner} です。",
      next: "GET /api/stores に表示される所有者を指定してください。",
    },
  },
  "RUMI-DATA-010": {
    ...asOperator,
    key: "data.too_many",
    status: 409,
    en: {
      text: "There are {limit} {what} already, as many as may be.",
      next: "Take away one that is no longer needed.",
    },
    ja: {
      text: "{what} はすでに上限の {limit} に達しています。",
      next: "不要なものを取り除いてください。",
    },
  },
};
