/** The form of a proof bundle as a stranger may meet it: every member there is, none else, each of its kind. Pure. */
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

const closed = <T extends Parameters<typeof Type.Object>[0]>(members: T) =>
  Type.Object(members, { additionalProperties: false });
const text = Type.String();
const whole = Type.Integer({ minimum: 0 });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(of: T) => Type.Union([of, Type.Null()]);
const digest = Type.String({ pattern: "^[0-9a-f]{64}$" });
const commit = Type.String({ pattern: "^[0-9a-f]{40}([0-9a-f]{24})?$" });
const patterns = Type.Array(text);
const decided = {
  violation_id: whole,
  path: text,
  approved_status: text,
  decided_at: orNull(text),
  decided_by: orNull(text),
};

const BUNDLE = closed({
  version: text,
  run_id: Type.Integer({ minimum: 1 }),
  generated_at: text,
  prompt_hash: digest,
  scope_snapshot: closed({ read: patterns, write: patterns, exclude: patterns }),
  dod_snapshot: closed({
    required_checks: Type.Array(
      closed({
        check_key: text,
        label: text,
        kind: text,
        command: text,
        timeout_sec: whole,
        working_dir: text,
        required: Type.Boolean(),
      }),
    ),
  }),
  changed_files: Type.Array(text),
  diff_stat: closed({ added: whole, removed: whole, files: whole }),
  head_sha: commit,
  exit_code: orNull(Type.Integer()),
  dod_results: Type.Array(
    closed({
      check_key: text,
      label: text,
      kind: text,
      required: Type.Boolean(),
      status: text,
      exit_code: orNull(Type.Integer()),
      timed_out: orNull(Type.Boolean()),
      executed_nothing: orNull(Type.Boolean()),
      duration_ms: orNull(Type.Number({ minimum: 0 })),
      finished_at: orNull(text),
      log_sha256: orNull(digest),
    }),
  ),
  scope_violations: Type.Array(closed({ ...decided, reason: text })),
  approval_history: Type.Array(closed({ ...decided, reason: orNull(text) })),
  revision: Type.Integer({ minimum: 1 }),
  previous_sha256: orNull(digest),
  base_sha: commit,
  snapshot_sha: commit,
  worktree_dirty: orNull(Type.Boolean()),
  command: Type.Array(text),
  cancelled: Type.Boolean(),
  enforcement: closed({ enforce: text, scope: text, outside: text, mechanism: text }),
  log_sha256: digest,
  log_bytes: whole,
  started_at: text,
  finished_at: orNull(text),
});

/** What is wrong with a bundle's form, in words; undefined where nothing is. */
export function formProblem(value: unknown): string | undefined {
  const first = Value.Errors(BUNDLE, value).First();
  if (first === undefined) return undefined;
  const member = first.path === "" ? "the bundle" : first.path.slice(1).replaceAll("/", ".");
  return first.message === "Unexpected property" ? `${member} is no member of a bundle` : `${member}: ${first.message}`;
}
