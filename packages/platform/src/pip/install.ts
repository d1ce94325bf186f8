/**
 * From a lock to an environment: have the files, hold them against the lock, install from them without a network, seal.
 *
 * How to think: three stages in one throw-away folder. The first is the only one that speaks to the index, and runs nothing
 * that it gets: pip is told to take wheels only. What has to be built is built in a jail, which has no network. Installing
 * wheels runs nothing of them either. The result is content-addressed, so doing it twice changes nothing.
 *
 * Invariant (packages/rumi/test/pip.e2e.test.ts): nothing of an install that failed is ever seen by a pack.
 */
import { copyFile, mkdir, mkdtemp, readdir, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { err, failure, ok, type Digest, type Failure, type Json, type Result } from "@rumi/kernel";
import type { Blocks } from "../flows/blocks.ts";
import { readPlain, removeTree, storeTree } from "../packs/files.ts";
import { readTree } from "../packs/tree.ts";
import { ENVIRONMENT_LIMITS } from "./environments.ts";
import { judgeIndex, type IndexPorts } from "./index-url.ts";
import { checkSet, isSame, PIP_LIMITS, wheelOf, type Locked } from "./lock.ts";
import { fetchSdist } from "./simple-index.ts";

export type CommandEnd = { readonly code: number | null; readonly output: string };
export type PipTools = {
  /** Of which environments are made; the one that blocks run in. */
  readonly python: string;
  /** What comes before pip's own arguments. */
  readonly pip: readonly string[];
};
export type InstallDeps = {
  /** `user_data/pip/`. */
  readonly folder: string;
  readonly tools: () => Promise<Result<PipTools, Failure>>;
  /** Runs a program with exactly this environment, and ends it with its time. */
  readonly run: (of: {
    readonly command: readonly string[];
    readonly folder: string;
    readonly environment: Readonly<Record<string, string>>;
    readonly seconds: number;
  }) => Promise<CommandEnd>;
  readonly index: IndexPorts;
  /** File with the authorities that an index is known by; null: the system's. */
  readonly ca_file: string | null;
  readonly jails: Pick<Blocks, "callHandler">;
  /** `sdist_builder.py`. */
  readonly builder: string;
};
export type InstallWish = {
  readonly packages: readonly Locked[];
  readonly index_url: string;
  readonly allow_sdist: boolean;
};

export function environmentsFolder(folder: string): string {
  return join(folder, "environments");
}

/** The digest of the environment that is in place when it returns. Errors RUMI-PIP-004 to -007, -009. */
export async function install(wish: InstallWish, deps: InstallDeps): Promise<Result<Digest, Failure>> {
  const index = await judgeIndex(wish.index_url, deps.index);
  if (!index.ok) return index;
  const tools = await deps.tools();
  if (!tools.ok) return tools;
  await mkdir(join(deps.folder, "work"), { recursive: true, mode: 0o700 });
  const work = await mkdtemp(join(deps.folder, "work", "install-"));
  try {
    const job = new Job(wish, index.value, tools.value, work, deps);
    const fetched = await job.fetch();
    if (!fetched.ok) return fetched;
    const placed = await job.place();
    if (!placed.ok) return placed;
    return await job.seal();
  } finally {
    await removeTree(work);
  }
}

class Job {
  readonly #wish: InstallWish;
  readonly #index: URL;
  readonly #tools: PipTools;
  readonly #work: string;
  readonly #deps: InstallDeps;

  constructor(wish: InstallWish, index: URL, tools: PipTools, work: string, deps: InstallDeps) {
    this.#wish = wish;
    this.#index = index;
    this.#tools = tools;
    this.#work = work;
    this.#deps = deps;
  }

  /** One wheel for each line of the lock, none beside. */
  async fetch(): Promise<Result<void, Failure>> {
    const { packages, allow_sdist } = this.#wish;
    await mkdir(this.#wheels);
    const whole = await this.#download(packages);
    if (!whole.ok && (!allow_sdist || whole.error.code !== "RUMI-PIP-005")) return whole;
    if (!whole.ok)
      for (const one of packages) {
        const wheel = await this.#download([one]);
        const had = wheel.ok ? wheel : await this.#build(one);
        if (!had.ok) return had;
      }
    const files = await readdir(this.#wheels);
    for (const file of files)
      if ((await stat(join(this.#wheels, file))).size > PIP_LIMITS.file_bytes)
        return err(failure("RUMI-PIP-006", { problem: `${file} is larger than ${PIP_LIMITS.file_bytes} bytes` }));
    return checkSet(packages, files);
  }

  /** Unpacks the wheels into a folder, from them alone. */
  async place(): Promise<Result<void, Failure>> {
    const list = await this.#requirements(this.#wish.packages);
    const args = ["install", "--no-index", "--find-links", this.#wheels, "--target", this.#target, "--no-compile"];
    const done = await this.#pip([...args, "--no-deps", "-r", list], PIP_LIMITS.install_seconds);
    return done.code === 0 ? ok(undefined) : err(failure("RUMI-PIP-007", { problem: lastLines(done) }));
  }

  /** Read-only, under the digest of all that is in it. */
  async seal(): Promise<Result<Digest, Failure>> {
    const tree = await readTree(this.#target, ENVIRONMENT_LIMITS);
    const kept = tree.ok
      ? await storeTree(this.#target, tree.value, environmentsFolder(this.#deps.folder), ENVIRONMENT_LIMITS)
      : tree;
    if (tree.ok && kept.ok) return ok(tree.value.digest);
    const { code, params } = kept.ok ? { code: "", params: {} } : kept.error;
    return err(failure("RUMI-PIP-007", { problem: `${code} ${JSON.stringify(params)}` }));
  }

  get #wheels(): string {
    return join(this.#work, "wheels");
  }

  get #target(): string {
    return join(this.#work, "target");
  }

  async #download(packages: readonly Locked[]): Promise<Result<void, Failure>> {
    const { ca_file } = this.#deps;
    const from = ["--index-url", this.#index.href, ...(ca_file === null ? [] : ["--cert", ca_file])];
    const bounds = ["--retries", "1", "--timeout", "15", "--progress-bar", "off"];
    const list = await this.#requirements(packages);
    const args = [
      "download",
      "--only-binary=:all:",
      ...from,
      ...bounds,
      "--dest",
      this.#wheels,
      "--no-deps",
      "-r",
      list,
    ];
    const done = await this.#pip(args, PIP_LIMITS.download_seconds);
    return done.code === 0
      ? ok(undefined)
      : err(failure("RUMI-PIP-005", { index_url: this.#index.href, problem: lastLines(done) }));
  }

  async #build(wanted: Locked): Promise<Result<void, Failure>> {
    const { ca_file, jails, builder } = this.#deps;
    const ca = ca_file === null ? undefined : await readPlain(ca_file);
    const fetched = await fetchSdist(this.#index, wanted, ca?.toString("utf8"));
    if (!fetched.ok) return fetched;
    const wrong = (problem: string): Result<never, Failure> =>
      err(failure("RUMI-PIP-007", { problem: `${fetched.value.file}: ${problem}` }));
    const folder = await mkdtemp(join(this.#work, "sdist-"));
    await writeFile(join(folder, fetched.value.file), fetched.value.bytes);
    await copyFile(builder, join(folder, basename(builder)));
    const outcome = await jails.callHandler({
      code: { key: `sdist:${folder}`, digest: folder, directory: folder },
      file: basename(builder),
      function: "build",
      context: {},
      args: { sdist: fetched.value.file },
      timeout_ms: PIP_LIMITS.build_seconds * 1_000,
      signal: new AbortController().signal,
    });
    if (outcome.kind === "failed") return wrong(outcome.problem);
    const built = builtWheel(outcome.output);
    const named = built === undefined ? undefined : wheelOf(built.file);
    if (built === undefined || named === undefined || !isSame(named, wanted))
      return wrong("its build gave no wheel of it");
    if (built.data.length > PIP_LIMITS.built_bytes)
      return wrong(`its wheel is larger than ${PIP_LIMITS.built_bytes} bytes`);
    await writeFile(join(this.#wheels, built.file), built.data);
    return ok(undefined);
  }

  async #requirements(packages: readonly Locked[]): Promise<string> {
    const path = join(this.#work, "requirements.txt");
    await writeFile(path, packages.map(({ name, version }) => `${name}==${version}\n`).join(""));
    return path;
  }

  #pip(args: readonly string[], seconds: number): Promise<CommandEnd> {
    const quiet = ["--no-cache-dir", "--disable-pip-version-check", "--no-input", "--no-color"];
    const [verb = "", ...rest] = args;
    return this.#deps.run({
      command: [...this.#tools.pip, verb, ...quiet, ...rest],
      folder: this.#work,
      environment: { HOME: this.#work, PATH: "/usr/bin:/bin", LANG: "C.UTF-8", PIP_CONFIG_FILE: "/dev/null" },
      seconds,
    });
  }
}

function builtWheel(output: Json): { readonly file: string; readonly data: Buffer } | undefined {
  if (typeof output !== "object" || output === null || Array.isArray(output)) return undefined;
  const { file, data } = output as { readonly file?: unknown; readonly data?: unknown };
  return typeof file === "string" && typeof data === "string" && !file.includes("/")
    ? { file, data: Buffer.from(data, "base64") }
    : undefined;
}

/** What pip says at its end is what went wrong. */
function lastLines({ code, output }: CommandEnd): string {
  const lines = output
    .trim()
    .split("\n")
    .filter((line) => !/^\[notice\]|^WARNING: Retrying/.test(line));
  const text = lines.slice(-3).join(" ").slice(-1_000);
  return text === "" ? (code === null ? "it took too long" : `it ended with ${code}`) : text;
}
