/**
 * `rumi bundle`: a support bundle made at the command line, which needs no program (M-15.3). What only the program knows
 * is then listed as left out. The program makes its own on request: `rumi support_bundles create`.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { bundleOf, environmentSecrets, redactor, statisticsOf, textsWithin, withheld } from "@rumi/control";
import { failure, systemClock, systemRandom, uuidv7 } from "@rumi/kernel";
import { storedValues, type SecretsKey } from "@rumi/platform";
import { homePaths, type HomePaths } from "../home/layout.ts";
import { findSecretsKey } from "../home/secrets-key.ts";
import type { Settings } from "../home/settings.ts";
import { headOf, keysOf, logsOf, withheldSettings } from "../program/bundle-sources.ts";
import { doctorChecks } from "../setup/checks.ts";
import type { Installation } from "../program/installation.ts";
import { verifyHome } from "./audit.ts";
import type { ApiClient } from "./client.ts";
import { clientOf, fail, settingsOf, type CliContext } from "./context.ts";
import { printJson } from "./output.ts";

/** Newest failures that are asked for. */
const EVENTS = 200;

type Row = Readonly<Record<string, unknown>>;
type Options = { readonly out?: string; readonly json?: boolean };

export function addBundleCommand(program: Command, context: CliContext, place: Installation): void {
  program
    .command("bundle")
    .description("Write a support bundle: checks, versions, statistics by reason, failures, metrics, logs; no secret")
    .option("--out <file>", "where to write it (default: rumi-bundle.zip)")
    .option("--json", "print its manifest as JSON")
    .action(async (options: Options) => {
      const style = options.json === true ? "json" : "words";
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, style);
      const paths = homePaths(settings.value.home);
      const client = clientOf(context);
      const live = client.ok ? await fromProgram(client.value) : null;
      const clock = systemClock();
      const stored = await secretsOf(paths, settings.value);
      const left_out = live === null ? LEFT_OUT.map((what) => `${what}: the program did not answer`) : [];
      const made = bundleOf({
        bundle_id: uuidv7(clock.now(), systemRandom()),
        created_at: clock.now(),
        missing: [...left_out, ...stored.unreadable.map((key) => `logs: the secret ${key} cannot be opened`)],
        redact: redactor([
          ...environmentSecrets(context.environment),
          ...keysOf(paths),
          ...stored.values,
          ...(client.ok ? [client.value.token] : []),
          ...(live?.bots ?? []).flatMap((bot) => textsWithin(configOf(bot))),
        ]),
        texts: {
          "doctor.json": json({ checks: await doctorChecks(context, place, settings.value.home) }),
          "versions.json": json({ rumi: place.version, node: process.versions.node, platform: process.platform }),
          "settings.json": json(withheldSettings(settings.value)),
          "audit.json": json(await auditFacts(context, paths)),
          ...(live === null ? {} : filesOf(live)),
          // Whatever cannot be opened cannot be looked for either.
          ...(stored.unreadable.length === 0 ? logsOf(paths) : {}),
        },
      });
      const out = resolve(options.out ?? "rumi-bundle.zip");
      try {
        writeFileSync(out, made.archive, { mode: 0o600, flag: "wx" });
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : String(cause);
        return fail(context, failure("RUMI-SYS-003", { path: out, problem }, { cause }), style);
      }
      const { manifest, manifest_sha256, archive } = made;
      if (style === "json")
        printJson(context.terminal, { path: out, bytes: archive.length, manifest_sha256, left_out, ...manifest });
      else {
        context.terminal.out(`${out}: ${manifest.files.length + 1} files, ${archive.length} bytes\n`);
        for (const what of left_out) context.terminal.out(`left out: ${what}\n`);
      }
      return undefined;
    });
}

/** Stored secrets in clear, to be struck out, and the keys of those that do not open here. */
async function secretsOf(
  paths: HomePaths,
  settings: Settings,
): Promise<{ readonly values: readonly string[]; readonly unreadable: readonly string[] }> {
  const found = findSecretsKey(paths, settings);
  const none: SecretsKey = { kind: "none", plain_text: "refused", problem: "it is malformed" };
  const { values, unreadable } = await storedValues(paths.secrets, found.ok ? found.value.key : none);
  return { values: values.map(({ value }) => value), unreadable: unreadable.map(({ key }) => key) };
}

const LEFT_OUT = ["bots", "instances", "statistics", "failures", "metrics"];

type Live = {
  readonly bots: readonly Row[];
  readonly instances: readonly Row[];
  readonly failures: readonly Row[];
  readonly metrics: string;
};

/** What the program tells; `null` when it does not answer. */
async function fromProgram(client: ApiClient): Promise<Live | null> {
  const list = async (path: string, name: string): Promise<readonly Row[] | null> => {
    const answer = await client.data<Readonly<Record<string, readonly Row[]>>>({ method: "GET", path });
    return answer.ok ? (answer.value[name] ?? []) : null;
  };
  const [bots, instances] = [await list("/api/bots", "bots"), await list("/api/instances", "instances")];
  const failures = await list(`/api/audit/events?outcome=FAILURE&order=desc&limit=${EVENTS}`, "events");
  if (bots === null || instances === null) return null;
  const scraped = await fetch(new URL("/metrics", client.base_url), {
    headers: { authorization: `Bearer ${client.token}` },
  });
  return { bots, instances, failures: failures ?? [], metrics: await scraped.text() };
}

function filesOf({ bots, instances, failures, metrics }: Live): Readonly<Record<string, string>> {
  return {
    "bots.json": json(bots.map(withoutConfig)),
    "instances.json": json(instances),
    "statistics.json": json(statisticsOf(instances as unknown as Parameters<typeof statisticsOf>[0])),
    "failures.json": json(failures),
    "metrics.txt": metrics,
  };
}

function configOf(bot: Row): unknown {
  return bot["config"] ?? (bot["spec"] as Row | undefined)?.["config"];
}

function withoutConfig(bot: Row): Row {
  const spec = bot["spec"] as Row | undefined;
  return {
    ...bot,
    ...("config" in bot ? { config: withheld(bot["config"]) } : {}),
    ...(spec === undefined ? {} : { spec: { ...spec, config: withheld(spec["config"]) } }),
  };
}

async function auditFacts(context: CliContext, paths: HomePaths): Promise<Row> {
  const verified = await verifyHome(context);
  return {
    head: headOf(paths),
    verification: verified.ok
      ? verified.value
      : { ok: false, error_code: verified.error.code, params: verified.error.params },
  };
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
