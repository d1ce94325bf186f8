/**
 * What the setup tool can do, once for the command line, its menu and the browser: each verb looks or works, and says what it
 * found. Starting the program is the caller's, because it lasts.
 */
import { ok, systemClock, systemRandom, type Failure, type Result } from "@rumi/kernel";
import { settingsOf, type CliContext } from "../cli/context.ts";
import type { Installation } from "../program/installation.ts";
import { type Check, doctorChecks, machineChecks } from "./checks.ts";
import type { Step } from "./steps.ts";

export type Outcome = { readonly checks: readonly Check[] } | { readonly steps: readonly Step[] };
export type SetupVerb = {
  readonly name: "check" | "init" | "doctor" | "recover";
  readonly description: { readonly en: string; readonly ja: string };
  readonly run: (options: { readonly default_pack: boolean }) => Promise<Result<Outcome, Failure>>;
};

export function setupVerbs(context: CliContext, place: Installation): readonly SetupVerb[] {
  return [
    {
      name: "check",
      description: {
        en: "Look at this machine: Node, Python, Git, Docker and what processes can be boxed in",
        ja: "このマシンを調べる: Node・Python・Git・Docker・使える隔離",
      },
      run: async () => ok({ checks: await machineChecks(context, place) }),
    },
    {
      name: "init",
      description: {
        en: "Make the home and its virtual environment",
        ja: "ホームと仮想環境を作る",
      },
      run: async (options) => init(context, place, options),
    },
    {
      name: "doctor",
      description: { en: "Look at this machine and at the home", ja: "マシンとホームを診断する" },
      run: async () => {
        const settings = settingsOf(context);
        return settings.ok ? ok({ checks: await doctorChecks(context, place, settings.value.home) }) : settings;
      },
    },
    {
      name: "recover",
      description: {
        en: "Mend a home after a bad end, as far as it can be mended without a backup",
        ja: "異常終了後のホームを、バックアップなしで直せる範囲で直す",
      },
      run: async () => recoverHome(context),
    },
  ];
}

/** One that failed makes the whole fail. */
export function hasFailed(outcome: Outcome): boolean {
  const all: readonly { readonly state: string }[] = "checks" in outcome ? outcome.checks : outcome.steps;
  return all.some(({ state }) => state === "failed");
}

async function init(
  context: CliContext,
  place: Installation,
  { default_pack }: { readonly default_pack: boolean },
): Promise<Result<Outcome, Failure>> {
  const settings = settingsOf(context);
  if (!settings.ok) return settings;
  const { initialise } = await import("./init.ts");
  const steps = initialise({
    settings: settings.value,
    place,
    clock: systemClock(),
    random: systemRandom(),
    search_path: context.environment["PATH"] ?? "",
    language: context.terminal.language,
    wants_default_pack: default_pack,
  });
  return ok({ steps });
}

async function recoverHome(context: CliContext): Promise<Result<Outcome, Failure>> {
  const settings = settingsOf(context);
  if (!settings.ok) return settings;
  const [{ recover }, { remakeViews, verifyHome }, { SECRETS_KEY_FILE }] = await Promise.all([
    import("./recover.ts"),
    import("../cli/audit.ts"),
    import("../home/secrets-key.ts"),
  ]);
  const steps = await recover({
    home: settings.value.home,
    language: context.terminal.language,
    given_keys: settings.value.secrets_key === null ? [] : [SECRETS_KEY_FILE],
    verify: () => verifyHome(context),
    remakeViews,
  });
  return steps.ok ? ok({ steps: steps.value }) : steps;
}
