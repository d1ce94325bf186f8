/** Exit codes of the command line; docs/cli.md lists them. */
export const EXIT = {
  /** Done; for `audit verify`: nothing found. */
  ok: 0,
  /** Refused or failed with a coded error; for `audit verify`: something was found. */
  failed: 1,
  /** The command itself was wrong: unknown verb, missing or malformed argument. */
  usage: 2,
  /** The program of that home does not answer. */
  unreachable: 3,
  /** `replay`: the run was replayed and did not come out the same. */
  diverged: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
