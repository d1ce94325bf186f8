/** Codes of the category RUN; see catalogue.ts for what an entry must hold. */
import type { ErrorTable } from "./entry.ts";

type RunCode =
  | "RUMI-RUN-001"
  | "RUMI-RUN-002"
  | "RUMI-RUN-003"
  | "RUMI-RUN-004"
  | "RUMI-RUN-005"
  | "RUMI-RUN-006"
  | "RUMI-RUN-007"
  | "RUMI-RUN-008"
  | "RUMI-RUN-009"
  | "RUMI-RUN-010"
  | "RUMI-RUN-011"
  | "RUMI-RUN-012"
  | "RUMI-RUN-013"
  | "RUMI-RUN-014"
  | "RUMI-RUN-015"
  | "RUMI-RUN-016"
  | "RUMI-RUN-017"
  | "RUMI-RUN-018"
  | "RUMI-RUN-019";

export const RUN_ERRORS: ErrorTable<RunCode> = {
  "RUMI-RUN-001": {
    key: "run.not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "There is no run {run_id}, or no such part of it.",
      next: "GET /api/runs lists the runs there are.",
    },
    ja: {
      text: "実行 {run_id}、またはその指定部分はありません。",
      next: "GET /api/runs で実行の一覧を確認してください。",
    },
  },
  "RUMI-RUN-002": {
    key: "run.repository_not_allowed",
    status: 403,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "Runs may not use the repository {repo}: it lies below none of the folders of RUMI_RUN_ROOTS.",
      next: "Name a repository below one of them, or have RUMI_RUN_ROOTS widened.",
    },
    ja: {
      text: "リポジトリ {repo} は使用できません: RUMI_RUN_ROOTS のどのフォルダーの下にもありません。",
      next: "許可されたフォルダーの下のリポジトリを指定するか、RUMI_RUN_ROOTS を広げてください。",
    },
  },
  "RUMI-RUN-003": {
    key: "run.repository_unusable",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The repository {repo} cannot be used: {problem}.",
      next: "Give the absolute path of a git repository of the program's own user, and a base_ref that names one of its commits.",
    },
    ja: {
      text: "リポジトリ {repo} を使用できません: {problem}。",
      next: "プログラムのユーザーが所有する git リポジトリの絶対パスと、存在するコミットを指す base_ref を指定してください。",
    },
  },
  "RUMI-RUN-004": {
    key: "run.scope_invalid",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The pattern {pattern} of the scope cannot be used: {problem}.",
      next: "Write it as docs/runs.md says, from the repository's root.",
    },
    ja: {
      text: "スコープのパターン {pattern} は使用できません: {problem}。",
      next: "docs/runs.md の書き方に従い、リポジトリのルートから書いてください。",
    },
  },
  "RUMI-RUN-005": {
    key: "run.not_enforceable",
    status: 422,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "This host cannot hold a run back from writing outside its scope: bubblewrap is not there or not allowed.",
      next: "Install bubblewrap, or start the run with enforce record; violations are then found afterwards.",
    },
    ja: {
      text: "このホストではスコープ外への書き込みを阻止できません: bubblewrap が無いか許可されていません。",
      next: "bubblewrap を導入するか、enforce に record を指定してください。違反は実行後に検出されます。",
    },
  },
  "RUMI-RUN-006": {
    key: "run.too_many",
    status: 429,
    fault: "caller",
    retry: "later",
    en: {
      text: "{limit} runs go on already, which is the most there may be.",
      next: "Wait for one to end, or stop one: rumi runs stop --run-id N.",
    },
    ja: {
      text: "すでに {limit} 件の実行が進行中で、これが上限です。",
      next: "終了を待つか、rumi runs stop --run-id N で停止してください。",
    },
  },
  "RUMI-RUN-007": {
    key: "run.proof_not_ready",
    status: 404,
    fault: "caller",
    retry: "later",
    en: {
      text: "The run {run_id} has no bundle of revision {revision} yet.",
      next: "GET /api/runs/{run_id} says how far it is; a run that is broken gets none and says why.",
    },
    ja: {
      text: "実行 {run_id} にはリビジョン {revision} の証跡がまだありません。",
      next: "GET /api/runs/{run_id} で進み具合を確認してください。broken の実行には作られず、理由が示されます。",
    },
  },
  "RUMI-RUN-008": {
    key: "run.scopes_overlap",
    status: 409,
    fault: "caller",
    retry: "later",
    en: {
      text: "The run {run_id} may write what this one would write too, for instance {path} (here: {mine}; there: {theirs}).",
      next: "Wait for its end, or give them scopes that share no path.",
    },
    ja: {
      text: "実行 {run_id} と書き込み範囲が重なります。例: {path}（今回: {mine}、相手: {theirs}）。",
      next: "終了を待つか、重ならないスコープを指定してください。",
    },
  },
  "RUMI-RUN-009": {
    key: "run.holds_a_secret",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The field {field} holds the value of a stored secret.",
      next: "Leave it out: a run's prompt and command are evidence that others read. RUMI_RUN_ENV passes variables of the program on.",
    },
    ja: {
      text: "{field} に登録済みの秘密の値が含まれています。",
      next: "取り除いてください。プロンプトとコマンドは他者が読む証跡です。変数は RUMI_RUN_ENV で渡せます。",
    },
  },
  "RUMI-RUN-010": {
    key: "run.ended",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The run {run_id} has ended: {status}.",
      next: "There is nothing left to stop; its evidence follows by itself.",
    },
    ja: {
      text: "実行 {run_id} は終了しています: {status}。",
      next: "停止するものはありません。証跡は自動的に作られます。",
    },
  },
  "RUMI-RUN-011": {
    key: "run.violation_not_found",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The run {run_id} has no violation {violation_id}.",
      next: "GET /api/runs/{run_id} lists its violations; they are found after its checks.",
    },
    ja: {
      text: "実行 {run_id} に違反 {violation_id} はありません。",
      next: "GET /api/runs/{run_id} で一覧を確認してください。違反はチェックの後に検出されます。",
    },
  },
  "RUMI-RUN-012": {
    key: "run.violation_decided",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The violation {violation_id} was decided already: {status} by {by}.",
      next: "A decision stands; the bundle holds it.",
    },
    ja: {
      text: "違反 {violation_id} はすでに決定済みです: {by} による {status}。",
      next: "決定は変わりません。証跡に記録されています。",
    },
  },
  "RUMI-RUN-013": {
    key: "run.not_proven",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The run {run_id} has no proof of its present state: it is {status}, and its evidence is {phase}.",
      next: "Wait until GET /api/runs/{run_id} says proved; a run that is broken gives no pack.",
    },
    ja: {
      text: "実行 {run_id} の現在の状態の証跡がありません: {status}、証跡は {phase} です。",
      next: "GET /api/runs/{run_id} が proved になるまで待ってください。broken の実行からパックは作れません。",
    },
  },
  "RUMI-RUN-014": {
    key: "run.violation_not_approved",
    status: 409,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The violation {violation_id} of the run {run_id}, {path}, is {status}.",
      next: "Approve it (rumi runs violations-approve) if it may stay; of a run with a rejected one no pack is made.",
    },
    ja: {
      text: "実行 {run_id} の違反 {violation_id}（{path}）は {status} です。",
      next: "許容するなら承認してください（rumi runs violations-approve）。却下された違反がある実行からパックは作れません。",
    },
  },
  "RUMI-RUN-015": {
    key: "run.checks_not_passed",
    status: 409,
    fault: "caller",
    retry: "never",
    en: {
      text: "The definition of done of the run {run_id} is {status}.",
      next: "A pack is made of a run whose required checks passed, at least one of them; start another run.",
    },
    ja: {
      text: "実行 {run_id} の完了条件は {status} です。",
      next: "必須チェックが 1 つ以上あり、すべて合格した実行からのみ作れます。新しい実行を開始してください。",
    },
  },
  "RUMI-RUN-016": {
    key: "run.bundle_wrong",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "The bundle of the run {run_id} does not verify: {problem}.",
      next: "Look at it with rumi proof verify, and find out who changed the bundle or the repository.",
    },
    ja: {
      text: "実行 {run_id} の証跡を検証できません: {problem}。",
      next: "rumi proof verify で確認し、証跡またはリポジトリを変更した者を調べてください。",
    },
  },
  "RUMI-RUN-017": {
    key: "run.tree_differs",
    status: 409,
    fault: "operator",
    retry: "after_fix",
    en: {
      text: "What the run {run_id} left is not in its repository any more as its proof names it: {problem}.",
      next: "Bring the commit back from a copy (refs/rumi/runs/{run_id}), or start another run.",
    },
    ja: {
      text: "実行 {run_id} が残したものが証跡のとおりにはリポジトリにありません: {problem}。",
      next: "コピーからコミット（refs/rumi/runs/{run_id}）を戻すか、新しい実行を開始してください。",
    },
  },
  "RUMI-RUN-018": {
    key: "run.pack_path",
    status: 422,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "The folder {path} is not to be made a pack: {problem}.",
      next: "Name a folder of what the run left, from its root; the root itself is named by leaving it out.",
    },
    ja: {
      text: "フォルダー {path} からパックは作れません: {problem}。",
      next: "実行が残したツリー内のフォルダーをルートから指定してください。省略するとルートです。",
    },
  },
  "RUMI-RUN-019": {
    key: "run.pack_not_built",
    status: 404,
    fault: "caller",
    retry: "after_fix",
    en: {
      text: "No pack was made of the folder {path} of the run {run_id}.",
      next: "Make it with POST /api/runs/{run_id}/pack, or rumi pack build --run {run_id}.",
    },
    ja: {
      text: "実行 {run_id} のフォルダー {path} からパックはまだ作られていません。",
      next: "POST /api/runs/{run_id}/pack または rumi pack build --run {run_id} で作ってください。",
    },
  },
};
