/** `rumi proof get` and `rumi proof verify`: the evidence of a run, and whether git says the same. */
import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { systemGit, verifyBundle, type Verification } from "@rumi/runs";
import { clientOf, fail, failFromApi, type CliContext } from "./context.ts";
import { printJson } from "./output.ts";

/** Of `proof verify`, as the specification fixes them. */
export const PROOF_EXIT = { valid: 0, invalid: 1, incomplete: 2, usage: 3 } as const;

type VerifyOptions = {
  readonly repo: string;
  readonly log?: string;
  readonly attestation?: string;
  readonly key?: string;
  readonly json?: boolean;
};

export function addProofCommands(program: Command, context: CliContext): void {
  const proof = program.command("proof").description("Proof bundles of runs.");
  proof
    .command("get")
    .description("Print a run's bundle, byte for byte")
    .argument("<run_id>")
    .option("--revision <n>", "an earlier revision (default: the newest)")
    .option("--attestation", "its signed form instead")
    .action(async (run_id: string, options: { readonly revision?: string; readonly attestation?: boolean }) => {
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, "words");
      const path = `/api/runs/${encodeURIComponent(run_id)}/proof${options.attestation === true ? "/attestation" : ""}`;
      const query = options.revision === undefined ? "" : `?revision=${encodeURIComponent(options.revision)}`;
      const answer = await client.value.request({ method: "GET", path: `${path}${query}` });
      if (!answer.ok) return failFromApi(context, answer.error, "words");
      context.terminal.out(answer.value.text);
      return undefined;
    });
  proof
    .command("verify")
    .description("Recompute a bundle's facts from git: 0 valid, 1 invalid, 2 incomplete, 3 wrong usage")
    .argument("<bundle>", "the bundle's file")
    .requiredOption("--repo <path>", "a repository that has its commits")
    .option("--log <file>", "the run's log, which holds its prompt")
    .option("--attestation <file>", "its signed form")
    .option("--key <file>", "the public key (PEM) that it is to be signed with, as you were given it")
    .option("--json", "print the facts as JSON")
    .action(async (file: string, options: VerifyOptions) => {
      const style = options.json === true ? "json" : "words";
      const given = read(file, options);
      if (!given.ok) {
        fail(context, given.error, style);
        context.exit_code = PROOF_EXIT.usage;
        return;
      }
      const found = await verifyBundle({
        ...given.value,
        repo: options.repo,
        git: systemGit(context.environment["PATH"] ?? ""),
      });
      context.exit_code = PROOF_EXIT[found.verdict];
      if (style === "json") printJson(context.terminal, found);
      else print(found, context);
    });
}

function print({ verdict, facts }: Verification, { terminal }: CliContext): void {
  const width = Math.max(...facts.map(({ fact }) => fact.length));
  for (const { fact, state, note } of facts) terminal.out(`${state.padEnd(8)}${fact.padEnd(width + 2)}${note}\n`);
  terminal.out(`${verdict}\n`);
}

type Given = {
  readonly text: string;
  readonly log?: Uint8Array;
  readonly attestation?: { readonly envelope: unknown; readonly public_pem: string };
};

function read(file: string, { log, attestation, key }: VerifyOptions): Result<Given, Failure> {
  if ((attestation === undefined) !== (key === undefined))
    return err(
      failure("RUMI-VAL-002", { field: "--attestation", problem: "it goes with --key, and the other way round" }),
    );
  const paths = { text: file, log, attestation, key };
  const found: Partial<Record<keyof typeof paths, Buffer>> = {};
  for (const [name, path] of Object.entries(paths)) {
    if (path === undefined) continue;
    try {
      found[name as keyof typeof paths] = readFileSync(path);
    } catch (cause) {
      return err(failure("RUMI-VAL-006", { path }, { cause }));
    }
  }
  return ok({
    text: found.text?.toString("utf8") ?? "",
    ...(found.log === undefined ? {} : { log: found.log }),
    ...(found.attestation === undefined || found.key === undefined
      ? {}
      : { attestation: { envelope: envelopeOf(found.attestation), public_pem: found.key.toString("utf8") } }),
  });
}

function envelopeOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined; // the check says that it is none
  }
}
