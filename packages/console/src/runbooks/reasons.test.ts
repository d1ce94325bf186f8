import { describe, expect, it } from "vitest";
import { runbookPages } from "./pages.ts";
import { reasonRow, reasonRows } from "./reasons.ts";

const PAGE = `# Reasons

| Look | Here |
| --- | --- |
| a | b |

| Code | What happened | Do |
| --- | --- | --- |
| \`M.LIMIT.CAPITAL\` | it would exceed the bot's **capital** | raise it, or trade less |
| \`M.SAFETY.*\` | the safety mode refuses it | \`docs/runbooks/safety.md\` |
`;

describe("reason codes in plain words", () => {
  const rows = reasonRows([["docs/runbooks/reasons/gate.md", PAGE]]);
  it("[G-9.1] a code has the words of its row, what to do, and its page", () => {
    expect(reasonRow(rows, "M.LIMIT.CAPITAL")).toEqual({
      what: "it would exceed the bot's capital",
      action: "raise it, or trade less",
      page: "docs/runbooks/reasons/gate.md",
    });
  });
  it("[G-9.1] a row for a whole family speaks for each of its codes, and for no other", () => {
    expect(reasonRow(rows, "M.SAFETY.EMERGENCY_STOP")?.what).toBe("the safety mode refuses it");
    expect(reasonRow(rows, "M.SAFETYNET.X")).toBeUndefined();
    expect(reasonRow(rows, "M.LIMIT.OTHER")).toBeUndefined();
  });
  it("[G-9.1] every reason page of the house is read: each of its codes has words and something to do", () => {
    const all = reasonRows(runbookPages());
    expect(all.size).toBeGreaterThan(120);
    for (const [code, row] of all) expect([code, row.what !== "", row.action !== ""]).toEqual([code, true, true]);
    expect(reasonRow(all, "M.STOP.LOSS")?.page).toBe("docs/runbooks/reasons/stop.md");
  });
});
