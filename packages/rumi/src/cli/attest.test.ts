import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { canonicalJson, sha256, type Json } from "@rumi/kernel";
import { attesterFromPem } from "@rumi/ledger";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { addAttestCommands } from "./attest.ts";
import type { CliContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";

const room = temporaryFolder();
afterAll(() => room.remove());
const attester = attesterFromPem(
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
);
const RUNGS = ["StopRequested", "StopAcknowledged", "Quiesced", "OrdersClear", "CredentialFenced", "StopAttested"];
const predicate: Record<string, Json> = {
  run_id: "r",
  epoch: 1,
  open_orders: 0,
  attested_at: "2026-01-01T00:00:00.000000Z",
  rungs: RUNGS.map((rung) => ({ rung, at: "2026-01-01T00:00:00.000000Z" })),
};
const envelope = attester.sign(
  canonicalJson({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "run:r", digest: { sha256: Buffer.from(sha256(canonicalJson(predicate))).toString("hex") } }],
    predicateType: "urn:rumi:stop-attestation:v1",
    predicate,
  }),
);

async function verify(record: string, key = attester.public_pem): Promise<readonly [number, string]> {
  const [file, pem] = [join(room.path, "stop.json"), join(room.path, "home.pem")];
  writeFileSync(file, record);
  writeFileSync(pem, key);
  let said = "";
  const tell = (text: string): void => void (said += text);
  const context = {
    terminal: { out: tell, err: tell, color: false, language: "en", interactive: false },
    environment: {},
    exit_code: EXIT.ok,
  } as unknown as CliContext;
  const program = new Command().exitOverride();
  addAttestCommands(program, context);
  await program.parseAsync(["node", "rumi", "attest", "verify", file, "--key", pem, "--json"]);
  return [context.exit_code, said];
}

it("[L-N8] a stop's record is verified offline, as an envelope and as the answer that holds it; a forged one ends with 1", async () => {
  for (const record of [envelope, { envelope }, { success: true, data: { envelope } }]) {
    const [exit, said] = await verify(JSON.stringify(record));
    expect([exit, (JSON.parse(said) as { verified: boolean }).verified]).toEqual([EXIT.ok, true]);
  }
  const forged = { ...envelope, payload: Buffer.from(canonicalJson({ ...predicate, epoch: 2 })).toString("base64") };
  for (const record of [JSON.stringify(forged), "rubbish", "{}"]) {
    const [exit, said] = await verify(record);
    expect([exit, said.includes("RUMI-LOG-027")]).toEqual([EXIT.failed, true]);
  }
  expect((await verify(JSON.stringify(envelope), "no key"))[0]).toBe(EXIT.failed);
});
