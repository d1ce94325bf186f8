/** Stores of a pack: its own with how full they are, what it shares, and what it uses or wants of others. */
import { useState, type JSX } from "react";
import type { PackStore, Share, StoreLimits } from "../../answers/pack-parts.ts";
import type { ShareWish } from "../../api/pack-parts.ts";
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
import { bytesText } from "./pack-words.tsx";

const COUNT = new Intl.NumberFormat("en");
const NAME = /^[A-Za-z0-9_-]{1,128}$/;

export function StoresPanel({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const stores = useOfPacks(["stores"], (of) => of.stores());
  const shares = useOfPacks(["shares"], (of) => of.shares());
  const own = (stores.data?.stores ?? []).filter(({ owner_pack }) => owner_pack === packId);
  const ofOthers = sharesOf(shares.data ?? [], packId);
  return (
    <Panel title={t("stores")} name="stores" problem={stores.error ?? shares.error}>
      {stores.data !== undefined && own.length === 0 && <p className="empty">{t("stores_teach")}</p>}
      <ul className="rows" data-testid="stores">
        {stores.data !== undefined &&
          own.map((one) => (
            <Own key={one.store_id} store={one} limits={stores.data.limits} shares={shares.data ?? []} />
          ))}
      </ul>
      {ofOthers.length > 0 && (
        <>
          <h3>{t("stores_of_others")}</h3>
          <ul className="rows" data-testid="shared-stores">
            {ofOthers.map(({ share, status }) => (
              <ShareRow key={`${share.store_id} ${status}`} share={share} status={status} name={share.store_id} />
            ))}
          </ul>
        </>
      )}
      {may.ask("stores.create") && <MakeForm packId={packId} />}
      <CopyLine line={commandText("stores list")} />
    </Panel>
  );
}

type Shown = { readonly share: ShareWish; readonly status: Share["status"] };

/** What others let a pack use, and what it asks to use. */
function sharesOf(all: readonly Share[], packId: string): readonly Shown[] {
  return all
    .filter(({ shared_with }) => shared_with.includes(packId))
    .map(({ store_id, owner_pack, status }) => ({ share: { store_id, owner_pack, target_pack: packId }, status }));
}

function Own(props: {
  readonly store: PackStore;
  readonly limits: StoreLimits;
  readonly shares: readonly Share[];
}): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { store, limits, shares } = props;
  const { store_id, owner_pack, keys, bytes } = store;
  const path = `/api/stores/${encodeURIComponent(store_id)}`;
  const given = shares
    .filter((one) => one.store_id === store_id)
    .flatMap(({ shared_with, status }) =>
      shared_with.map((target_pack): Shown => ({ share: { store_id, owner_pack, target_pack }, status })),
    );
  return (
    <li data-testid="store" data-id={store_id}>
      <div className="row-head">
        <strong className="mono">{store_id}</strong>
        <span className="dim small">{dayText(store.created_at)}</span>
        {may.ask("stores.delete") && (
          <button
            type="button"
            className="danger end"
            onClick={() =>
              ask({
                title: t("ask_delete_store", { store: store_id }),
                detail: <DryRun name={`store ${store_id}`} ask={() => calls.dryRun("DELETE", path)} />,
                tone: "danger",
                line: (reason) => commandText("stores delete", [store_id], { reason }),
                onYes: (wish) => calls.deleteStore(store_id, wish),
              })
            }
          >
            {t("delete")}
          </button>
        )}
      </div>
      <Full
        label={t("keys_of", { keys: COUNT.format(keys), limit: COUNT.format(limits.keys) })}
        value={keys}
        limit={limits.keys}
      />
      <Full
        label={t("bytes_of_limit", { bytes: bytesText(bytes), limit: bytesText(limits.bytes) })}
        value={bytes}
        limit={limits.bytes}
      />
      {given.length > 0 && (
        <ul className="plain">
          {given.map((one) => (
            <ShareRow key={`${one.share.target_pack} ${one.status}`} {...one} name={one.share.target_pack} />
          ))}
        </ul>
      )}
      {dialog}
    </li>
  );
}

/** Nearly full is said by its colour, and by its own words beside it. */
function Full(props: { readonly label: string; readonly value: number; readonly limit: number }): JSX.Element {
  const { label, value, limit } = props;
  return (
    <div className={`full small ${value >= limit * 0.9 ? "warn" : "dim"}`}>
      <meter min={0} max={limit} high={limit * 0.9} value={value} aria-label={label} /> {label}
    </div>
  );
}

function ShareRow(props: Shown & { readonly name: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { share, status, name } = props;
  const { store_id, owner_pack, target_pack } = share;
  const isPending = status === "pending";
  const judge = (act: "approve" | "revoke"): void =>
    ask({
      title: t(act === "approve" ? "ask_share" : "ask_unshare", { store: store_id, pack: target_pack }),
      detail: t(act === "approve" ? "share_means" : "unshare_means", { pack: target_pack, owner: owner_pack }),
      tone: act === "approve" ? "primary" : "danger",
      line: (reason) => commandText(`stores ${act}`, [], { store_id, owner_pack, target_pack, reason }),
      onYes: (wish) => calls.share(act, share, wish),
    });
  return (
    <li className="row-head" data-testid="share" data-id={`${store_id} ${target_pack}`}>
      <span className="mono">{name}</span>
      <Badge tone={isPending ? "warn" : "good"} text={t(isPending ? "share_pending" : "share_approved")} />
      <span className="dim small">{t("owned_by", { pack: owner_pack })}</span>
      <span className="row-actions end">
        {isPending && may.ask("stores.approve") && (
          <button type="button" onClick={() => judge("approve")}>
            {t("share")}
          </button>
        )}
        {!isPending && may.tighten("stores.revoke") && (
          <button type="button" className="danger" onClick={() => judge("revoke")}>
            {t("unshare")}
          </button>
        )}
      </span>
      {dialog}
    </li>
  );
}

function MakeForm({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const [name, setName] = useState("");
  return (
    <>
      <form
        className="inline-form"
        data-testid="store-form"
        onSubmit={(event) => {
          event.preventDefault();
          ask({
            title: t("ask_make_store", { store: name, pack: packId }),
            detail: t("make_store_means"),
            tone: "primary",
            line: (reason) => commandText("stores create", [], { store_id: name, owner_pack: packId, reason }),
            onYes: (wish) => calls.makeStore(name, packId, wish),
            onDone: () => setName(""),
          });
        }}
      >
        <label>
          {t("new_store")}
          <input
            className="mono"
            value={name}
            spellCheck={false}
            autoComplete="off"
            aria-invalid={name !== "" && !NAME.test(name)}
            onChange={(event) => setName(event.target.value)}
          />
        </label>
        <button type="submit" disabled={!NAME.test(name)}>
          {t("make")}
        </button>
      </form>
      {dialog}
    </>
  );
}
