/** What every command of the command line needs: the terminal, the settings, and a client when it talks to the program. */
import { type CliCommand, deriveToken } from "@rumi/operations";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok, type Environment, type Failure, type Result } from "@rumi/kernel";
import { homePaths } from "../home/layout.ts";
import { readSettings, type Settings } from "../home/settings.ts";
import { apiClient, knownCode, type ApiClient, type ApiError } from "./client.ts";
import { EXIT } from "./exit-codes.ts";
import { printFailure, printJson, type Terminal } from "./output.ts";
import { spoken } from "./spoken.ts";

export type CliContext = {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What may be typed, where this noun has commands of the program: next steps are told in them. */
  commands?: readonly CliCommand[];
  /** Set by the command that ran; the process ends with it. Of EXIT, but where a command has codes of its own. */
  exit_code: number;
};

export type OutputStyle = "json" | "words";

export function settingsOf(context: CliContext): Result<Settings, Failure> {
  const read = readSettings(context.environment);
  if (!read.ok) return read;
  if (read.value.unknown.length > 0) {
    context.terminal.err(`warning: not settings of Rumi: ${read.value.unknown.join(", ")}\n`);
  }
  return ok(read.value.settings);
}

/** The bearer token of the home that the settings name. */
export function homeToken(settings: Settings): Result<string, Failure> {
  const paths = homePaths(settings.home);
  try {
    const key = readFileSync(join(paths.settings, ".hmac_key"), "utf8").trim();
    const home = JSON.parse(readFileSync(join(paths.settings, "home.json"), "utf8")) as {
      readonly home_id: string;
      readonly environment: Environment;
    };
    return ok(deriveToken(new Uint8Array(Buffer.from(key, "base64url")), home.environment, home.home_id));
  } catch (cause) {
    return err(failure("RUMI-SYS-003", { path: paths.settings, problem: "no home was started here yet" }, { cause }));
  }
}

/**
 * A client of the program: RUMI_API_URL and RUMI_TOKEN where given, else this machine's home.
 *
 * A home's own token goes to the home's own program: while it does not run, whoever listens at the usual port is another.
 */
export function clientOf(context: CliContext): Result<ApiClient, Failure> {
  const settings = settingsOf(context);
  if (!settings.ok) return settings;
  const given = (name: string): string | undefined => context.environment[name] || undefined;
  const named = given("RUMI_TOKEN");
  const token = named === undefined ? homeToken(settings.value) : ok(named);
  if (!token.ok) return token;
  const says = `http://127.0.0.1:${settings.value.api_port}`;
  const base =
    given("RUMI_API_URL") ??
    notedAddress(settings.value) ??
    (named !== undefined || given("RUMI_API_PORT") !== undefined ? says : undefined);
  if (base === undefined) return err(failure("RUMI-NET-001", { url: homePaths(settings.value.home).root }));
  const { language, err: say } = context.terminal;
  const rehearsed = (): void =>
    say(language === "ja" ? "訓練: 実際には何も行っていません。\n" : "TRAINING: nothing was really done.\n");
  return ok(apiClient({ base_url: base, token: token.value, language, rehearsed }));
}

/** Where this home's program listens, by its own note; none where it ended in order or never began. */
function notedAddress(settings: Settings): string | undefined {
  try {
    const note = JSON.parse(readFileSync(join(homePaths(settings.home).settings, "running.json"), "utf8")) as {
      readonly url?: unknown;
    };
    return typeof note.url === "string" ? note.url : undefined;
  } catch {
    return undefined;
  }
}

export function fail(context: CliContext, of: Failure, style: OutputStyle): void {
  printFailure(context.terminal, of, style);
  context.exit_code = of.code === "RUMI-NET-001" ? EXIT.unreachable : EXIT.failed;
}

/** Tells the server's refusal as it came: code, reason, next step. */
export function failFromApi(context: CliContext, error: ApiError, style: OutputStyle): void {
  if (error.kind === "unreachable") {
    fail(context, error.failure, style);
    return;
  }
  context.exit_code = EXIT.failed;
  const { body, status } = error;
  if (style === "json") {
    printJson(context.terminal, body);
    return;
  }
  const word = (name: string): string => (typeof body[name] === "string" ? body[name] : "");
  const code = knownCode(body) ?? `HTTP ${status}`;
  context.terminal.err(
    `${code}${word("reason_code") === "" ? "" : ` ${word("reason_code")}`}: ${word("error") || "the answer is not one of Rumi's"}\n`,
  );
  if (word("suggestion") !== "")
    context.terminal.err(`  → ${spoken(word("suggestion"), context.commands ?? [])}
`);
  if (word("runbook") !== "")
    context.terminal.err(`  → ${word("runbook")}
`);
  if (body["details"] !== undefined) context.terminal.err(`  ${JSON.stringify(body["details"])}\n`);
}
