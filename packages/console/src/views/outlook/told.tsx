/**
 * What a dry run or a challenge says, as sentences and tables.
 *
 * What is known by name (a move, a preflight, a capital pool) has its own sentence; whatever else an operation tells is
 * laid out by its shape. Nothing is left out: the whole answer lies behind the fold beside it.
 */
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import { Laid } from "./laid.tsx";
import { moveIn, poolIn, preflightIn } from "./known.ts";
import { PreflightTable } from "./preflight-table.tsx";

type Known = Readonly<Record<string, unknown>>;

export function Told({ of }: { readonly of: Known }): JSX.Element {
  const { t } = useConsole();
  const { requested, current_state, preflight, pool, ...others } = of;
  const move = moveIn(requested);
  const report = preflightIn(preflight);
  const room = poolIn(pool);
  const rest = {
    ...(move === null && requested !== undefined && requested !== null ? { requested } : {}),
    ...(move === null && current_state !== undefined ? { current_state } : {}),
    ...(report === null && isSaying(preflight) ? { preflight } : {}),
    ...(room === null && isSaying(pool) ? { pool } : {}),
    ...Object.fromEntries(Object.entries(others).filter(([, value]) => isSaying(value))),
  };
  return (
    <>
      {move !== null && (
        <p data-testid="told-move">
          {t("would_move", move)}
          {typeof current_state === "string" && current_state !== move.from && (
            <strong className="warn"> {t("state_is_other", { state: current_state })}</strong>
          )}
        </p>
      )}
      {report !== null && <PreflightTable report={report} />}
      {room !== null && <p data-testid="told-pool">{t(room.isShort ? "pool_short" : "pool_room", room.values)}</p>}
      {Object.keys(rest).length > 0 && <Laid of={rest} />}
    </>
  );
}

/** What is absent or empty says nothing to anybody. */
function isSaying(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  return typeof value !== "object" || Object.keys(value).length > 0;
}
