/** Secrets that a pack asks for: there or not, and how old. A value goes in and never comes out again. */
import { useState, type JSX } from "react";
import type { Secret, WholePack } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { DryRun } from "./dry-run.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

const DAY_MS = 86_400_000;
/** Older than this a value is shown as one to change. */
const OLD_DAYS = 90;
const KEY = /^[A-Z0-9_]{1,64}$/;

export function SecretsPanel({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const secrets = useOfPacks(["secrets"], async (of) => (await of.secrets()).secrets);
  const wanted = pack.manifest?.required_secrets ?? [];
  const [key, setKey] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const rows = wanted.map((name) => ({ name, secret: secrets.data?.find((one) => one.key === name) }));
  return (
    <Panel title={t("secrets")} name="secrets" problem={secrets.error}>
      {wanted.length === 0 && <p className="empty">{t("secrets_teach")}</p>}
      <ul className="rows" data-testid="secrets">
        {secrets.data !== undefined &&
          rows.map(({ name, secret }) => (
            <Row key={name} name={name} secret={secret} onChoose={() => setChosen(chosen === name ? null : name)} />
          ))}
      </ul>
      {may.ask("secrets.set") && chosen === null && (
        <form
          className="inline-form"
          onSubmit={(event) => {
            event.preventDefault();
            setChosen(key);
          }}
        >
          <label>
            {t("other_secret")}
            <input
              className="mono"
              value={key}
              placeholder="API_KEY"
              spellCheck={false}
              onChange={(event) => setKey(event.target.value)}
            />
          </label>
          <button type="submit" disabled={!KEY.test(key)}>
            {t("set_value")}
          </button>
        </form>
      )}
      {chosen !== null && <ValueForm key={chosen} name={chosen} onClose={() => setChosen(null)} />}
      <CopyLine line={commandText("secrets list")} />
    </Panel>
  );
}

function Row(props: {
  readonly name: string;
  readonly secret: Secret | undefined;
  readonly onChoose: () => void;
}): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { name, secret, onChoose } = props;
  const isThere = secret?.exists === true;
  const days = secret === undefined ? 0 : Math.floor((Date.now() - Date.parse(secret.updated_at)) / DAY_MS);
  return (
    <li className="row-head" data-testid="secret" data-id={name}>
      <strong className="mono">{name}</strong>
      <Badge tone={isThere ? "good" : "warn"} text={t(isThere ? "secret_there" : "secret_missing")} />
      {isThere && secret !== undefined && (
        <span className={days >= OLD_DAYS ? "warn small" : "dim small"} title={secret.updated_at}>
          {t("secret_age", { days, day: dayText(secret.updated_at) })}
        </span>
      )}
      <span className="row-actions end">
        {may.ask("secrets.set") && (
          <button type="button" onClick={onChoose}>
            {t(isThere ? "rotate" : "set_value")}
          </button>
        )}
        {isThere && may.ask("secrets.delete") && (
          <button
            type="button"
            className="danger"
            onClick={() =>
              ask({
                title: t("ask_delete_secret", { key: name }),
                detail: (
                  <>
                    <p>{t("delete_secret_means")}</p>
                    <DryRun
                      name={`secret ${name}`}
                      ask={() => calls.dryRun("POST", "/api/secrets/delete", { key: name })}
                    />
                  </>
                ),
                tone: "danger",
                line: (reason) => commandText("secrets delete", [], { key: name, reason }),
                onYes: (wish) => calls.deleteSecret(name, wish),
              })
            }
          >
            {t("delete")}
          </button>
        )}
      </span>
      {dialog}
    </li>
  );
}

/** The value lives in this form only, and is gone from it with the answer. */
function ValueForm({ name, onClose }: { readonly name: string; readonly onClose: () => void }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const [value, setValue] = useState("");
  return (
    <>
      <form
        className="inline-form"
        data-testid="secret-form"
        autoComplete="off"
        onSubmit={(event) => {
          event.preventDefault();
          ask({
            title: t("ask_set_secret", { key: name }),
            detail: t("set_secret_means"),
            tone: "primary",
            line: (reason) => commandText("secrets set", [], { key: name, value: "-", reason }),
            onYes: (wish) => calls.setSecret(name, value, wish),
            onDone: onClose,
          });
        }}
      >
        <label className="grow">
          {t("value_of", { key: name })}
          <input
            className="mono wide"
            type="password"
            autoComplete="new-password"
            autoFocus
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </label>
        <button type="submit" className="primary" disabled={value === ""}>
          {t("set_value")}
        </button>
        <button type="button" onClick={onClose}>
          {t("cancel")}
        </button>
      </form>
      {dialog}
    </>
  );
}
