/** `rumi packs new` and `rumi packs validate` (`rumi --validate`): packs before any program knows of them. */
import { basename, relative, resolve } from "node:path";
import { Option, type Command } from "commander";
import { failureText } from "@rumi/kernel";
import {
  checkFlows,
  checkRoutes,
  PACK_TEMPLATES,
  packFolders,
  scaffoldPack,
  validatePacks,
  type PackCheck,
  type PackTemplate,
  type ValidatedPack,
} from "@rumi/platform";
import { homePaths } from "../home/layout.ts";
import { fail, settingsOf, type CliContext } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson } from "./output.ts";

/** What is judged of a pack beside its tree and its manifest. */
const CHECKS: readonly PackCheck[] = [checkFlows, checkRoutes];

type NewOptions = { readonly template: PackTemplate; readonly outputDir: string; readonly json?: boolean };

export function addPackAuthoring(packs: Command, context: CliContext): void {
  packs
    .command("new")
    .description("Make a new pack's folder from a template")
    .argument("<pack_id>", "lower-case letters, digits, _ and -, at most 64")
    .addOption(new Option("--template <template>", "what it holds").choices(PACK_TEMPLATES).default("minimal"))
    .option("--output-dir <dir>", "where the folder is made", ".")
    .option("--json", "print what was made as JSON")
    .action(async (pack_id: string, options: NewOptions) => {
      const made = await scaffoldPack(pack_id, options.template, options.outputDir);
      if (!made.ok) return fail(context, made.error, options.json === true ? "json" : "words");
      if (options.json === true) return printJson(context.terminal, made.value);
      const below = relative(process.cwd(), made.value.folder);
      const folder = below.startsWith("..") ? made.value.folder : below;
      context.terminal.out(
        `${made.value.files.map((file) => `${folder}/${file}\n`).join("")}Next: rumi packs import --path ${made.value.folder}\n`,
      );
      return undefined;
    });

  packs
    .command("validate")
    .description("Validate every pack of the home, or the folders that are named; exit code 1 when one is bad")
    .argument("[dirs...]", "folders that hold ecosystem.json; without any, those in ecosystem/ of the home")
    .option("--json", "print what was found as JSON")
    .action(async (dirs: readonly string[], options: { readonly json?: boolean }) => {
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, options.json === true ? "json" : "words");
      const folders =
        dirs.length > 0 ? dirs.map((dir) => resolve(dir)) : await packFolders(homePaths(settings.value.home).ecosystem);
      const found = (await validatePacks(folders, CHECKS)).map((one) => said(one, context));
      const invalid = found.filter((one) => one.error_code !== null).length;
      if (options.json === true)
        printJson(context.terminal, { success: invalid === 0, valid: found.length - invalid, invalid, packs: found });
      else context.terminal.out(inWords(found, invalid));
      if (invalid > 0) context.exit_code = EXIT.failed;
      return undefined;
    });
}

type Said = {
  readonly folder: string;
  readonly pack_id: string | null;
  readonly version: string | null;
  readonly digest: string | null;
  readonly error_code: string | null;
  readonly error: string | null;
  readonly suggestion: string | null;
};

function said({ folder, judged }: ValidatedPack, { terminal }: CliContext): Said {
  if (judged.ok) {
    const { manifest, digest } = judged.value.seen;
    const { pack_id, version } = manifest;
    return { folder, pack_id, version, digest, error_code: null, error: null, suggestion: null };
  }
  const { text, next } = failureText(judged.error, terminal.language);
  const nothing = { pack_id: null, version: null, digest: null };
  return { folder, ...nothing, error_code: judged.error.code, error: text, suggestion: next };
}

function inWords(found: readonly Said[], invalid: number): string {
  const lines = found.map((one) =>
    one.error_code === null
      ? `ok   ${one.pack_id ?? ""} ${one.version ?? ""}  ${one.digest ?? ""}\n`
      : `bad  ${basename(one.folder)}  ${one.error_code}: ${one.error ?? ""}\n     → ${one.suggestion ?? ""}\n`,
  );
  return `${lines.join("")}${found.length} looked at, ${invalid} bad\n`;
}
