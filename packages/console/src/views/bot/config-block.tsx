/** What the bot is configured to, whether what runs has it already, and changing it. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { BotDetail, BotState, PackStatus } from "../../answers/answers.ts";
import { changesIn } from "../../answers/diff.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { useInstances } from "../../queries.ts";
import { isSecretField } from "../../secrets.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Changes } from "../outlook.tsx";
import { ConfigForm } from "./config-form.tsx";
import { MOMENTS, momentOf } from "./config-moments.ts";

/** Of a bot with more instances it is not said here: each would be a question of its own. */
const INSTANCES_ASKED = 8;
/** The server refuses it in these: the bot first has to run or to stand still in order. */
const NOT_IN: readonly BotState[] = ["CREATED", "STOPPING", "ERROR", "QUARANTINED"];

export function ConfigBlock({ bot }: { readonly bot: BotDetail }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const [isEdited, setIsEdited] = useState(false);
  const { pack_id, strategy_id } = bot.spec.strategy;
  const pack = useQuery({
    queryKey: ["packs", pack_id],
    queryFn: () => api.packStatus(pack_id),
    retry: false,
  });
  const schema = schemaOf(pack.data, strategy_id);
  const fields = Object.entries(bot.spec.config);
  const isPossible = !NOT_IN.includes(bot.state);
  return (
    <div className="config-block">
      <h3>
        {t("config")}{" "}
        {!isEdited && isPossible && may.ask("bots.config_apply") && (
          <button type="button" className="quiet" onClick={() => setIsEdited(true)}>
            {t("change")}
          </button>
        )}
      </h3>
      {!isPossible && may.ask("bots.config_apply") && (
        <p className="dim">{t("config_not_now", { state: bot.state })}</p>
      )}
      <Standing bot={bot} />
      {isEdited && <ConfigForm bot={bot} onClose={() => setIsEdited(false)} />}
      <dl className="facts columns" data-testid="config">
        {fields.length === 0 && <div className="dim">–</div>}
        {fields.map(([name, value]) => (
          <div key={name}>
            <dt className="mono">{name}</dt>
            <dd className="mono">
              {isSecretField(name, schema?.[name]) ? (
                <span className="dim">{t("secret_value")}</span>
              ) : (
                <>
                  {typeof value === "string" ? value : JSON.stringify(value)}{" "}
                  <span className="dim">{schema?.[name]?.unit ?? ""}</span>
                </>
              )}
            </dd>
          </div>
        ))}
      </dl>
      <CopyLine line={commandText("bots show", [bot.bot_id])} />
    </div>
  );
}

function schemaOf(pack: PackStatus | undefined, strategy_id: string) {
  const manifest = pack?.approved_manifest ?? pack?.manifest;
  return manifest?.strategies.find((one) => one.strategy_id === strategy_id)?.config_schema;
}

/** Whether what runs has taken the newest configuration; while it has not, what is still different. Nothing where nothing runs. */
function Standing({ bot }: { readonly bot: BotDetail }): JSX.Element | null {
  const { api, t } = useConsole();
  const { bot_id, generation } = bot;
  const instances = useInstances().data?.filter((one) => one.bot_id === bot_id && one.phase !== "stopped") ?? [];
  const isRunning = bot.status.run_id !== null && instances.length > 0;
  const ids = instances.map(({ strategy_id, instance_id }) => `${bot_id}/${strategy_id}/${instance_id}`);
  const standing = useQuery({
    queryKey: ["bot", bot_id, "config", generation, ids.join(" ")],
    enabled: isRunning && generation > 1 && ids.length <= INSTANCES_ASKED,
    queryFn: async () => {
      const wished = await api.findEvents(
        { action: "bot.config.applied", resource_type: "bot", resource_id: bot_id },
        null,
      );
      const [newest] = wished.events;
      if (newest === undefined || newest.details["generation"] !== generation) return null;
      const seen = await Promise.all(
        ids.map((resource_id) =>
          api.findEvents({ action: "instance.config.effective", resource_type: "instance", resource_id }, null),
        ),
      );
      const effective = seen.map(({ events }) => events.find(({ details }) => details["generation"] === generation));
      return { newest, effective };
    },
    refetchInterval: 5_000,
  }).data;
  if (!isRunning || standing === null || standing === undefined) return null;
  const { newest, effective } = standing;
  const taken = effective.flatMap((event) => event ?? []);
  const at = momentOf(newest.details["at"]);
  if (taken.length === effective.length)
    return (
      <p className="good" data-testid="config-standing">
        {t("config_in_force", {
          generation,
          time: dayText(
            taken
              .map(({ occurred_at }) => occurred_at)
              .toSorted()
              .at(-1) ?? "",
          ),
        })}
      </p>
    );
  return (
    <div className="warn" data-testid="config-standing">
      <p>
        {t("config_waits", {
          generation,
          when: at === null ? "?" : t(MOMENTS[at].word),
          count: taken.length,
          of: effective.length,
        })}
      </p>
      <Changes changes={changesIn(newest.details["diff"]) ?? []} testId="config-waits" />
    </div>
  );
}
