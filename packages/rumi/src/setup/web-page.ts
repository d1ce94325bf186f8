/** The page of the setup tool: its structure, its looks, and the few lines that press its buttons. English and Japanese. */

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rumi setup</title>
<link rel="stylesheet" href="/setup.css">
</head>
<body>
<main>
<h1>Rumi <span data-word="title"></span></h1>
<ol>
<li><div><h2>check</h2><p data-word="check"></p></div><button data-verb="check" data-word="do"></button></li>
<li><div><h2>init</h2><p data-word="init"></p><label><input type="checkbox" id="default-pack"> <span data-word="pack"></span></label></div><button data-verb="init" data-word="do"></button></li>
<li><div><h2>doctor</h2><p data-word="doctor"></p></div><button data-verb="doctor" data-word="do"></button></li>
<li><div><h2>recover</h2><p data-word="recover"></p></div><button data-verb="recover" data-word="do"></button></li>
<li><div><h2>run</h2><p data-word="run"></p></div><button data-verb="run" data-word="do"></button></li>
</ol>
<section id="result" aria-live="polite"></section>
</main>
<script src="/setup.js"></script>
</body>
</html>
`;

export const STYLE = `:root { color-scheme: light dark; --line: #8885; --good: #1a7f37; --warn: #9a6700; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --warn: #d29922; --bad: #f85149; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.5rem; }
h2 { font: 600 1rem/1.4 ui-monospace, monospace; margin: 0; }
p { margin: .1rem 0; }
ol { list-style: none; margin: 0; padding: 0; }
li { display: flex; gap: 1rem; justify-content: space-between; align-items: center; padding: .8rem 0; border-top: 1px solid var(--line); }
button { font: inherit; padding: .4rem 1.2rem; min-width: 6rem; cursor: pointer; }
button:disabled { cursor: default; }
#result { border-top: 1px solid var(--line); padding-top: 1rem; }
table { border-collapse: collapse; width: 100%; }
td { padding: .25rem .75rem .25rem 0; vertical-align: top; overflow-wrap: anywhere; }
td:nth-child(-n+2) { white-space: nowrap; overflow-wrap: normal; }
.state { font-weight: 600; }
.ok, .done { color: var(--good); }
.warning { color: var(--warn); }
.failed { color: var(--bad); }
td p { margin: 0; }
.next { opacity: .8; }
`;

export const SCRIPT = `"use strict";
const WORDS = {
  en: {
    title: "setup", do: "Do it", working: "Working …", next: "→ ", open: "Open the console", refused: "Refused",
    unreachable: "The setup tool does not answer. Is it still running?",
    check: "Look at this machine: Node, Python, Git, Docker and what processes can be boxed in",
    init: "Make the home and its virtual environment", pack: "also put the default pack in place",
    doctor: "Look at this machine and at the home",
    recover: "Mend a home after a bad end, as far as it can be mended without a backup",
    run: "Start the program; it goes on until the setup tool is ended",
    states: { ok: "ok", warning: "warning", failed: "failed", done: "done", already: "already", skipped: "skipped" },
  },
  ja: {
    title: "セットアップ", do: "実行", working: "実行中…", next: "→ ", open: "コンソールを開く", refused: "拒否されました",
    unreachable: "セットアップツールが応答しません。まだ動いていますか?",
    check: "このマシンを調べる: Node・Python・Git・Docker・使える隔離",
    init: "ホームと仮想環境を作る", pack: "既定の pack も置く",
    doctor: "マシンとホームを診断する",
    recover: "異常終了後のホームを、バックアップなしで直せる範囲で直す",
    run: "プログラムを起動する(セットアップツールを終えるまで動く)",
    states: { ok: "正常", warning: "警告", failed: "失敗", done: "完了", already: "済み", skipped: "省略" },
  },
};
const language = navigator.language.startsWith("ja") ? "ja" : "en";
const words = WORDS[language];
document.documentElement.lang = language;
for (const one of document.querySelectorAll("[data-word]")) one.textContent = words[one.dataset.word];
for (const one of document.querySelectorAll("button")) one.setAttribute("aria-label", one.dataset.verb + ": " + words.do);
const key = location.hash.slice(1);
history.replaceState(null, "", "/");
const result = document.getElementById("result");
const buttons = [...document.querySelectorAll("button")];
const line = (text, kind) => {
  const made = document.createElement("p");
  made.textContent = text;
  if (kind !== undefined) made.className = kind;
  return made;
};
const table = (rows) => {
  const made = document.createElement("table");
  for (const { name, state, fact, next } of rows) {
    const row = made.insertRow();
    row.dataset.name = name;
    const cells = [words.states[state] ?? state, name].map((text) => { const cell = row.insertCell(); cell.textContent = text; return cell; });
    cells[0].className = "state " + state;
    const facts = row.insertCell();
    facts.append(line(fact));
    if (next !== null) facts.append(line(words.next + next, "next"));
  }
  return made;
};
const link = (url) => {
  const made = document.createElement("a");
  made.href = url;
  made.textContent = words.open;
  made.rel = "noreferrer";
  return made;
};
const press = async (verb) => {
  for (const one of buttons) one.disabled = true;
  result.replaceChildren(line(words.working));
  try {
    const pack = verb === "init" && document.getElementById("default-pack").checked ? "?default_pack=yes" : "";
    const answer = await fetch("/do/" + verb + pack, { method: "POST", headers: { authorization: "Bearer " + key } });
    const body = await answer.json();
    if (!answer.ok) result.replaceChildren(line(words.refused + ": " + body.error_code + " " + body.error, "failed"), line(words.next + body.suggestion));
    else if (body.url !== undefined) result.replaceChildren(link(body.url));
    else result.replaceChildren(table(body.checks ?? body.steps));
  } catch {
    result.replaceChildren(line(words.unreachable, "failed"));
  } finally {
    for (const one of buttons) one.disabled = false;
  }
};
for (const one of buttons) one.addEventListener("click", () => void press(one.dataset.verb));
`;
