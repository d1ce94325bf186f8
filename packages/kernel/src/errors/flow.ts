/** Codes of the category FLOW; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type FlowCode =
  | "RUMI-FLOW-001"
  | "RUMI-FLOW-002"
  | "RUMI-FLOW-003"
  | "RUMI-FLOW-004"
  | "RUMI-FLOW-005"
  | "RUMI-FLOW-006"
  | "RUMI-FLOW-007"
  | "RUMI-FLOW-008"
  | "RUMI-FLOW-009"
  | "RUMI-FLOW-011"
  | "RUMI-FLOW-012"
  | "RUMI-FLOW-013"
  | "RUMI-FLOW-014"
  | "RUMI-FLOW-015"
  | "RUMI-FLOW-016"
  | "RUMI-FLOW-017"
  | "RUMI-FLOW-018";

export const FLOW_ERRORS: ErrorTable<FlowCode> = {
  "RUMI-FLOW-001": {
    key: "flow.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "Flow not found: {flow_id}",
      next: "GET /api/flows lists the flows there are, and the files that were refused with their reasons.",
    },
    ja: {
      text: "Flow が見つかりません: {flow_id}",
      next: "GET /api/flows で登録済みの Flow と、拒否されたファイルの理由を確認してください。",
    },
  },
  "RUMI-FLOW-002": {
    key: "flow.execution_failed",
    status: 500,
    fault: "system",
    retry: "later",
    en: {
      text: "The flow {flow_id} failed: {problem}.",
      next: "Read the program's log under the answer's trace_id, mend the cause and run it again.",
    },
    ja: {
      text: "Flow {flow_id} の実行に失敗しました: {problem}。",
      next: "回答の trace_id でプログラムのログを調べ、原因を直して再実行してください。",
    },
  },
  "RUMI-FLOW-003": {
    key: "flow.step_failed",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The step {step_id} of the flow {flow_id} failed: {problem}",
      next: "Mend the step or what it needs; on_error continue lets a flow go on without it.",
    },
    ja: {
      text: "Flow {flow_id} のステップ {step_id} が失敗しました: {problem}",
      next: "ステップまたは必要なものを直してください。on_error の continue を指定すると先へ進みます。",
    },
  },
  "RUMI-FLOW-004": {
    key: "flow.timed_out",
    status: 408,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The flow {flow_id} did not end within {seconds} s.",
      next: "Give it a longer timeout, at most 600 s, or make its steps shorter.",
    },
    ja: {
      text: "Flow {flow_id} は {seconds} 秒以内に終わりませんでした。",
      next: "timeout を延ばす (最大 600 秒) か、ステップを短くしてください。",
    },
  },
  "RUMI-FLOW-005": {
    key: "flow.too_many_runs",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "{limit} flows run already, as many as may.",
      next: "Try again in {seconds} s, or raise RUMI_MAX_CONCURRENT_FLOWS.",
    },
    ja: {
      text: "同時に実行できる Flow の上限 {limit} に達しています。",
      next: "{seconds} 秒後に再試行するか、RUMI_MAX_CONCURRENT_FLOWS を上げてください。",
    },
  },
  "RUMI-FLOW-006": {
    key: "flow.unavailable",
    status: 503,
    fault: "system",
    retry: "later",
    en: {
      text: "Flows cannot be run now: {problem}.",
      next: "Try again in a moment, with the same Idempotency-Key: what has begun is not begun twice.",
    },
    ja: {
      text: "今は Flow を実行できません: {problem}。",
      next: "少し待って、同じ Idempotency-Key で再試行してください。始まった実行は二重には始まりません。",
    },
  },
  "RUMI-FLOW-007": {
    key: "flow.invalid",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The flow file {path} is not acceptable: {field}: {problem}.",
      next: "Correct {field} in {path}; it is read again by itself.",
    },
    ja: {
      text: "Flow ファイル {path} が不正です: {field}: {problem}。",
      next: "{path} の {field} を直してください。自動で読み直されます。",
    },
  },
  "RUMI-FLOW-008": {
    key: "flow.unreadable",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The flow file {path} cannot be read: {problem}.",
      next: "Mend {path}; docs/flows.md says which YAML is taken.",
    },
    ja: {
      text: "Flow ファイル {path} を読めません: {problem}。",
      next: "{path} を直してください。使える YAML は docs/flows.md にあります。",
    },
  },
  "RUMI-FLOW-009": {
    key: "flow.cycle",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "Steps of the flow file {path} wait for each other: {steps}.",
      next: "Take one of these out of depends_on.",
    },
    ja: {
      text: "Flow ファイル {path} のステップが互いを待っています: {steps}。",
      next: "depends_on からいずれかを外してください。",
    },
  },
  "RUMI-FLOW-011": {
    key: "flow.nesting",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The flow file {path} calls too much: {problem}.",
      next: "A flow may not call itself, and sub-flows nest at most 10 deep.",
    },
    ja: {
      text: "Flow ファイル {path} の呼び出しが許容を超えています: {problem}。",
      next: "自分自身は呼び出せません。サブ Flow の入れ子は 10 段までです。",
    },
  },
  "RUMI-FLOW-012": {
    key: "flow.input_invalid",
    status: 400,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The input {field} of the flow {flow_id} is not acceptable: {problem}.",
      next: "GET /api/flows shows which inputs it declares.",
    },
    ja: {
      text: "Flow {flow_id} の入力 {field} が不正です: {problem}。",
      next: "GET /api/flows で宣言された入力を確認してください。",
    },
  },
  "RUMI-FLOW-013": {
    key: "flow.id_taken",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The flow file {path} has the id {flow_id}, which {other} has already.",
      next: "Give one of them another flow_id.",
    },
    ja: {
      text: "Flow ファイル {path} の flow_id {flow_id} は {other} が使用しています。",
      next: "どちらかの flow_id を変えてください。",
    },
  },
  "RUMI-FLOW-014": {
    key: "flow.aborted",
    status: 500,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The step {step_id} ended the flow {flow_id}: {reason}",
      next: "It was the block's own wish; its reason says what it wants.",
    },
    ja: {
      text: "ステップ {step_id} が Flow {flow_id} を終了させました: {reason}",
      next: "ブロック自身の判断です。理由に従ってください。",
    },
  },
  "RUMI-FLOW-015": {
    key: "flow.approval_over",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The approval {approval_id} is not open any more: it is {state}.",
      next: "GET /api/flow-approvals lists what is open; an approval is decided once.",
    },
    ja: {
      text: "承認 {approval_id} は受付を終了しています: {state}。",
      next: "GET /api/flow-approvals で受付中の承認を確認してください。決定は一度だけです。",
    },
  },
  "RUMI-FLOW-016": {
    key: "flow.second_person",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "{principal} asked for the run and may not decide its approval {approval_id}.",
      next: "Another person with the role decides it.",
    },
    ja: {
      text: "{principal} は実行の依頼者のため、承認 {approval_id} を決定できません。",
      next: "権限を持つ別の人が決定してください。",
    },
  },
  "RUMI-FLOW-017": {
    key: "flow.stopped",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The run of the flow {flow_id} was stopped by {principal}: {reason}",
      next: "What it did before is done. Run it anew when the reason is gone.",
    },
    ja: {
      text: "Flow {flow_id} の実行は {principal} により停止されました: {reason}",
      next: "それまでに行われたことはそのままです。理由が解消したら、改めて実行してください。",
    },
  },
  "RUMI-FLOW-018": {
    key: "flow.run_over",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The run {run_id} cannot be stopped any more: it is {state}.",
      next: "GET /api/flow-runs/{run_id} says how it ended.",
    },
    ja: {
      text: "実行 {run_id} はもう停止できません: {state}。",
      next: "GET /api/flow-runs/{run_id} で結果を確認してください。",
    },
  },
};
