/**
 * Which script of a pack's `lib/` is to run now. Pure.
 *
 * How to think: a pack may bring `lib/install.py` and `lib/update.py`. Each content runs once, whatever came of it: what
 * failed is not tried again by itself. An installation covers the update that came with it; what is changed later runs.
 *
 * Invariants (libs.test.ts): nothing runs that is on record at this content; no update runs where the installation failed.
 */
export const LIBS = ["install", "update"] as const;
export type Lib = (typeof LIBS)[number];
export const LIB_STATES = ["success", "failed", "covered"] as const;
export type LibState = (typeof LIB_STATES)[number];

export const LIB_LIMITS = {
  timeout_seconds: 300,
  error_characters: 2_000,
  /** Until a script is tried again that could not even be begun, e.g. without a box for it. */
  retry_ms: 60_000,
} as const;

export type LibScript = {
  readonly lib: Lib;
  /** Below the pack's root. */
  readonly file: string;
  /** Of its content. */
  readonly sha256: string;
};
export type LibRecord = LibScript & {
  readonly pack_id: string;
  /** `covered`: an installation made it needless. */
  readonly state: LibState;
  readonly error: string | null;
  readonly duration_us: number;
  readonly executed_at: number;
};
export type DueLib = { readonly script: LibScript; readonly covers: LibScript | undefined };

export function dueOf(scripts: readonly LibScript[], records: readonly LibRecord[]): DueLib | undefined {
  const scriptOf = (lib: Lib): LibScript | undefined => scripts.find((one) => one.lib === lib);
  const recordOf = (lib: Lib): LibRecord | undefined => records.find((one) => one.lib === lib);
  const [install, update] = [scriptOf("install"), scriptOf("update")];
  if (install !== undefined && recordOf("install")?.sha256 !== install.sha256)
    return { script: install, covers: update };
  if (install !== undefined && recordOf("install")?.state === "failed") return undefined;
  return update !== undefined && recordOf("update")?.sha256 !== update.sha256
    ? { script: update, covers: undefined }
    : undefined;
}
