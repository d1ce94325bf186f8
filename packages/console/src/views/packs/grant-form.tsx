/** Gives permissions: one, or several that were put together first; each of several is judged by itself and says so. */
import { useId, useState, type JSX } from "react";
import type { BatchAnswer, WholePack } from "../../answers/packs.ts";
import { record } from "../../answers/shape.ts";
import type { GrantWish } from "../../api/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useQuestion } from "../use-question.tsx";
import { configText } from "./grants-panel.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

/** What the program's own permissions may be narrowed to; a pack's own take whatever lists, numbers and flags they say. */
const FORMS: Readonly<Record<string, readonly string[]>> = {
  "secrets.get": ["allowed_keys"],
  "store.get": ["allowed_store_ids"],
  "store.set": ["allowed_store_ids"],
  "store.delete": ["allowed_store_ids"],
  "store.list": ["allowed_store_ids"],
  "store.batch_get": ["allowed_store_ids"],
  "store.cas": ["allowed_store_ids"],
  "flow.run": ["allowed_flow_ids"],
  "pack.inbox.send": ["allowed_packs"],
  "pack.update.propose_patch": ["allowed_packs"],
};
const MOST = 50;

export function GrantForm({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const { pack_id } = pack;
  const names = useId();
  const [permission, setPermission] = useState("");
  const [config, setConfig] = useState("");
  const [wishes, setWishes] = useState<readonly GrantWish[]>([]);
  const [told, setTold] = useState<BatchAnswer | null>(null);
  const handlers = useOfPacks(["candidates"], async (of) => (await of.candidates()).requests);
  const known = [
    ...new Set([
      ...Object.keys(FORMS),
      ...(handlers.data ?? []).filter(({ status }) => status === "installed").map((one) => one.permission_id),
    ]),
  ];
  const parsed = configIn(config);
  const isReady = permission !== "" && parsed !== null;
  const choose = (chosen: string): void => {
    setPermission(chosen);
    const form = FORMS[chosen];
    if (form === undefined) return;
    const keys = chosen === "secrets.get" ? (pack.manifest?.required_secrets ?? []) : [];
    setConfig(JSON.stringify(Object.fromEntries(form.map((name) => [name, keys]))));
  };
  return (
    <div data-testid="grant-form">
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (parsed === null) return;
          const wish = { principal_id: pack_id, permission_id: permission, config: parsed };
          setWishes([...wishes.filter((one) => one.permission_id !== permission), wish]);
          setPermission("");
          setConfig("");
          setTold(null);
        }}
      >
        <label>
          {t("permission")}
          <input
            className="mono"
            list={names}
            value={permission}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => choose(event.target.value)}
          />
        </label>
        <datalist id={names}>
          {known.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
        <label className="grow">
          {t("narrowed_to_json")}
          <input
            className="mono wide"
            value={config}
            placeholder="{}"
            spellCheck={false}
            aria-invalid={parsed === null}
            onChange={(event) => setConfig(event.target.value)}
          />
        </label>
        <button type="submit" disabled={!isReady || wishes.length >= MOST}>
          {t("put_on_list")}
        </button>
        {parsed === null && <span className="bad">{t("no_json")}</span>}
      </form>
      {wishes.length > 0 && <Wishes wishes={wishes} onWishes={setWishes} onTold={setTold} packId={pack_id} />}
      {told !== null && <Results told={told} />}
    </div>
  );
}

function Wishes(props: {
  readonly wishes: readonly GrantWish[];
  readonly onWishes: (wishes: readonly GrantWish[]) => void;
  readonly onTold: (told: BatchAnswer | null) => void;
  readonly packId: string;
}): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { wishes, onWishes, onTold, packId } = props;
  const give = (): void => {
    const [only] = wishes;
    const isOne = wishes.length === 1 && only !== undefined;
    ask({
      title: t("ask_grants", { count: wishes.length, who: packId }),
      detail: <WishList wishes={wishes} />,
      tone: "primary",
      line: (reason) =>
        isOne
          ? commandText("grants grant", [], {
              principal_id: only.principal_id,
              permission_id: only.permission_id,
              config: JSON.stringify(only.config ?? {}),
              reason,
            })
          : commandText("grants batch", [], { grants: JSON.stringify(wishes), reason }),
      onYes: async (wish) => {
        onTold(isOne ? (await calls.grant(only, wish), null) : await calls.grantAll(wishes, wish));
      },
      onDone: () => onWishes([]),
    });
  };
  return (
    <div className="row-head acts">
      <WishList
        wishes={wishes}
        onDrop={(permission_id) => onWishes(wishes.filter((one) => one.permission_id !== permission_id))}
      />
      <button type="button" className="primary end" onClick={give} data-testid="give">
        {t("give", { count: wishes.length })}
      </button>
      {dialog}
    </div>
  );
}

function WishList(props: {
  readonly wishes: readonly GrantWish[];
  readonly onDrop?: (permission_id: string) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { wishes, onDrop } = props;
  return (
    <ul className="mono plain" data-testid="grant-wishes">
      {wishes.map(({ permission_id, config = {} }) => (
        <li key={permission_id}>
          {permission_id} <span className="dim">{configText(config)}</span>
          {onDrop !== undefined && (
            <button
              type="button"
              className="quiet"
              aria-label={`${t("drop")}: ${permission_id}`}
              onClick={() => onDrop(permission_id)}
            >
              ×
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function Results({ told }: { readonly told: BatchAnswer }): JSX.Element {
  const { t } = useConsole();
  return (
    <div role="status" data-testid="batch-results">
      <p>{t("batch_told", { succeeded: told.succeeded, failed: told.failed })}</p>
      <ul className="plain small">
        {told.results.map(({ permission_id, success, error_code, error }) => (
          <li key={permission_id ?? "?"} className={success ? "good" : "bad"}>
            <span className="mono">{permission_id}</span> {success ? t("given") : `${error_code ?? ""} ${error ?? ""}`}
          </li>
        ))}
      </ul>
    </div>
  );
}

/** null while the text is no JSON object; nothing is an empty one. */
export function configIn(text: string): Readonly<Record<string, unknown>> | null {
  if (text.trim() === "") return {};
  try {
    return record(JSON.parse(text), "config");
  } catch {
    return null; // said beside the button
  }
}
