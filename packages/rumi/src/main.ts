/**
 * The command line: `rumi NOUN VERB`. Hand-made verbs first, then one for every operation and query.
 *
 * Each noun's rooms are loaded only when that noun is asked for, so that `rumi token` does not load a database.
 */
import { Command, CommanderError } from "commander";
import type { CliContext } from "./cli/context.ts";
import { EXIT } from "./cli/exit-codes.ts";
import { withoutGuideFlags } from "./cli/guide-flags.ts";
import { processTerminal } from "./cli/output.ts";
import { installation } from "./program/installation.ts";

const place = installation(new URL(import.meta.url));
const context: CliContext = { terminal: processTerminal(process.env), environment: process.env, exit_code: EXIT.ok };
const program = new Command("rumi")
  .description(
    "An operating system for bots that must not go wrong.\nExit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 the program does not answer, 4 a replay diverged.",
  )
  .version(place.version)
  .addHelpText("after", "\nrumi --validate [--json] is rumi packs validate.")
  .showHelpAfterError("(--help shows what there is)")
  .exitOverride();

/** Adds a noun's hand-made verbs. */
type Room = () => Promise<void>;

const ROOMS: Readonly<Record<string, Room>> = {
  start: async () => (await import("./cli/start.ts")).addStartCommand(program, context, place),
  demo: async () => (await import("./cli/demo.ts")).addDemoCommand(program, context, place),
  token: async () => (await import("./cli/token.ts")).addTokenCommand(program, context),
  packs: async () => {
    const packs = (await import("./cli/packs.ts")).addPackCommands(program, context);
    (await import("./cli/pack-authoring.ts")).addPackAuthoring(packs, context);
    (await import("./cli/sign.ts")).addSignCommand(packs, context);
    (await import("./cli/pack-build.ts")).addPackBuild(packs, context);
  },
  bots: async () => (await import("./cli/bots.ts")).addBotCommands(program, context),
  recordings: async () => (await import("./cli/recordings.ts")).addRecordingCommands(program, context),
  "venue-sim": async () => (await import("./cli/venue-sim.ts")).addVenueSimCommands(program, context),
  audit: async () => (await import("./cli/audit.ts")).addAuditCommands(program, context, place),
  backtest: async () => (await import("./cli/backtest.ts")).addBacktestCommand(program, context, place),
  strategy: async () => (await import("./cli/strategy/commands.ts")).addStrategyCommands(program, context, place),
  checkpoints: async () => (await import("./cli/checkpoints.ts")).addCheckpointCommands(program, context),
  replay: async () => (await import("./cli/replay.ts")).addReplayCommand(program, context, place),
  inspect: async () => (await import("./cli/inspect.ts")).addInspectCommand(program, context),
  trace: async () => (await import("./cli/trace.ts")).addTraceCommand(program, context),
  triage: async () => (await import("./cli/findings.ts")).addTriageCommand(program, context),
  run: async () => (await import("./cli/run.ts")).addRunCommand(program, context),
  release: async () => (await import("./cli/release.ts")).addReleaseCommands(program, context),
  proof: async () => (await import("./cli/proof.ts")).addProofCommands(program, context),
  bundle: async () => (await import("./cli/bundle.ts")).addBundleCommand(program, context, place),
  attest: async () => (await import("./cli/attest.ts")).addAttestCommands(program, context),
  backup: async () => (await import("./cli/recovery.ts")).addBackupCommand(program, context, place),
  restore: async () => (await import("./cli/recovery.ts")).addRestoreCommand(program, context),
  health: async () => (await import("./cli/health.ts")).addHealthCommand(program, context),
  setup: async () => (await import("./cli/setup.ts")).addSetupCommand(program, context, place),
  doctor: async () => (await import("./cli/doctor.ts")).addDoctorCommand(program, context, place),
};
/** Nouns that have no verb made from a declaration. */
const SELF_CONTAINED: readonly string[] = [
  "start",
  "demo",
  "token",
  "recordings",
  "venue-sim",
  "backtest",
  "strategy",
  "attest",
  "replay",
  "health",
  "setup",
  "doctor",
  "inspect",
  "triage",
  "bundle",
  "run",
  "proof",
  "backup",
  "restore",
];

/** Of `rumi proof`, whose codes the specification fixes. */
const PROOF_USAGE = 3;

/** Verbs that ask no program, of nouns that have others which do. */
const OFFLINE_VERBS: Readonly<Record<string, readonly string[]>> = {
  packs: ["new", "validate", "check"],
  release: ["verify"],
};

async function addCommands(noun: string, verb: string): Promise<void> {
  const room = ROOMS[noun];
  const isAlone = SELF_CONTAINED.includes(noun) || OFFLINE_VERBS[noun]?.includes(verb) === true;
  if (room !== undefined && isAlone) return room();
  for (const add of Object.values(ROOMS)) await add();
  const { describedCommands } = await import("./program/describe.ts");
  const { addDerivedCommands } = await import("./cli/derived.ts");
  context.commands = describedCommands();
  return addDerivedCommands(program, context.commands, context);
}

// A reader that has seen enough (`rumi … | head`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (problem: NodeJS.ErrnoException) => {
    if (problem.code !== "EPIPE") throw problem;
    process.exit(EXIT.ok);
  });
}

try {
  const words = withoutGuideFlags(process.argv.slice(2));
  await addCommands(words[0] === "pack" ? "packs" : (words[0] ?? ""), words[1] ?? "");
  await program.parseAsync(words, { from: "user" });
} catch (problem) {
  if (!(problem instanceof CommanderError)) throw problem;
  // Help and version end with 0; everything else that commander refuses is wrong usage.
  context.exit_code = problem.exitCode === 0 ? EXIT.ok : process.argv[2] === "proof" ? PROOF_USAGE : EXIT.usage;
}
process.exitCode = context.exit_code;
