/** Libraries of packs put together: which pip this machine has, how it is run, and from where libraries may come. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { err, failure, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import {
  createBlocks,
  environmentsFolder,
  NETWORK_LIMITS,
  pipEnvironments,
  systemResolver,
  type InstallDeps,
  type PackLibrary,
  type PipDeps,
  type PipTools,
} from "@rumi/platform";
import { detectPython } from "@rumi/sandbox";
import type { Store } from "@rumi/store";
import type { HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import { blockHome } from "./block-home.ts";
import type { Installation } from "./installation.ts";

type World = {
  readonly settings: Settings;
  readonly installation: Installation;
  readonly clock: Clock;
  readonly random: Random;
};
export type Libraries = { readonly deps: PipDeps; readonly close: () => Promise<void> };

const OUTPUT_CHARACTERS = 16_384;
const LOOK_SECONDS = 20;

export function openLibraries(store: Store, paths: HomePaths, library: PackLibrary, options: World): Libraries {
  const { settings, installation, clock, random } = options;
  const folder = join(paths.user_data, "pip");
  const jails = createBlocks({ verify: (pack_id) => library.verify(pack_id), home: () => blockHome(options) });
  const install: InstallDeps = {
    folder,
    jails,
    tools: findPip,
    run: runCommand,
    builder: join(installation.jail_scripts, "sdist_builder.py"),
    ca_file: settings.pip_ca_file,
    index: { hosts: settings.pip_index_hosts, resolve: systemResolver(clock, NETWORK_LIMITS.lookup_ms) },
  };
  const environments = pipEnvironments({ store, folder: environmentsFolder(folder) });
  return { deps: { store, clock, random, library, install, environments }, close: () => jails.close() };
}

/** The pip of the Python that blocks run in, or another one's told to work for that. */
async function findPip(): Promise<Result<PipTools, Failure>> {
  const found = detectPython(process.env["PATH"] ?? "");
  if (!found.ok) return found;
  const python = found.value.path;
  if (await answers([python, "-I", "-m", "pip"])) return ok({ python, pip: [python, "-I", "-m", "pip"] });
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const other = join(folder, "python3");
    if (!folder.startsWith("/") || !existsSync(other)) continue;
    const pip = [other, "-I", "-m", "pip", "--python", python];
    if (await answers(pip)) return ok({ python, pip });
  }
  return err(failure("RUMI-PIP-009", { problem: `neither ${python} nor another python3 of the PATH has one` }));
}

async function answers(pip: readonly string[]): Promise<boolean> {
  const command = [...pip, "--version"];
  return (await runCommand({ command, folder: "/", environment: {}, seconds: LOOK_SECONDS })).code === 0;
}

/** In a process group of its own, which ends with its time; of what it prints the end is kept. */
const runCommand: InstallDeps["run"] = ({ command, folder, environment, seconds }) =>
  new Promise((resolve) => {
    const [program = "", ...args] = command;
    const child = spawn(program, args, {
      cwd: folder,
      env: environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let isLate = false;
    const keep = (data: Buffer): void => void (output = (output + data.toString()).slice(-OUTPUT_CHARACTERS));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const end = (): void => {
      isLate = true;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // it ended by itself meanwhile
      }
    };
    const timer = setTimeout(end, seconds * 1_000);
    child.on("error", ({ message }) => {
      clearTimeout(timer);
      resolve({ code: 127, output: message });
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve(isLate ? { code: null, output: `it did not end within ${seconds} s` } : { code: code ?? 1, output });
    });
  });
