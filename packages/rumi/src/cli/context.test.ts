import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { clientOf } from "./context.ts";
import { EXIT } from "./exit-codes.ts";

const home = temporaryFolder();
const settings = join(home.path, "user_data/settings");
mkdirSync(settings, { recursive: true });
writeFileSync(join(settings, ".hmac_key"), Buffer.alloc(32, 7).toString("base64url"));
writeFileSync(join(settings, "home.json"), JSON.stringify({ home_id: "h", environment: "dev" }));
afterAll(() => home.remove());

/** Where a command would send its token, or the code and the place of its refusal. */
function sentTo(environment: Readonly<Record<string, string>> = {}): string {
  const tell = (): void => {};
  const terminal = { out: tell, err: tell, language: "en", is_interactive: false } as const;
  const client = clientOf({ terminal, environment: { RUMI_HOME: home.path, ...environment }, exit_code: EXIT.ok });
  return client.ok ? client.value.base_url : `${client.error.code} ${String(client.error.params["url"])}`;
}

it("sends a home's token to the home's program only: while none runs, nobody at the usual port gets it", () => {
  expect(sentTo()).toBe(`RUMI-NET-001 ${home.path}`);
  expect(sentTo({ RUMI_API_PORT: "9000" })).toBe("http://127.0.0.1:9000");
  expect(sentTo({ RUMI_API_URL: "http://there:1" })).toBe("http://there:1");
  expect(sentTo({ RUMI_TOKEN: "one that was given" })).toBe("http://127.0.0.1:8765");
  const note = join(settings, "running.json");
  writeFileSync(note, JSON.stringify({ url: "http://127.0.0.1:4321", pid: 1 }));
  expect(sentTo()).toBe("http://127.0.0.1:4321");
  rmSync(note);
  expect(sentTo()).toBe(`RUMI-NET-001 ${home.path}`);
});
