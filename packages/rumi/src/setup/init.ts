/**
 * A home that is ready for its first start: folders and keys, a virtual environment in which the strategies' SDK can be
 * imported, and, where it is asked for, the default pack.
 *
 * How to think: every step looks first and leaves alone what somebody else made, so the second time nothing happens.
 *
 * Invariant: run twice it is harmless, also beside the program (setup.e2e.test.ts "[R-1.2]").
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failureText, type Clock, type Failure, type Language, type Random } from "@rumi/kernel";
import { detectPython } from "@rumi/sandbox";
import { syncTree } from "../home/files.ts";
import { homePaths, type HomePaths } from "../home/layout.ts";
import type { Settings } from "../home/settings.ts";
import type { Installation } from "../program/installation.ts";
import { takeHome } from "../program/open-home.ts";
import { already, done, failed, skipped, type Step } from "./steps.ts";

/** A virtual environment with pip takes seconds; ten times that on a busy machine. */
const VENV_MS = 120_000;
const SDK_LINK = "rumi_sdk.pth";

export type InitOptions = {
  readonly settings: Settings;
  readonly place: Installation;
  readonly clock: Clock;
  readonly random: Random;
  readonly search_path: string;
  readonly language: Language;
  readonly wants_default_pack: boolean;
};

export function initialise(options: InitOptions): readonly Step[] {
  const paths = homePaths(options.settings.home);
  const home = homeStep(options, paths);
  // Without a home there is no place for the rest.
  if (home.state === "failed") return [home];
  return [home, ...pythonSteps(options, paths), packStep(options, paths)];
}

export const failedWith = (name: string, of: Failure, language: Language): Step => {
  const { text, next } = failureText(of, language);
  return failed(name, `${of.code}: ${text}`, next);
};

function homeStep({ settings, clock, random, language }: InitOptions, { root }: HomePaths): Step {
  const held = takeHome({ ...settings, hmac_rotate: false }, { clock, random });
  if (!held.ok)
    return held.error.code === "RUMI-SYS-005"
      ? already("home", `${root}; its program runs`)
      : failedWith("home", held.error, language);
  const { created, home, lock } = held.value;
  lock.release();
  return created ? done("home", `${root} (${home.environment})`) : already("home", root);
}

function pythonSteps({ place, search_path, language }: InitOptions, { root }: HomePaths): readonly Step[] {
  const python = detectPython(search_path);
  if (!python.ok) {
    const { text, next } = failureText(python.error, language);
    return [skipped("venv", text, next)];
  }
  const folder = join(root, ".venv");
  const own = join(folder, "bin/python");
  if (existsSync(folder) && !existsSync(join(folder, "pyvenv.cfg")))
    return [skipped("venv", `${folder} is no virtual environment and stays as it is`, "move it away and try again")];
  const stood = answer(own, "import sys; print(sys.prefix)") !== undefined;
  if (!stood) {
    const problem = makeVenv(python.value.path, folder);
    if (problem !== undefined)
      return [failed("venv", problem, "install Python's venv module (on Debian: apt-get install python3-venv)")];
  }
  const venv = stood ? already("venv", folder) : done("venv", folder);
  return [venv, sdkStep(own, place.python_sdk)];
}

/** What is in one already stays; what is missing is made. The problem, if there is one. */
function makeVenv(python: string, folder: string): string | undefined {
  let problem = "";
  // Debian's Python may come without the parts that put pip into it.
  for (const more of [[], ["--without-pip"]]) {
    try {
      execFileSync(python, ["-m", "venv", ...more, folder], {
        env: {},
        timeout: VENV_MS,
        stdio: ["ignore", "pipe", "pipe"],
      });
      return undefined;
    } catch (cause) {
      problem = cause instanceof Error ? (cause.message.split("\n").find((line) => line !== "") ?? "") : String(cause);
    }
  }
  return problem.slice(0, 300);
}

function sdkStep(python: string, sdk: string): Step {
  const packages = answer(python, "import sysconfig; print(sysconfig.get_path('purelib'))");
  if (packages === undefined)
    return failed("sdk", `${python} does not run`, "remove .venv and run rumi setup init again");
  const link = join(packages, SDK_LINK);
  const text = `${sdk}\n`;
  if (existsSync(link) && readFileSync(link, "utf8") === text) return already("sdk", `rumi_sdk from ${sdk}`);
  writeFileSync(link, text);
  return answer(python, "import rumi_sdk; print(rumi_sdk.__file__)") === undefined
    ? failed("sdk", `rumi_sdk in ${sdk} cannot be imported`, "install Rumi again: its SDK is damaged")
    : done("sdk", `rumi_sdk from ${sdk}`);
}

function answer(python: string, code: string): string | undefined {
  try {
    return execFileSync(python, ["-I", "-c", code], {
      env: {},
      encoding: "utf8",
      timeout: VENV_MS,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return undefined; // not there, or not able to run it
  }
}

function packStep({ place, wants_default_pack }: InitOptions, { ecosystem, user_data }: HomePaths): Step {
  if (!wants_default_pack) return skipped("default pack", "not asked for", "rumi setup init --default-pack");
  const folder = join(ecosystem, "default");
  if (existsSync(folder)) return already("default pack", folder);
  const partial = join(user_data, ".default-pack.partial");
  mkdirSync(ecosystem, { recursive: true, mode: 0o700 });
  rmSync(partial, { recursive: true, force: true });
  cpSync(place.default_pack, partial, { recursive: true });
  syncTree(partial);
  renameSync(partial, folder);
  return {
    ...done("default pack", folder),
    next: "with the program running: rumi packs scan, then approve it",
  };
}
