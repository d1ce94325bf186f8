/** docs/first-pack.md, done as it says: its files and commands, in its order, by somebody who has only the page. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { cliIn, eventually, ROOT, startProgram } from "./program.ts";

const text = readFileSync(join(ROOT, "docs/first-pack.md"), "utf8");
const PART = /^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm;
const able = (["python3", "bubblewrap"] as const).every((need) => requires(need));

it.runIf(able)(
  "[R-14.1] [R-7.1] [R-8.1] a pack in Python and TypeScript: scan, approve, grant, flow run, following only the page",
  { timeout: 240_000 },
  async () => {
    const folder = temporaryFolder();
    const program = await startProgram({ home: join(folder.path, "home") });
    const found: Record<string, string> = {};
    let answered = "";
    let refused = 0;
    try {
      await eventually(async () => (await program.call("GET", "/health")).body["status"] === "UP");
      for (const [, language = "", file, body = ""] of text.matchAll(PART)) {
        if (file !== undefined) {
          mkdirSync(dirname(join(folder.path, file)), { recursive: true });
          writeFileSync(join(folder.path, file), body);
          continue;
        }
        if (language !== "sh") continue;
        for (const line of body.trim().split("\n")) {
          const [, command = "", comment = ""] = /^rumi (.+?)(?:\s{2,}# (.*))?$/.exec(line) ?? [];
          expect([line, command !== ""]).toEqual([line, true]);
          const asked = command
            .replace("STAGING_ID", found["staging_id"] ?? "?")
            .replace("CANDIDATE_KEY", `'${found["candidate_key"] ?? "?"}'`);
          const done = cliIn(folder.path, program.home, asked);
          const why = /^refused: (.*)$/.exec(comment)?.[1];
          expect([line, done.code, why === undefined ? done.err : ""]).toEqual([line, why === undefined ? 0 : 1, ""]);
          if (why !== undefined) {
            expect(done.err).toContain(why);
            refused += 1;
          }
          for (const name of ["staging_id", "candidate_key"])
            found[name] = new RegExp(`"?${name}"?:? +"?([^"\\s,]+)"?`).exec(done.out)?.[1] ?? found[name] ?? "";
          if (command.startsWith("flows run ") && why === undefined) answered = done.out;
        }
      }
      expect(refused).toBe(2);
      expect(answered).toContain("HELLO, WORLD!!!");
      expect(answered).toContain("Hello, World!");
    } finally {
      await program.stop();
      folder.remove();
    }
  },
);
