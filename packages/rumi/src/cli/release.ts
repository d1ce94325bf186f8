/** `rumi release verify FILE --key PEM`: whether a release certificate is to be believed, offline; nothing of the home is asked. */
import type { Command } from "commander";
import { RELEASE_LIMITS, verifyCertificate } from "@rumi/control";
import { err, failure, ok, systemClock, type Failure, type Result } from "@rumi/kernel";
import { fail, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { envelopeIn, readText } from "./envelope.ts";
import { printJson, printTable } from "./output.ts";

type Options = {
  readonly key: string;
  readonly status?: string;
  readonly maxAge?: string;
  readonly bot?: string;
  readonly releaseVersion?: string;
  readonly artifact?: string;
  readonly json?: boolean;
};

export function addReleaseCommands(program: Command, context: CliContext): void {
  program
    .command("release")
    .description("Release certificates: issue, revoke, show, list, verify.")
    .command("verify")
    .description(
      "Check a certificate offline: signature, hashes, what it is of, and by its signed status whether it was revoked",
    )
    .argument("<file>", "the envelope, or an answer of `rumi release show CERT --json` that holds it")
    .requiredOption("--key <file>", "the home's public key (PEM), as you were given it")
    .option("--status <file>", "an answer of `rumi release status CERT --json`; without it the verdict is incomplete")
    .option("--max-age <seconds>", `how old that status may be (default ${RELEASE_LIMITS.default_max_age_seconds})`)
    .option("--bot <bot_id>", "the bot that it has to be of")
    .option("--release-version <version>", "the version of the bot that it has to be of")
    .option("--artifact <digest>", "the artifact that it has to be of")
    .option("--json", "print the facts as JSON")
    .addHelpText("after", "\nExit codes: 0 valid, 1 invalid or incomplete, 2 wrong usage.")
    .action((file: string, options: Options) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const done = verify(file, options, context, style);
      if (!done.ok) fail(context, done.error, style);
    });
}

function verify(file: string, options: Options, context: CliContext, style: OutputStyle): Result<null, Failure> {
  const max_age = ageOf(options.maxAge);
  if (!max_age.ok) return max_age;
  const [record, pem] = [read(file), read(options.key)];
  if (!record.ok) return record;
  if (!pem.ok) return pem;
  const status = options.status === undefined ? undefined : read(options.status);
  if (status?.ok === false) return status;
  const { bot, releaseVersion, artifact } = options;
  const found = verifyCertificate({
    envelope: envelopeIn(record.value),
    public_pem: pem.value,
    // A file that holds no envelope is one that is wrong, not one that is missing.
    ...(status === undefined ? {} : { status: envelopeIn(status.value) ?? null }),
    now: systemClock().now(),
    max_age_seconds: max_age.value,
    expected: {
      ...(bot === undefined ? {} : { bot_id: bot }),
      ...(releaseVersion === undefined ? {} : { version: releaseVersion }),
      ...(artifact === undefined ? {} : { artifact_id: artifact }),
    },
  });
  if (found.verdict !== "valid") context.exit_code = EXIT.failed;
  if (style === "json") printJson(context.terminal, found);
  else {
    const rows = found.facts.map(({ fact, state, note }) => ({ fact, state, note }));
    printTable(context.terminal, ["fact", "state", "note"], rows);
    context.terminal.out(`${found.verdict}\n`);
  }
  return ok(null);
}

function ageOf(text: string | undefined): Result<number, Failure> {
  if (text === undefined) return ok(RELEASE_LIMITS.default_max_age_seconds);
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return seconds <= RELEASE_LIMITS.max_age_seconds
    ? ok(seconds)
    : err(failure("RUMI-VAL-002", { field: "--max-age", problem: "it is a whole number of seconds, a year at most" }));
}

const read = (path: string): Result<string, Failure> => readText(path, "RUMI-REL-006");
