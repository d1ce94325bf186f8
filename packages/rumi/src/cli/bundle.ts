/**
 * `rumi bundle`: what a helper needs to understand a home, in one archive that may be given away (M-15.3).
 *
 * Every text passes the redactor; configurations keep their names and lose their texts; each file and the whole are
 * bounded. It works without the program too: what only the program knows is then listed as left out.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Command } from "commander";
import { failure, isoFromMicros, systemClock } from "@rumi/kernel";
import { tarOf, type TarFile } from "../bundle/tar.ts";
import { environmentSecrets, redactor, textsWithin, withheld, type Redactor } from "../bundle/redactor.ts";
import { homePaths, type HomePaths } from "../home/layout.ts";
import type { Installation } from "../program/installation.ts";
import { verifyHome } from "./audit.ts";
import type { ApiClient } from "./client.ts";
import { clientOf, fail, settingsOf, type CliContext } from "./context.ts";
import { doctorChecks } from "./doctor.ts";
import { printJson } from "./output.ts";

export const BUNDLE_LIMITS = { file_bytes: 1_048_576, log_files: 8, events: 200 } as const;

type Row = Readonly<Record<string, unknown>>;
type Options = { readonly out?: string; readonly json?: boolean };

export function addBundleCommand(program: Command, context: CliContext, place: Installation): void {
  program
    .command("bundle")
    .description("Write a support bundle: checks, versions, statistics by reason, failures, metrics, logs; no secret")
    .option("--out <file>", "where to write it (default: rumi-bundle.tar.gz)")
    .option("--json", "print what it holds as JSON")
    .action(async (options: Options) => {
      const style = options.json === true ? "json" : "words";
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, style);
      const paths = homePaths(settings.value.home);
      const client = clientOf(context);
      const live = client.ok ? await fromProgram(client.value) : null;
      const redact = redactor([
        ...environmentSecrets(context.environment),
        ...keysOf(paths),
        ...(client.ok ? [client.value.token] : []),
        ...(live?.bots ?? []).flatMap((bot) => textsWithin(configOf(bot))),
      ]);
      const texts: Record<string, string> = {
        "doctor.json": json({ checks: await doctorChecks(context, place, settings.value.home) }),
        "versions.json": json({ rumi: place.version, node: process.versions.node, platform: process.platform }),
        "settings.json": json(withheldSettings(settings.value)),
        "audit.json": json(await auditFacts(context, paths)),
        ...(live === null ? {} : filesOf(live)),
        ...logsOf(paths),
      };
      const files = boundedFiles(texts, redact);
      const manifest = {
        schema_version: 1,
        made_at: isoFromMicros(systemClock().now()),
        left_out:
          live === null ? ["bots", "instances", "statistics", "failures", "metrics: the program did not answer"] : [],
        files: files.map(({ path, bytes }) => ({
          path,
          bytes: bytes.length,
          sha256: createHash("sha256").update(bytes).digest("hex"),
        })),
      };
      const out = resolve(options.out ?? "rumi-bundle.tar.gz");
      const archive = gzipSync(tarOf([...files, { path: "manifest.json", bytes: Buffer.from(json(manifest)) }]));
      try {
        writeFileSync(out, archive, { mode: 0o600, flag: "wx" });
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : String(cause);
        return fail(context, failure("RUMI-SYS-003", { path: out, problem }, { cause }), style);
      }
      if (style === "json") printJson(context.terminal, { path: out, bytes: archive.length, ...manifest });
      else context.terminal.out(`${out}: ${files.length + 1} files, ${archive.length} bytes\n`);
      return undefined;
    });
}

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
  const failures = await list(`/api/audit/events?outcome=FAILURE&order=desc&limit=${BUNDLE_LIMITS.events}`, "events");
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
    "statistics.json": json(statisticsOf(instances)),
    "failures.json": json(failures),
    "metrics.txt": metrics,
  };
}

/** Counts of all instances by reason code, faults by kind, and how many are in which health for which reason. */
function statisticsOf(instances: readonly Row[]): Row {
  const sums: Record<string, number> = {};
  const add = (name: string, count: number): void => void (sums[name] = (sums[name] ?? 0) + count);
  for (const { counters, health_state, reason_code } of instances) {
    if (typeof health_state === "string")
      add(typeof reason_code === "string" ? `health ${health_state} ${reason_code}` : `health ${health_state}`, 1);
    for (const [name, count] of Object.entries((counters ?? {}) as Readonly<Record<string, number>>))
      if (name.includes("_total")) add(name, count);
  }
  return Object.fromEntries(Object.entries(sums).toSorted(([a], [b]) => (a < b ? -1 : 1)));
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

/** Settings are words and numbers; paths and addresses help, so only what bears a credential's name goes. */
const withheldSettings = (settings: object): Row =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      /token|secret|key|pass/i.test(name) ? withheld(value) : value,
    ]),
  );

async function auditFacts(context: CliContext, paths: HomePaths): Promise<Row> {
  const note = join(paths.tlog, "checkpoint");
  const verified = await verifyHome(context);
  return {
    head: existsSync(note) ? readFileSync(note, "utf8") : null,
    verification: verified.ok
      ? verified.value
      : { ok: false, error_code: verified.error.code, params: verified.error.params },
  };
}

/** Tails of the newest logs of runners and program. */
function logsOf(paths: HomePaths): Readonly<Record<string, string>> {
  if (!existsSync(paths.runners)) return {};
  const logs = readdirSync(paths.runners)
    .filter((name) => /^[\w.-]{1,80}\.log$/.test(name))
    .map((name) => ({ name, at: statSync(join(paths.runners, name)).mtimeMs }))
    .toSorted((a, b) => b.at - a.at)
    .slice(0, BUNDLE_LIMITS.log_files);
  return Object.fromEntries(logs.map(({ name }) => [`logs/${name}`, readFileSync(join(paths.runners, name), "utf8")]));
}

/** Redacted first and cut afterwards, so that no cut leaves half a secret; of a long text its end is kept. */
function boundedFiles(texts: Readonly<Record<string, string>>, redact: Redactor): readonly TarFile[] {
  return Object.entries(texts)
    .map(([path, text]) => ({ path, bytes: Buffer.from(redact(text)).subarray(-BUNDLE_LIMITS.file_bytes) }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The home's own keys, as they stand in their files. */
function keysOf(paths: HomePaths): readonly string[] {
  if (!existsSync(paths.settings)) return [];
  return readdirSync(paths.settings)
    .filter((name) => name.startsWith(".") || name.endsWith(".pem"))
    .flatMap((name) => {
      const text = readFileSync(join(paths.settings, name), "utf8").trim();
      return [text, ...text.split("\n").filter((line) => !line.startsWith("-----"))];
    });
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
