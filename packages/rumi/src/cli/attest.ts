/** `rumi attest verify FILE --key PEM`: whether a record proves a stop, offline; nothing of the home is asked or trusted. */
import type { Command } from "commander";
import { verifyStop } from "@rumi/control";
import { type Failure, type Result } from "@rumi/kernel";
import { fail, type CliContext, type OutputStyle } from "./context.ts";
import { envelopeIn, readText } from "./envelope.ts";
import { printJson, printObject } from "./output.ts";

type Options = { readonly key: string; readonly json?: boolean };

export function addAttestCommands(program: Command, context: CliContext): void {
  program
    .command("attest")
    .description("Signed records of stops.")
    .command("verify")
    .description("Check a stop's record offline: signature, every rung of the ladder, no order left open")
    .argument("<file>", "the envelope, or an answer of GET /api/attestations/{run_id} that holds it")
    .requiredOption("--key <file>", "the home's public key (PEM), as you were given it")
    .option("--json", "print the record as JSON")
    .action((file: string, { key, json }: Options) => {
      const style: OutputStyle = json === true ? "json" : "words";
      const [record, pem] = [read(file), read(key)];
      if (!record.ok) return fail(context, record.error, style);
      if (!pem.ok) return fail(context, pem.error, style);
      const proven = verifyStop(envelopeIn(record.value), pem.value);
      if (!proven.ok) return fail(context, proven.error, style);
      if (style === "json") return printJson(context.terminal, { verified: true, stop: proven.value });
      return printObject(context.terminal, { verified: true, ...proven.value });
    });
}

const read = (path: string): Result<string, Failure> => readText(path, "RUMI-LOG-027");
