/** What a pack was given, whether it counts now, and whether it was ever used; giving more, one or many; taking it back. */
import type { JSX } from "react";
import type { Grant, WholePack } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { GrantForm } from "./grant-form.tsx";
import { isOfPack, useOfPacks, usePackCalls } from "./pack-queries.ts";

export function GrantsPanel({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const { pack_id } = pack;
  const grants = useOfPacks(["grants"], async (of) => (await of.grants()).grants);
  const own = (grants.data ?? []).filter((one) => isOfPack(one, pack_id));
  return (
    <Panel title={t("grants")} name="grants" problem={grants.error}>
      {may.ask("grants.grant") && <GrantForm pack={pack} />}
      {grants.data !== undefined && own.length === 0 && <p className="empty">{t("grants_teach")}</p>}
      {own.length > 0 && (
        <div className="scroll-x" tabIndex={0} role="region" aria-label={t("permission")}>
          <table data-testid="grants" className="cards">
            <thead>
              <tr>
                <th scope="col">{t("permission")}</th>
                <th scope="col">{t("narrowed_to")}</th>
                <th scope="col">{t("state")}</th>
                <th scope="col">{t("used")}</th>
                <th scope="col">{t("actions")}</th>
              </tr>
            </thead>
            <tbody>
              {own.map((one) => (
                <Row key={`${one.principal_id} ${one.permission_id}`} grant={one} packId={pack_id} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <CopyLine line={commandText("grants list", [], { principal_id: pack_id })} />
    </Panel>
  );
}

function Row({ grant, packId }: { readonly grant: Grant; readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { principal_id, permission_id, in_force, why_not } = grant;
  const revoke = (): void =>
    ask({
      title: t("ask_revoke_grant", { what: permission_id, who: principal_id }),
      detail: t("revoke_grant_means"),
      tone: "danger",
      line: (reason) => commandText("grants revoke", [], { principal_id, permission_id, reason }),
      onYes: (wish) => calls.revoke(grant, wish),
    });
  return (
    <tr data-testid="grant" data-id={permission_id}>
      <td>
        <strong className="mono">{permission_id}</strong>
        {principal_id !== packId && <div className="mono dim">{principal_id}</div>}
      </td>
      <td className="mono wrap" data-label={t("narrowed_to")}>
        <span>{configText(grant.config)}</span>
      </td>
      <td data-label={t("state")}>
        <Badge
          tone={in_force ? "good" : "warn"}
          text={t(in_force ? "in_force" : "not_in_force")}
          testId="grant-state"
        />
        {why_not !== null && <div className="warn small">{why_not}</div>}
      </td>
      <td data-label={t("used")}>
        <Used principal={principal_id} permission={permission_id} />
      </td>
      <td data-label={t("actions")}>
        <span>
          {may.tighten("grants.revoke") && (
            <button type="button" className="danger" onClick={revoke}>
              {t("take_away")}
            </button>
          )}
        </span>
        {dialog}
      </td>
    </tr>
  );
}

/** As the log says: a grant that was never used is one to take away. */
function Used(props: { readonly principal: string; readonly permission: string }): JSX.Element {
  const { t } = useConsole();
  const { principal, permission } = props;
  const resource = `${principal}:${permission}`;
  const last = useOfPacks(["used", resource], async (of) => {
    const [[executed], [denied]] = await Promise.all([
      of.newest("capability.executed", "capability", resource),
      of.newest("permission.denied", "capability", resource),
    ]);
    return { executed: executed?.occurred_at ?? null, denied: denied?.occurred_at ?? null };
  });
  if (last.data === undefined) return <span className="dim">…</span>;
  const { executed, denied } = last.data;
  return (
    <span data-testid="grant-used">
      {executed === null ? (
        <span className="warn">{t("never_used")}</span>
      ) : (
        <span title={executed}>{t("last_used", { time: dayText(executed) })}</span>
      )}
      {denied !== null && (
        <span className="bad small" title={denied}>
          {" "}
          {t("last_denied", { time: dayText(denied) })}
        </span>
      )}
    </span>
  );
}

/** A config that says nothing allows nothing of what its permission asks for. */
export function configText(config: Readonly<Record<string, unknown>>): string {
  const entries = Object.entries(config);
  return entries.length === 0
    ? "–"
    : entries.map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") : String(value)}`).join("; ");
}
