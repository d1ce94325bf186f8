/** `rumi strategy new | build | test`: from nothing to a pack that can be imported, without a program or a home. */
import { resolve, relative } from "node:path";
import { type Command, Option } from "commander";
import { digestOf, err, failure, ok } from "@rumi/kernel";
import { join } from "node:path";
import type { Installation } from "../../program/installation.ts";
import { backtest } from "../backtest.ts";
import { fail, type CliContext, type OutputStyle } from "../context.ts";
import { printJson, printObject } from "../output.ts";
import { checkPack, writeHashes } from "../packs.ts";
import { buildStrategies } from "./build.ts";
import { testStrategy } from "./case.ts";
import { LANGUAGES, type Language } from "./languages.ts";
import { newStrategy } from "./new.ts";

type Options = { readonly json?: boolean; readonly lang?: Language; readonly dir?: string; readonly write?: boolean };
const styleOf = (options: Options): OutputStyle => (options.json === true ? "json" : "words");

export function addStrategyCommands(program: Command, context: CliContext, place: Installation): void {
  const strategy = program.command("strategy").description("Write strategies of your own.");

  strategy
    .command("new")
    .description("Make a pack folder with a strategy that builds and trades as it stands")
    .argument("<name>", "of the pack and its strategy: lower-case letters, digits, _ and -")
    .addOption(new Option("--lang <language>", "what it is written in").choices(LANGUAGES).makeOptionMandatory())
    .option("--dir <dir>", "where the folder is made", ".")
    .option("--json", "print what was made as JSON")
    .action((name: string, options: Options) => {
      const style = styleOf(options);
      const { lang } = options;
      const made =
        lang === undefined
          ? err(failure("RUMI-VAL-002", { field: "lang", problem: `must be one of ${LANGUAGES.join(", ")}` }))
          : newStrategy(name, lang, options.dir ?? ".", join(place.sdk, "templates"));
      if (!made.ok) return fail(context, made.error, style);
      if (style === "json") return printJson(context.terminal, made.value);
      const folder = relative(process.cwd(), made.value.folder);
      context.terminal.out(
        `${made.value.source}\nNext: rumi strategy build ${folder}, then rumi strategy test ${folder} --write. ${folder}/README.md goes on.\n`,
      );
      return undefined;
    });

  strategy
    .command("build")
    .description("Build a pack's strategies from their sources, write their hashes, check the pack")
    .argument("<dir>", "folder that holds ecosystem.json")
    .option("--json", "print what was built as JSON")
    .action(async (dir: string, options: Options) => {
      const style = styleOf(options);
      const folder = resolve(dir);
      const built = await buildStrategies(folder, place.sdk);
      const written = built.ok ? await writeHashes(folder) : built;
      const checked = written.ok ? await checkPack(folder) : written;
      if (!checked.ok) return fail(context, checked.error, style);
      if (style === "json") printJson(context.terminal, { ...checked.value, built: built.ok ? built.value : [] });
      else
        context.terminal.out(
          `built ${built.ok && built.value.length > 0 ? built.value.join(", ") : "nothing: what is there runs as it is"}\n${checked.value.digest}\n`,
        );
      return undefined;
    });

  strategy
    .command("test")
    .description("Run a pack's test case twice and compare it with what is expected")
    .argument("<dir>", "folder that holds ecosystem.json and test/case.json")
    .option("--write", "keep what came out as what is expected from now on")
    .option("--json", "print what came out as JSON")
    .action(async (dir: string, options: Options) => {
      const style = styleOf(options);
      const folder = resolve(dir);
      const tested = await testStrategy(folder, options.write === true ? "write" : "compare", (of, recording) =>
        backtest(
          context,
          place,
          {
            strategy_id: of.strategy_id,
            file: recording,
            config: of.config,
            numbers: [0, 0, 0],
            options: {
              pack: folder,
              config: "{}",
              instrument: of.instrument,
              capital: "1000000",
              makerPpm: "0",
              takerPpm: "0",
              latencyUs: "0",
              seed: digestOf("rumi strategy test"),
            },
          },
          style,
        ),
      );
      const result = tested.ok ? ok({ passed: true, ...tested.value }) : tested;
      if (!result.ok) return fail(context, result.error, style);
      if (style === "json") printJson(context.terminal, result.value);
      else printObject(context.terminal, result.value);
      return undefined;
    });
}
