/** Words that say that something changed and not what. Data only; compared in lower case, without marks. */

/** What a change is called whatever it is, and what joins words. */
export const EMPTY_WORDS: ReadonlySet<string> = new Set(
  `fix fixes fixed fixing bugfix bugfixes hotfix hotfixes bug bugs issue issues patch patches patched
  update updates updated updating upgrade upgrades upgraded change changes changed changing changelog modification modifications modified
  wip work progress todo tbd tba fixme na none nothing nil null empty blank placeholder lorem ipsum dolor sit amet
  misc miscellaneous minor major small various several some other more stuff thing things etc
  bump bumps bumped version versions versioned release releases released releasing new newer newest latest next first initial init start begin
  commit commits committed merge merges merged rebase revert cleanup clean cleaned refactor refactors refactored refactoring
  tweak tweaks tweaked adjust adjusts adjusted adjustment adjustments improve improves improved improvement improvements better
  enhance enhancement enhancements optimise optimize optimisation optimization edit edits edited rework reworked
  test tests tested testing try trial check checks deploy deploys deployed deployment rollout ship shipped
  bot bots code config configuration settings setting strategy pack file files see above below git diff log history commit message
  ok okay done yes no good fine please as per usual again same before reason reasons description text foo bar baz qux asdf asdfasdf qwerty
  the a an and or of to in on at by for from with without is are was were be been it its this that these those my our your we i you
  исправление исправления исправлено обновление обновления изменения тест aktualisierung änderung änderungen fehler korrektur
  correction corrections mise jour changement modifications arreglo cambios actualización`
    .split(/\s+/)
    .flatMap((word) => [
      word,
      word
        .normalize("NFKD")
        .replace(/\p{Mn}/gu, "")
        .normalize("NFC"),
    ]),
);

/** The same where words are not parted by spaces; longer ones first. */
export const EMPTY_PHRASES: readonly string[] = [
  "アップデート",
  "リファクタリング",
  "バージョン",
  "バグ",
  "テスト",
  "リリース",
  "デプロイ",
  "その他",
  "しました",
  "します",
  "です",
  "ます",
  "修正",
  "更新",
  "変更",
  "対応",
  "調整",
  "改善",
  "追加",
  "削除",
  "不具合",
  "作業中",
  "初版",
  "初回",
  "最新",
  "新規",
  "設定",
  "戦略",
  "軽微",
  "微",
  "な",
  "の",
  "を",
  "に",
  "は",
  "が",
  "と",
  "更改",
  "修复",
  "测试",
];

/** Letters of other alphabets that are drawn like a Latin one. */
export const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  "аa вb сc еe нh іi јj кk мm оo рp ѕs тt уy хx ԁd ԛq ԝw ɡg αa βb εe ηn ιi κk μu νv οo ρp τt υu χx ıi ɩi"
    .split(" ")
    .map((pair) => [pair.slice(0, -1), pair.slice(-1)]),
);
