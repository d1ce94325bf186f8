/** Setting a home up, asking for its health, and mending it after a bad end, as somebody does at a command line. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { diskStatus } from "../src/program/health.ts";
import { cli, eventually, ROOT, startProgram, type Program } from "./program.ts";

const SLOW_MS = 360_000;
type Finding = {
  readonly name: string;
  readonly state: string;
  readonly fact: string;
  readonly next: string | null;
};

let folder: ReturnType<typeof temporaryFolder>;
let program: Program | undefined;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(async () => {
  await program?.stop();
  program = undefined;
  folder.remove();
}, SLOW_MS);

const home = (...path: readonly string[]): string => join(folder.path, ...path);
const setup = (
  ...words: readonly string[]
): { readonly code: number; readonly found: ReadonlyMap<string, Finding>; readonly text: string } => {
  const { code, out, err } = cli(folder.path, ["setup", ...words, "--json"]);
  const { steps, checks, ...refusal } = JSON.parse(out) as { steps?: Finding[]; checks?: Finding[] };
  const all = steps ?? checks ?? [];
  return {
    code,
    found: new Map(all.map((one) => [one.name, one])),
    text: all.length > 0 ? err : JSON.stringify(refusal),
  };
};
const states = (found: ReadonlyMap<string, Finding>): Readonly<Record<string, string>> =>
  Object.fromEntries([...found].map(([name, { state }]) => [name, state]));
/** Every file with its size and the moment of its last change. */
const listing = (): readonly string[] =>
  readdirSync(folder.path, { recursive: true, encoding: "utf8" })
    .toSorted()
    .map((name) => {
      const stat = statSync(home(name));
      return `${name} ${stat.isFile() ? `${stat.size} ${stat.mtimeMs}` : ""}`;
    })
    // The lock's own files; and what Python keeps of what it read.
    .filter((line) => !line.includes("settings/.lock") && !line.includes("__pycache__"));
const killed = async (): Promise<void> => {
  const running = await startProgram({ home: folder.path });
  await running.kill();
};

describe("[R-2.2] health on the command line", () => {
  const health = (environment: Record<string, string> = {}): { code: number; report: unknown } => {
    const { code, out } = cli(folder.path, ["--health"], environment);
    return { code, report: JSON.parse(out) };
  };

  it(
    "is JSON with the built-in probes, and ends with 0 for UP only: a probe that fails makes it 1",
    () => {
      // A machine whose disk is nearly full is told as such.
      const disk = diskStatus(folder.path);
      const code = disk === "UP" ? 0 : 1;
      expect(health()).toEqual({ code, report: { status: disk, probes: { disk, writable_tmp: "UP" } } });
      const gone = health({ TMPDIR: home("not-there") });
      expect(gone).toEqual({ code: 1, report: { status: "DOWN", probes: { disk, writable_tmp: "DOWN" } } });
      expect(cli(folder.path, ["health"]).code, "the same by its own name").toBe(code);
      expect(cli(folder.path, ["--health", "--what"]).code).toBe(2);
    },
    SLOW_MS,
  );

  it(
    "asks the program where one says that it listens: one that was killed is DOWN, one that ended in order is none",
    async () => {
      program = await startProgram({ home: folder.path });
      await eventually(() => (health().report as { probes: Record<string, string> }).probes["program"] === "UP");
      await program.kill();
      expect(health()).toMatchObject({ code: 1, report: { status: "DOWN", probes: { program: "DOWN" } } });
      program = await startProgram({ home: folder.path });
      await program.stop();
      const { probes } = health().report as { readonly probes: Readonly<Record<string, string>> };
      expect(Object.keys(probes)).toEqual(["disk", "writable_tmp"]);
    },
    SLOW_MS,
  );
});

