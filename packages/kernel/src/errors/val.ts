import type { ErrorTable } from "./entry.ts";

type ValCode =
  | "RUMI-VAL-001"
  | "RUMI-VAL-002"
  | "RUMI-VAL-003"
  | "RUMI-VAL-004"
  | "RUMI-VAL-005"
  | "RUMI-VAL-006"
  | "RUMI-VAL-007"
  | "RUMI-VAL-008"
  | "RUMI-VAL-009"
  | "RUMI-VAL-010"
  | "RUMI-VAL-011"
  | "RUMI-VAL-012";

const asCaller = { fault: "caller", retry: "after_fix" } as const;

export const VAL_ERRORS: ErrorTable<ValCode> = {
  "RUMI-VAL-001": {
    ...asCaller,
    key: "val.empty",
    status: 400,
    en: { text: "{field} is required and is missing or empty.", next: "Give {field} a value." },
    ja: {
      text: "{field} は必須ですが、空または未指定です。",
      next: "{field} に値を指定してください。",
    },
  },
  "RUMI-VAL-002": {
    ...asCaller,
    key: "val.pattern",
    status: 400,
    en: {
      text: "{field} is not acceptable: {problem}.",
      next: "Correct {field}; /openapi.json shows its form.",
    },
    ja: {
      text: "{field} は受け付けられません: {problem}。",
      next: "{field} を修正してください。形式は /openapi.json にあります。",
    },
  },
  "RUMI-VAL-003": {
    ...asCaller,
    key: "val.path_traversal",
    status: 400,
    en: {
      text: "The path {path} leads outside its folder.",
      next: "Use a path below the folder, without '..'.",
    },
    ja: {
      text: "パス {path} がフォルダーの外を指しています。",
      next: "'..' を使わず、フォルダー内のパスを指定してください。",
    },
  },
  "RUMI-VAL-004": {
    ...asCaller,
    key: "val.symbolic_link",
    status: 400,
    en: { text: "{path} is a symbolic link.", next: "Replace the link by the file itself." },
    ja: {
      text: "{path} はシンボリックリンクです。",
      next: "リンクを実ファイルに置き換えてください。",
    },
  },
  "RUMI-VAL-005": {
    ...asCaller,
    key: "val.entrypoint",
    status: 400,
    en: {
      text: "The entry point {entrypoint} has not the form FILE:NAME.",
      next: "Write it as 'handler.py:execute'.",
    },
    ja: {
      text: "エントリーポイント {entrypoint} が FILE:NAME 形式ではありません。",
      next: "'handler.py:execute' のように書いてください。",
    },
  },
  "RUMI-VAL-006": {
    ...asCaller,
    key: "val.file_not_found",
    status: 404,
    en: {
      text: "There is no file {path}.",
      next: "Check the path; it is read on the machine where rumi runs.",
    },
    ja: {
      text: "ファイル {path} が見つかりません。",
      next: "パスを確認してください。rumi が動くマシン上で読み込みます。",
    },
  },
  "RUMI-VAL-007": {
    ...asCaller,
    key: "val.body_too_large",
    status: 413,
    en: {
      text: "The request body is larger than {limit} bytes.",
      next: "Send less, or raise RUMI_MAX_REQUEST_BODY_BYTES.",
    },
    ja: {
      text: "リクエストボディが {limit} バイトを超えています。",
      next: "小さくするか RUMI_MAX_REQUEST_BODY_BYTES を上げてください。",
    },
  },
  "RUMI-VAL-008": {
    ...asCaller,
    key: "val.unknown_field",
    status: 400,
    en: {
      text: "{field} is not a field of this request.",
      next: "Remove {field}, or correct its spelling.",
    },
    ja: {
      text: "{field} はこのリクエストの項目ではありません。",
      next: "{field} を取り除くか、綴りを修正してください。",
    },
  },
  "RUMI-VAL-009": {
    ...asCaller,
    key: "val.type",
    status: 400,
    en: {
      text: "{field} must be {expected}.",
      next: "Send {field} as {expected}; nothing is converted silently.",
    },
    ja: {
      text: "{field} は {expected} でなければなりません。",
      next: "{field} を {expected} として送ってください。暗黙の変換はしません。",
    },
  },
  "RUMI-VAL-010": {
    ...asCaller,
    key: "val.json",
    status: 400,
    en: {
      text: "The request body is not JSON: {problem}.",
      next: "Send one JSON object with content type application/json.",
    },
    ja: {
      text: "リクエストボディが JSON ではありません: {problem}。",
      next: "Content-Type application/json で JSON オブジェクトを送ってください。",
    },
  },
  "RUMI-VAL-011": {
    ...asCaller,
    key: "val.content_type",
    status: 415,
    en: {
      text: "The content type {type} is not accepted.",
      next: "Send the body as this route takes it: with content type application/json, unless /openapi.json says another.",
    },
    ja: {
      text: "Content-Type {type} は受け付けません。",
      next: "このルートが受け付ける形で送ってください。/openapi.json に別の指定がなければ Content-Type は application/json です。",
    },
  },
  "RUMI-VAL-012": {
    ...asCaller,
    key: "val.limit",
    status: 400,
    en: {
      text: "{field} is beyond its limit: {problem}.",
      next: "Keep {field} within the limit that /openapi.json states.",
    },
    ja: {
      text: "{field} が上限を超えています: {problem}。",
      next: "/openapi.json に記載の上限内にしてください。",
    },
  },
};
