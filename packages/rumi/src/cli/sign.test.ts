/** `rumi packs sign`: with one's own key, on one's own machine, checked by whoever has the public half. */
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { openEnvelope } from "@rumi/ledger";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { writePack } from "../../../platform/test/kit.ts";
import type { CliContext } from "./context.ts";
import { checkPack, addPackCommands } from "./packs.ts";
import { addSignCommand } from "./sign.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => {
  folder.remove();
});

async function packs(
  ...words: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const said = { out: "", err: "" };
  const context: CliContext = {
    terminal: {
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      is_interactive: false,
      language: "en",
    },
    environment: { RUMI_HOME: folder.path },
    exit_code: 0,
  };
  const program = new Command("rumi").exitOverride();
  addSignCommand(addPackCommands(program, context), context);
  await program.parseAsync(["node", "rumi", "packs", ...words]);
  return { code: context.exit_code, ...said };
}

it("[L-51.1] a pack's digest is signed with a key from a file, and the public key alone checks it", async () => {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const public_pem = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
  const key = join(folder.path, "key.pem");
  writeFileSync(key, pair.privateKey.export({ type: "pkcs8", format: "pem" }));
  const pack = writePack(join(folder.path, "demo"));
  const checked = await checkPack(pack);
  if (!checked.ok) throw new Error(checked.error.code);
  const sha256 = checked.value.digest.slice("sha256:".length);

  const signed = await packs("sign", pack, "--key", key);
  expect(signed).toMatchObject({ code: 0, err: "" });
  const opened = openEnvelope(JSON.parse(signed.out), public_pem);
  expect(opened.ok && JSON.parse(opened.value)).toMatchObject({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "demo_pack", digest: { sha256 } }],
  });

  const out = join(folder.path, "envelope.json");
  expect((await packs("sign", checked.value.digest, "--key", key, "--out", out)).code).toBe(0);
  const written = readFileSync(out, "utf8");
  const again = openEnvelope(JSON.parse(written), public_pem);
  expect(again.ok && JSON.parse(again.value)).toMatchObject({ subject: [{ digest: { sha256 } }] });
  expect(`${signed.out}${written}`).not.toContain("PRIVATE");
});

it("[L-51.1] what is no P-256 private key signs nothing, and is not quoted", async () => {
  const key = join(folder.path, "key.pem");
  const pack = writePack(join(folder.path, "demo"));
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const texts = ["not a key", privateKey.export({ type: "pkcs8", format: "pem" }).toString()];
  for (const text of texts) {
    writeFileSync(key, text);
    const refused = await packs("sign", pack, "--key", key);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("RUMI-VAL-002");
    expect(refused.err).not.toContain(text.split("\n")[1] ?? text);
  }
  expect((await packs("sign", pack, "--key", join(folder.path, "nowhere.pem"))).err).toContain("RUMI-VAL-006");
  expect((await packs("sign", join(folder.path, "nowhere"), "--key", key)).code).toBe(1);
});
