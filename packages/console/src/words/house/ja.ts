/** Japanese of words/house/en.ts. */
import type { HOUSE_EN } from "./en.ts";

export const HOUSE_JA: Readonly<Record<keyof typeof HOUSE_EN, string>> = {
  changes: "変更の提案",
  no_changes: "提案はありません。先に別の人に読んでもらうコマンドは rumi changes propose で提案します",
  ask_commit: "実行しますか: {what}",
  commit_change: "実行",
  elsewhere: "ほかのページで待っているもの",

  bundle_made: "作成中です。",
  bundle_removed: "新しいものに場所を譲り、アーカイブは削除されました。ハッシュは残ります。",
  bundle_taking: "読み込み、ここでハッシュを計算しています。",
  bundle_checked: "SHA-256 をここで確かめ、上のものと一致しました。保存しました。",
  bundle_other: "届いたものは一覧のアーカイブではないため、保存していません。その SHA-256:",
  bytes: "{count} バイト",
  ago: "{time} 前",

  output_ended: "終了",
  output_nothing: "出力はありませんでした。",

  drift: "ドリフト",
  no_drift: "すべて決定されたとおりです。",
  drift_braked: "ブレーキが {count} 体を止めています",
  drift_release: "通す",
  ask_drift_release: "ブレーキが止めている {count} 体分を通しますか?",

  add_person: "人を追加",
  person_name: "名前",
  ask_person: "{name} を {roles} として入れますか?",
  roles_change: "ロールを変更",
  ask_roles: "{name} にロール {roles} を与えますか?",
  issue_token: "トークンを発行",
  token_for: "用途",
  token_days: "日数",
  ask_token: "{name} のトークンを {days} 日間有効で発行しますか?",
  token_once: "これがトークンです。表示は今回だけです。ほかの誰にも読まれない方法で渡してください。",
  token_lost:
    "同じ依頼ですでに発行され、そのとき表示されました。もう表示できません。失効させて、新しく発行してください。",
  token_kept: "渡しました",

  log_broken_means:
    "このログは以前のものと異なるか、鍵で署名されたものではありません。このプログラムの表示を一切信用しないでください。",
  log_broken_do:
    "取引しているものを止め、ホームをそのまま複製し、記憶を持つ検証器で確かめてください: rumi audit verify",
  log_other: "以前とは別のログ",
  log_other_means:
    "署名と木は正しいものの、このブラウザが以前ここで見たログではありません。このアドレスで別のホームが応答するはずの場合だけ、続けてください。",
  log_other_meant: "このログでよい",
  log_unreachable_means: "もう一度読めるまで、ログについて何も言えません。",
  log_unsupported_means:
    "このブラウザはここでは署名を確かめられません。HTTPS で、またはこのマシン自身で開いてください。",
};
