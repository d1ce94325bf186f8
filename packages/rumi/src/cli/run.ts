/** `rumi run … -- CMD`: a command in a fresh worktree, with scope and definition of done; its output as it comes. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { err, failure, ok, uuidv7, systemClock, systemRandom, type Failure, type Result } from "@rumi/kernel";
import type { ApiClient } from "./client.ts";
import { clientOf, fail, failFromApi, type CliContext } from "./context.ts";

type Options = {
  readonly repo: string;
  readonly baseRef?: string;
  readonly promptFile: string;
  readonly scope: string;
  readonly dod: string;
  readonly timeout?: string;
  readonly enforce?: string;
  readonly reason?: string;
  readonly wait?: boolean;
};
type Shown = {
  readonly run_id: number;
  readonly phase: string;
  readonly status: string;
  readonly exit_code: number | null;
};

const ASK_EVERY_MS = 250;

export function addRunCommand(program: Command, context: CliContext): void {
  program
    .command("run")
    .description("Run a command in a fresh worktree of a repository; its evidence follows by itself")
    .requiredOption("--repo <path>", "the git repository")
    .option("--base-ref <ref>", "where it begins (default: HEAD)")
    .requiredOption("--prompt-file <file>", "what the command is asked to do; also its standard input")
    .requiredOption("--scope <file>", 'JSON: {"write": [patterns], "read": […], "exclude": […]}')
    .requiredOption("--dod <file>", 'JSON: {"required_checks": […]}')
    .option("--timeout <seconds>", "how long it may take")
    .option("--enforce <word>", "record (default) or deny")
    .option("--reason <text>", "why, for the audit log")
    .option("--wait", "show its output, wait for its evidence, end with its exit code; the run's id is printed last")
    .argument("<command...>", "after --")
    .action(async (command: readonly string[], options: Options) => {
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, "words");
      const body = wishOf(command, options);
      if (!body.ok) return fail(context, body.error, "words");
      const started = await client.value.data<Shown>({
        method: "POST",
        path: "/api/runs",
        body: body.value,
        headers: { "idempotency-key": uuidv7(systemClock().now(), systemRandom()) },
      });
      if (!started.ok) return failFromApi(context, started.error, "words");
      const { run_id } = started.value;
      if (options.wait === true) {
        await follow(client.value, run_id, context);
        const ended = await evidenceOf(client.value, run_id);
        if (!ended.ok) return failFromApi(context, ended.error, "words");
        context.exit_code = ended.value.exit_code ?? 1;
      }
      context.terminal.out(`${run_id}\n`);
      return undefined;
    });
}

function wishOf(command: readonly string[], options: Options): Result<Readonly<Record<string, unknown>>, Failure> {
  const prompt = textOf(options.promptFile);
  if (!prompt.ok) return prompt;
  const scope = jsonOf(options.scope);
  if (!scope.ok) return scope;
  const dod = jsonOf(options.dod);
  if (!dod.ok) return dod;
  const timeout_seconds = options.timeout === undefined ? undefined : Number(options.timeout);
  return ok({
    repo: resolve(options.repo),
    prompt: prompt.value,
    scope: scope.value,
    dod: dod.value,
    command,
    ...(options.baseRef === undefined ? {} : { base_ref: options.baseRef }),
    ...(timeout_seconds === undefined ? {} : { timeout_seconds }),
    ...(options.enforce === undefined ? {} : { enforce: options.enforce }),
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
}

function textOf(path: string): Result<string, Failure> {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (cause) {
    return err(failure("RUMI-VAL-006", { path }, { cause }));
  }
}

function jsonOf(path: string): Result<unknown, Failure> {
  const text = textOf(path);
  if (!text.ok) return text;
  try {
    return ok(JSON.parse(text.value));
  } catch (cause) {
    return err(failure("RUMI-VAL-002", { field: path, problem: "it is no JSON" }, { cause }));
  }
}

/** Shows what it says until it has ended. A stream that breaks off is no failure: the run goes on without anybody watching. */
async function follow(client: ApiClient, run_id: number, { terminal }: CliContext): Promise<void> {
  const headers = { authorization: `Bearer ${client.token}` };
  const response = await fetch(new URL(`/api/runs/${run_id}/stream`, client.base_url), { headers });
  let rest = "";
  const decoder = new TextDecoder();
  try {
    for await (const piece of response.body ?? []) {
      rest += decoder.decode(piece as Uint8Array, { stream: true });
      const frames = rest.split("\n\n");
      rest = frames.pop() ?? "";
      for (const frame of frames) {
        const data = /^event: line\ndata: (.+)$/.exec(frame)?.[1];
        if (data === undefined) continue;
        const { stream, data: said } = JSON.parse(data) as { readonly stream: string; readonly data: string };
        if (stream === "stdout") terminal.out(said);
        else if (stream === "stderr") terminal.err(said);
      }
    }
  } catch (problem) {
    terminal.err(`the live output broke off: ${problem instanceof Error ? problem.message : String(problem)}\n`);
  }
}

async function evidenceOf(client: ApiClient, run_id: number): ReturnType<typeof client.data<Shown>> {
  for (;;) {
    const shown = await client.data<Shown>({ method: "GET", path: `/api/runs/${run_id}` });
    if (!shown.ok || shown.value.phase === "proved" || shown.value.phase === "broken") return shown;
    await new Promise((done) => setTimeout(done, ASK_EVERY_MS));
  }
}
