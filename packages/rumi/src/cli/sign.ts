/**
 * `rumi packs sign DIR --key PEM`: signs a pack's digest with one's own key, on one's own machine. The key is read from a
 * file, used once, and neither kept nor sent anywhere.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { artifactStatement } from "@rumi/control";
import { err, failure, ok, parseDigest, type Failure, type Result } from "@rumi/kernel";
import { attesterFromPem, publicKeyOf, type Attester, type Envelope } from "@rumi/ledger";
import { newCommandId } from "./client.ts";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { printJson, printObject } from "./output.ts";
import { checkPack } from "./packs.ts";

type Options = {
  readonly key: string;
  readonly out?: string;
  readonly send?: string;
  readonly json?: boolean;
};
type Signed = { readonly artifact_id: string; readonly keyid: string; readonly envelope: Envelope };

export function addSignCommand(packs: Command, context: CliContext): void {
  packs
    .command("sign")
    .description("Sign a pack's digest with your own key: an envelope for `rumi supply_chain signature-add`")
    .argument("<pack>", "folder that holds ecosystem.json, or a digest")
    .requiredOption("--key <file>", "your private key (P-256, PKCS#8 PEM); read, never kept")
    .option("--out <file>", "write the envelope there instead of printing it")
    .option("--send <reason>", "send it to the program at once, for this reason")
    .option("--json", "print the answer as JSON")
    .action(async (pack: string, { key, out, send, json }: Options) => {
      const style: OutputStyle = json === true ? "json" : "words";
      const signed = await sign(pack, key);
      if (!signed.ok) return fail(context, signed.error, style);
      const { artifact_id, envelope } = signed.value;
      if (out !== undefined) writeFileSync(out, `${JSON.stringify(envelope, null, 2)}\n`);
      if (send === undefined)
        return out === undefined ? printJson(context.terminal, envelope) : printObject(context.terminal, { out });
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, style);
      const sent = await client.value.data<Record<string, unknown>>({
        method: "POST",
        path: "/api/supply_chain/signatures",
        body: { command_id: newCommandId(), artifact_id, envelope, reason: send },
      });
      if (!sent.ok) return failFromApi(context, sent.error, style);
      return style === "json" ? printJson(context.terminal, sent.value) : printObject(context.terminal, sent.value);
    });
}

async function sign(pack: string, key_file: string): Promise<Result<Signed, Failure>> {
  const digest = parseDigest(pack);
  const found = digest === undefined ? await checkPack(resolve(pack)) : ok({ digest, pack_id: "pack" });
  if (!found.ok) return found;
  const artifact_id = parseDigest(found.value.digest);
  if (artifact_id === undefined) return err(failure("RUMI-VAL-002", { field: "pack", problem: "it has no digest" }));
  const key = attester(key_file);
  if (!key.ok) return key;
  const envelope = key.value.sign(artifactStatement(artifact_id, found.value.pack_id));
  return ok({ artifact_id, keyid: key.value.keyid, envelope });
}

function attester(key_file: string): Result<Attester, Failure> {
  let text: string;
  try {
    text = readFileSync(key_file, "utf8");
  } catch (cause) {
    return err(failure("RUMI-VAL-006", { path: key_file }, { cause }));
  }
  const refused = err(failure("RUMI-VAL-002", { field: "--key", problem: "it is no P-256 private key in PEM form" }));
  try {
    const key = attesterFromPem(text);
    return publicKeyOf(key.public_pem) === undefined ? refused : ok(key);
  } catch {
    // What is wrong with it might quote it; that it is none is enough.
    return refused;
  }
}
