/** Acts on the host that a pack may be allowed by name: each is held or not. They have nothing to do with its grants. */
import type { JSX } from "react";
import type { Privilege } from "../../answers/pack-parts.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useMay } from "../../may.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

/** In this page's language; one that is not known here speaks for itself. */
const MEANS: Readonly<Record<string, Word>> = {
  "pack.update": "privilege_pack_update",
  "system.restart": "privilege_system_restart",
  "system.diagnostics": "privilege_system_diagnostics",
};

export function PrivilegesPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const privileges = useOfPacks(["privileges"], (of) => of.privileges());
  const isBare = privileges.data?.every(({ granted_packs }) => !granted_packs.includes(packId));
  return (
    <Panel title={t("privileges")} name="privileges" problem={privileges.error}>
      {isBare === true && <p className="empty">{t("privileges_teach")}</p>}
      <ul className="rows" data-testid="privileges">
        {(privileges.data ?? []).map((one) => (
          <Row key={one.privilege_id} privilege={one} packId={packId} />
        ))}
      </ul>
      <CopyLine line={commandText("privileges list")} />
    </Panel>
  );
}

function Row({ privilege, packId }: { readonly privilege: Privilege; readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { privilege_id, description, granted_packs } = privilege;
  const isHeld = granted_packs.includes(packId);
  const word = MEANS[privilege_id];
  const means = word === undefined ? description : t(word);
  const judge = (act: "grant" | "revoke"): void =>
    ask({
      title: t(act === "grant" ? "ask_privilege_grant" : "ask_privilege_revoke", { what: privilege_id, pack: packId }),
      detail: means,
      tone: act === "grant" ? "primary" : "danger",
      line: (reason) => commandText(`privileges ${act}`, [packId, privilege_id], { reason }),
      onYes: (wish) => calls.judgePrivilege(packId, act, privilege_id, wish),
    });
  return (
    <li data-testid="privilege" data-id={privilege_id}>
      <div className="row-head">
        <strong className="mono">{privilege_id}</strong>
        <Badge tone={isHeld ? "warn" : "dim"} text={t(isHeld ? "held" : "not_held")} testId="privilege-state" />
        <span className="row-actions end">
          {!isHeld && may.ask("privileges.grant") && (
            <button type="button" onClick={() => judge("grant")}>
              {t("allow")}
            </button>
          )}
          {isHeld && may.tighten("privileges.revoke") && (
            <button type="button" className="danger" onClick={() => judge("revoke")}>
              {t("take_away")}
            </button>
          )}
        </span>
      </div>
      <div className="dim wrap">{means}</div>
      {dialog}
    </li>
  );
}
