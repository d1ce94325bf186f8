/** States and permissions of packs as they are shown everywhere: colour, word and what it means. */
import type { JSX } from "react";
import type { CandidateState, PackState, PermissionDiff } from "../../answers/packs.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { remainingText } from "../../time.ts";
import { useNow } from "../../use-now.ts";
import { Badge, type Tone } from "../badge.tsx";

const PACK: Readonly<Record<PackState, readonly [Tone, Word, Word]>> = {
  scanned: ["bad", "pack_scanned", "pack_scanned_means"],
  pending: ["warn", "pack_pending", "pack_pending_means"],
  approved: ["good", "pack_approved", "pack_approved_means"],
  rejected: ["bad", "pack_rejected", "pack_rejected_means"],
  modified: ["warn", "pack_modified", "pack_modified_means"],
};

export function PackBadge({ state }: { readonly state: PackState }): JSX.Element {
  const { t } = useConsole();
  const [tone, word, means] = PACK[state];
  return <Badge tone={tone} text={t(word)} title={t(means)} testId="pack-state" />;
}

export const packMeans = (state: PackState): Word => PACK[state][2];

const CANDIDATE: Readonly<Record<CandidateState, readonly [Tone, Word]>> = {
  pending: ["warn", "candidate_pending"],
  installed: ["good", "candidate_installed"],
  rejected: ["bad", "candidate_rejected"],
  blocked: ["bad", "candidate_blocked"],
  failed: ["bad", "candidate_failed"],
};

export function CandidateBadge(props: {
  readonly status: CandidateState;
  readonly rejections: number;
  readonly cooldown_until: string | null;
}): JSX.Element {
  const { t } = useConsole();
  const { status, rejections, cooldown_until } = props;
  const [tone, word] = CANDIDATE[status];
  return (
    <>
      <Badge tone={tone} text={t(word)} testId="candidate-state" />
      {rejections > 0 && <span className="dim small">{t("rejections", { count: rejections })}</span>}
      {status === "rejected" && cooldown_until !== null && <Cooldown until={cooldown_until} />}
    </>
  );
}

/** Nothing can be decided until it is over. */
function Cooldown({ until }: { readonly until: string }): JSX.Element {
  const { t } = useConsole();
  const left_ms = Date.parse(until) - useNow();
  return (
    <span className="warn small" title={until} data-testid="cooldown">
      {left_ms <= 0 ? t("cooldown_over") : t("cooldown", { time: remainingText(left_ms) })}
    </span>
  );
}

/** What an approval adds and takes away, in words and signs, never as colour alone. */
export function DiffList({ diff }: { readonly diff: PermissionDiff }): JSX.Element {
  const { t } = useConsole();
  if (diff.added.length + diff.removed.length === 0) return <p className="dim">{t("diff_none")}</p>;
  return (
    <ul className="diff-list mono" data-testid="permission-diff">
      {diff.added.map((one) => (
        <li key={`+${one}`} className="warn">
          <span aria-hidden="true">+ </span>
          <span className="hidden">{t("diff_added")} </span>
          {one}
        </li>
      ))}
      {diff.removed.map((one) => (
        <li key={`-${one}`} className="dim">
          <span aria-hidden="true">− </span>
          <span className="hidden">{t("diff_removed")} </span>
          {one}
        </li>
      ))}
    </ul>
  );
}

export function bytesText(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
