/** `rumi pack build --run ID`: a pack of exactly what a run left, with its provenance, as an archive for an import. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { err, failure, ok, systemClock, systemRandom, uuidv7, type Failure, type Result } from "@rumi/kernel";
import type { ApiClient } from "./client.ts";
import { clientOf, fail, failFromApi, type CliContext, type OutputStyle } from "./context.ts";
import { printJson, printObject } from "./output.ts";

type Options = {
  readonly run: string;
  readonly path?: string;
  readonly out?: string;
  readonly reason?: string;
  readonly json?: boolean;
};
type Built = { readonly pack_id: string; readonly version: string; readonly digest: string; readonly path: string };

const BUILD_TIMEOUT_MS = 300_000;

export function addPackBuild(packs: Command, context: CliContext): void {
  packs
    .command("build")
    .description("Make a pack of exactly what a run left; a signed file in it names the run and its proof")
    .requiredOption(
      "--run <run_id>",
      "a run that has its proof, whose checks passed and whose violations were approved",
    )
    .option("--path <folder>", "the pack's folder in what the run left (default: its root)")
    .option("--out <file>", "where the archive is written (default: PACK_ID-VERSION.rumipack here)")
    .option("--reason <text>", "why, for the audit log")
    .option("--json", "print what was made as JSON")
    .action(async (options: Options) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const client = clientOf(context);
      if (!client.ok) return fail(context, client.error, style);
      const path = `/api/runs/${encodeURIComponent(options.run)}/pack`;
      const built = await client.value.data<Built>({
        method: "POST",
        path,
        body: {
          ...(options.path === undefined ? {} : { path: options.path }),
          ...(options.reason === undefined ? {} : { reason: options.reason }),
        },
        headers: { "idempotency-key": uuidv7(systemClock().now(), systemRandom()) },
        timeout_ms: BUILD_TIMEOUT_MS,
      });
      if (!built.ok) return failFromApi(context, built.error, style);
      const { pack_id, version, digest } = built.value;
      const query = built.value.path === "" ? "" : `?path=${encodeURIComponent(built.value.path)}`;
      const file = resolve(options.out ?? `${pack_id}-${version}.rumipack`);
      const written = await download(client.value, `${path}${query}`, file);
      if (!written.ok) return fail(context, written.error, style);
      if (style === "json") printJson(context.terminal, { ...built.value, file });
      else printObject(context.terminal, { pack_id, version, digest, file });
      return undefined;
    });
}

async function download(client: ApiClient, path: string, file: string): Promise<Result<undefined, Failure>> {
  try {
    const answer = await fetch(new URL(path, client.base_url), {
      headers: { authorization: `Bearer ${client.token}` },
      signal: AbortSignal.timeout(BUILD_TIMEOUT_MS),
    });
    if (!answer.ok) return err(failure("RUMI-NET-001", { url: client.base_url }));
    writeFileSync(file, new Uint8Array(await answer.arrayBuffer()));
    return ok(undefined);
  } catch (cause) {
    return err(failure("RUMI-VAL-006", { path: file }, { cause }));
  }
}
