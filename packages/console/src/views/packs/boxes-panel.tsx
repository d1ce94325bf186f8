/** The boxes that a pack's code stands in now: what isolates them, how often they were called, and an end to them. */
import type { JSX } from "react";
import type { Box } from "../../answers/pack-parts.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

const STATE = {
  running: ["info", "box_running"],
  idle: ["good", "box_idle"],
  ended: ["dim", "box_ended"],
} as const;
const EVERY_MS = 3_000;

export function BoxesPanel(props: { readonly packId: string; readonly isApproved: boolean }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { packId, isApproved } = props;
  const boxes = useOfPacks(["boxes"], (of) => of.boxes(), { every_ms: EVERY_MS });
  const isolation = useOfPacks(["isolation"], (of) => of.isolation());
  const own = (boxes.data ?? []).filter(({ pack_id }) => pack_id === packId);
  const turn = (act: "start" | "stop"): void =>
    ask({
      title: t(act === "start" ? "ask_boxes_start" : "ask_boxes_stop", { pack: packId }),
      detail: t(act === "start" ? "boxes_start_means" : "boxes_stop_means"),
      tone: act === "start" ? "primary" : "danger",
      line: (reason) => commandText(`containers ${act}`, [packId], { reason }),
      onYes: (wish) => calls.turnBoxes(packId, act, wish),
    });
  return (
    <Panel
      title={t("boxes")}
      name="boxes"
      problem={boxes.error ?? isolation.error}
      aside={
        <span className="row-actions end">
          {isApproved && own.length === 0 && may.ask("containers.start") && (
            <button type="button" onClick={() => turn("start")}>
              {t("have_ready")}
            </button>
          )}
          {own.length > 0 && may.tighten("containers.stop") && (
            <button type="button" className="danger" onClick={() => turn("stop")}>
              {t("end_boxes")}
            </button>
          )}
        </span>
      }
    >
      {boxes.data !== undefined && own.length === 0 && <p className="empty">{t("boxes_teach")}</p>}
      <ul className="rows" data-testid="boxes">
        {own.map((one, at) => (
          <Row key={`${one.principal_id} ${one.container_id ?? at}`} box={one} />
        ))}
      </ul>
      {isolation.data?.isolation_problem != null && <p className="bad wrap">{isolation.data.isolation_problem}</p>}
      {isolation.data?.isolation != null && (
        <p className="dim small" data-testid="isolation">
          {t("isolated_by", isolation.data.isolation)}
        </p>
      )}
      <CopyLine line={commandText("containers list")} />
      {dialog}
    </Panel>
  );
}

function Row({ box }: { readonly box: Box }): JSX.Element {
  const { t } = useConsole();
  const [tone, word] = STATE[box.status];
  return (
    <li className="row-head" data-testid="box">
      <span className="mono">{box.principal_id}</span>
      <Badge tone={tone} text={t(word)} testId="box-state" />
      <span className="dim small">
        {box.mechanism} · {t("calls", { count: box.calls })}
      </span>
      {box.image !== null && <span className="mono dim small wrap">{box.image}</span>}
      {box.container_id !== null && <span className="mono dim small">{box.container_id.slice(0, 12)}</span>}
    </li>
  );
}