describe("[R-2.1] starting as the Operations Guide does", () => {
  /** The status that its console's address answers with, and its exit code. */
  const started = async (...words: readonly string[]): Promise<readonly [console: number, code: number | null]> => {
    const note = home("user_data/settings/running.json");
    const child = spawn(process.execPath, [join(ROOT, "bin/rumi"), ...words], {
      env: { PATH: process.env["PATH"], HOME: folder.path, RUMI_HOME: folder.path, RUMI_API_PORT: "0" },
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await eventually(() => existsSync(note) || child.exitCode !== null);
    const { url } = JSON.parse(readFileSync(note, "utf8")) as { readonly url: string };
    const { status } = await fetch(new URL("/", url));
    child.kill("SIGTERM");
    await ended;
    return [status, child.exitCode];
  };

  it(
    "--headless serves no console, --permissive alone does, and a verb's own flags stay its own",
    async () => {
      expect(await started("--headless", "--permissive")).toEqual([503, 0]);
      expect(await started("--permissive")).toEqual([200, 0]);
      expect(await started("setup", "run")).toEqual([200, 0]);
      expect(cli(folder.path, ["token", "--headless"]).code).toBe(2);
      expect(cli(folder.path, ["--headless", "--nonsense"]).code).toBe(2);
    },
    SLOW_MS,
  );
});

describe("[R-1.1] the setup tool", () => {
  it("without a verb is a menu for a person, and where nobody sits help and wrong usage", () => {
    const { code, err } = cli(folder.path, ["setup"]);
    expect([code, ["check", "init", "doctor", "recover", "run"].every((verb) => err.includes(verb))]).toEqual([
      2,
      true,
    ]);
  });

  it(
    "check looks at the machine and needs no home; doctor says that there is none; recover has nothing to do",
    () => {
      const check = setup("check");
      expect([...check.found.keys()]).toEqual(expect.arrayContaining(["node", "python", "git", "docker", "rustc"]));
      expect([check.code, check.found.get("node")?.fact.startsWith(process.versions.node)]).toEqual([0, true]);
      expect(setup("doctor").found.get("home")?.next).toBe("rumi setup init makes one");
      expect(setup("recover").found.get("home")).toMatchObject({ state: "skipped", next: "rumi setup init makes one" });
      expect(readdirSync(folder.path), "nothing was made").toEqual([]);
    },
    SLOW_MS,
  );

  it("check tells what is missing on a machine that has nothing", () => {
    const { code, out } = cli(folder.path, ["setup", "check", "--json"], { PATH: home("empty") });
    const { checks } = JSON.parse(out) as { readonly checks: readonly Finding[] };
    const git = checks.find(({ name }) => name === "git");
    expect([code, git?.state, git?.next]).toEqual([0, "warning", "install git"]);
  });

  it(
    "recover mends views, modes and leftovers after a bad end, then finds nothing; beside a running program it does nothing",
    async () => {
      await killed();
      const settings = (name: string): string => home("user_data/settings", name);
      rmSync(home("user_data/tlog/tile"), { recursive: true });
      rmSync(home("user_data/pending"), { recursive: true });
      chmodSync(settings(".hmac_key"), 0o644);
      writeFileSync(settings(".1.2.tmp"), "half");
      expect(cli(folder.path, ["audit", "verify", "--no-remember"]).code, "its views are broken").toBe(1);

      const mended = setup("recover");
      expect(states(mended.found)).toEqual({
        home: "already",
        folders: "done",
        keys: "done",
        leftovers: "done",
        store: "already",
        log: "done",
      });
      expect([mended.code, statSync(settings(".hmac_key")).mode & 0o777]).toEqual([0, 0o600]);
      expect([existsSync(settings(".1.2.tmp")), existsSync(settings("running.json"))]).toEqual([false, false]);
      expect(cli(folder.path, ["audit", "verify", "--no-remember"]).code).toBe(0);
      expect(new Set(Object.values(states(setup("recover").found)))).toEqual(new Set(["already"]));

      program = await startProgram({ home: folder.path });
      const refused = setup("recover");
      expect([refused.code, refused.text]).toEqual([1, expect.stringContaining("RUMI-SYS-005")]);
    },
    SLOW_MS,
  );

  it(
    "recover makes no key and no row: what only a copy brings back is named, and stays as it is",
    async () => {
      await killed();
      const key = home("user_data/settings/.ledger_key");
      const kept = readFileSync(key);
      rmSync(key);
      const lost = setup("recover");
      expect([lost.code, lost.found.get("keys")?.state, existsSync(key)]).toEqual([1, "failed", false]);
      expect(lost.found.get("keys")?.fact).toContain(".ledger_key is gone");
      const start = cli(folder.path, ["start"]);
      expect([start.code, existsSync(key)], "a start makes none either").toEqual([1, false]);
      expect(start.err).toContain(".ledger_key is not acceptable: it is gone");
      writeFileSync(key, kept, { mode: 0o600 });
      const sealing = home("user_data/settings/.secrets_key");
      const given = { RUMI_SECRETS_KEY: readFileSync(sealing, "utf8").trim() };
      rmSync(sealing);
      const keys = (environment: Record<string, string>): string | undefined => {
        const { out } = cli(folder.path, ["setup", "recover", "--json"], environment);
        return (JSON.parse(out) as { readonly steps: readonly Finding[] }).steps.find(({ name }) => name === "keys")
          ?.state;
      };
      expect([keys({}), keys(given)], "one that the environment gives is not gone").toEqual(["failed", "already"]);
      const store = home("user_data/store/rumi.sqlite");
      for (const name of [`${store}-wal`, `${store}-shm`]) rmSync(name, { force: true });
      const bytes = readFileSync(store);
      bytes.fill(0x5a, 0, 4_096);
      writeFileSync(store, bytes);
      const broken = setup("recover");
      expect([broken.code, broken.found.get("store")?.state]).toEqual([1, "failed"]);
      expect(broken.found.get("store")?.next).toContain("rumi restore");
      expect(readFileSync(store).equals(bytes), "not touched").toBe(true);
    },
    SLOW_MS,
  );
});

describe("[R-1.2] setup init", () => {
  it(
    "makes the home, a virtual environment that knows the SDK, and the default pack; twice is harmless",
    async () => {
      const first = setup("init", "--default-pack");
      expect([first.code, first.found.get("home")?.state, first.found.get("default pack")?.state]).toEqual([
        0,
        "done",
        "done",
      ]);
      expect(existsSync(home("ecosystem/default/ecosystem.json"))).toBe(true);
      if (requires("python3")) {
        expect(first.found.get("venv")?.state).toBe("done");
        const said = execFileSync(home(".venv/bin/python"), ["-c", "import rumi_sdk; print(rumi_sdk.__name__)"]);
        expect(said.toString().trim()).toBe("rumi_sdk");
      }
      const before = listing();
      const second = setup("init", "--default-pack");
      expect(second.code).toBe(0);
      expect(new Set(Object.values(states(second.found)))).toEqual(new Set(["already"]));
      expect(listing()).toEqual(before);

      program = await startProgram({ home: folder.path });
      const beside = setup("init");
      expect([beside.code, beside.found.get("home")?.fact]).toEqual([0, expect.stringContaining("its program runs")]);
    },
    SLOW_MS,
  );

  it(
    "leaves alone what somebody else made where its own would stand",
    () => {
      cli(folder.path, ["setup", "init"]);
      rmSync(home(".venv"), { recursive: true, force: true });
      writeFileSync(home(".venv"), "mine");
      writeFileSync(home("ecosystem/default"), "mine too");
      const { code, found } = setup("init", "--default-pack");
      expect(code).toBe(0);
      if (requires("python3")) expect(found.get("venv")?.state).toBe("skipped");
      expect([readFileSync(home(".venv"), "utf8"), readFileSync(home("ecosystem/default"), "utf8")]).toEqual([
        "mine",
        "mine too",
      ]);
    },
    SLOW_MS,
  );

  it("says why where no home can be made, and does nothing else", () => {
    writeFileSync(home("user_data"), "a file");
    const { code, found } = setup("init");
    expect([code, [...found.keys()]]).toEqual([1, ["home"]]);
    expect(found.get("home")?.fact).toContain("RUMI-SYS-003");
  });
});
