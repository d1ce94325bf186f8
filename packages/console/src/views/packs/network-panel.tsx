/** What a pack may reach, against what it asks for; whether one name would be let through now. */
import { useState, type JSX } from "react";
import { networkWish, type NetworkCheck, type NetworkGrant, type WholePack } from "../../answers/packs.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { TroubleBox, troubleOf, type Trouble } from "../trouble-box.tsx";
import { useQuestion } from "../use-question.tsx";
import { useOfPacks, usePackCalls } from "./pack-queries.ts";

const HTTPS = 443;

export function NetworkPanel({ pack }: { readonly pack: WholePack }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const { pack_id } = pack;
  const networks = useOfPacks(["networks"], async (of) => (await of.networks()).grants);
  const grant = networks.data?.find((one) => one.pack_id === pack_id) ?? null;
  return (
    <Panel title={t("network")} name="network" problem={networks.error}>
      {networks.data !== undefined && (
        <>
          {grant === null ? <p className="empty">{t("network_teach")}</p> : <Granted grant={grant} />}
          {may.ask("network.grant") && <AllowForm key={grant?.granted_at ?? ""} pack={pack} grant={grant} />}
          {may.ask("network.check") && <CheckForm packId={pack_id} />}
        </>
      )}
      <CopyLine line={commandText("network list")} />
    </Panel>
  );
}

function Granted({ grant }: { readonly grant: NetworkGrant }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { pack_id, in_force, why_not } = grant;
  const revoke = (): void =>
    ask({
      title: t("ask_revoke_network", { pack: pack_id }),
      detail: t("revoke_network_means"),
      tone: "danger",
      line: (reason) => commandText("network revoke", [], { pack_id, reason }),
      onYes: (wish) => calls.revokeNetwork(pack_id, wish),
    });
  return (
    <div className="row-head" data-testid="network-grant">
      <Badge tone={in_force ? "good" : "warn"} text={t(in_force ? "in_force" : "not_in_force")} />
      {why_not !== null && <span className="warn small">{why_not}</span>}
      <span className="mono wrap">
        {grant.allowed_domains.join("  ") || "–"} : {grant.allowed_ports.join(" ") || "–"}
      </span>
      {may.tighten("network.revoke") && (
        <button type="button" className="danger end" onClick={revoke}>
          {t("take_away")}
        </button>
      )}
      {dialog}
    </div>
  );
}

/** Filled with what is allowed now, or with what the pack asks for. */
function AllowForm(props: { readonly pack: WholePack; readonly grant: NetworkGrant | null }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const { pack, grant } = props;
  const { pack_id } = pack;
  const wanted = (pack.manifest?.required_network ?? []).map(networkWish);
  const wantedPorts = [...new Set(wanted.flatMap(({ ports }) => (ports.length === 0 ? [HTTPS] : ports)))];
  const [domains, setDomains] = useState(
    (grant?.allowed_domains ?? [...new Set(wanted.map(({ domain }) => domain))]).join(" "),
  );
  const [ports, setPorts] = useState((grant?.allowed_ports ?? wantedPorts).join(" "));
  const missing = wanted.filter(({ domain }) => grant !== null && !grant.allowed_domains.includes(domain));
  const list = ports.split(/[\s,]+/).filter((one) => one !== "");
  const isFine = list.every((one) => /^\d{1,5}$/.test(one) && Number(one) >= 1 && Number(one) <= 65_535);
  const allowed_domains = domains.split(/[\s,]+/).filter((one) => one !== "");
  // The question stands beside the form: a form inside another is none.
  return (
    <>
      <form
        className="inline-form"
        data-testid="network-form"
        onSubmit={(event) => {
          event.preventDefault();
          const allowed_ports = list.map(Number);
          ask({
            title: t("ask_network", { pack: pack_id }),
            detail: (
              <p className="mono wrap">
                {allowed_domains.join("  ") || "–"} : {allowed_ports.join(" ") || "–"}
              </p>
            ),
            tone: "primary",
            line: (reason) =>
              commandText("network grant", [], {
                pack_id,
                allowed_domains,
                allowed_ports: JSON.stringify(allowed_ports),
                reason,
              }),
            onYes: (wish) => calls.grantNetwork(pack_id, { allowed_domains, allowed_ports }, wish),
          });
        }}
      >
        <label className="grow">
          {t("domains")}
          <input
            className="mono wide"
            value={domains}
            spellCheck={false}
            placeholder="api.example.com *.example.org"
            onChange={(event) => setDomains(event.target.value)}
          />
        </label>
        <label>
          {t("ports")}
          <input
            className="mono"
            value={ports}
            size={10}
            aria-invalid={!isFine}
            onChange={(event) => setPorts(event.target.value)}
          />
        </label>
        <button type="submit" className="primary" disabled={!isFine}>
          {t("allow")}
        </button>
        {!isFine && <span className="bad">{t("no_ports")}</span>}
        {missing.length > 0 && (
          <p className="warn small" data-testid="network-missing">
            {t("network_missing", { domains: missing.map(({ domain }) => domain).join(", ") })}
          </p>
        )}
      </form>
      {dialog}
    </>
  );
}

function CheckForm({ packId }: { readonly packId: string }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const [domain, setDomain] = useState("");
  const [port, setPort] = useState(String(HTTPS));
  const [isAsking, setIsAsking] = useState(false);
  const [told, setTold] = useState<NetworkCheck | Trouble | null>(null);
  const check = async (): Promise<void> => {
    setIsAsking(true);
    setTold(await calls.checkNetwork(packId, domain, Number(port)).catch(troubleOf));
    setIsAsking(false);
  };
  return (
    <>
      <form
        className="inline-form"
        data-testid="network-check"
        onSubmit={(event) => {
          event.preventDefault();
          void check();
        }}
      >
        <label className="grow">
          {t("check_domain")}
          <input
            className="mono wide"
            required
            value={domain}
            spellCheck={false}
            onChange={(event) => setDomain(event.target.value)}
          />
        </label>
        <label>
          {t("port")}
          <input
            className="mono"
            type="number"
            min={1}
            max={65_535}
            value={port}
            onChange={(event) => setPort(event.target.value)}
          />
        </label>
        <button type="submit" disabled={isAsking || domain === ""}>
          {t("check_now")}
        </button>
      </form>
      <div role="status" data-testid="check-told">
        {isAsking && t("checking")}
        {told !== null && !isAsking && <Told told={told} />}
      </div>
      {domain !== "" && <CopyLine line={commandText("network check", [], { pack_id: packId, domain, port })} />}
    </>
  );
}

function Told({ told }: { readonly told: NetworkCheck | Trouble }): JSX.Element {
  const { t } = useConsole();
  if ("kind" in told) return <TroubleBox trouble={told} onLeave={() => undefined} />;
  return (
    <p>
      <Badge tone={told.allowed ? "good" : "bad"} text={t(told.allowed ? "let_through" : "held_back")} />{" "}
      <span className="mono">
        {told.domain}:{told.port}
      </span>{" "}
      {told.denied_by !== null && <strong>{told.denied_by}</strong>} {told.reason}{" "}
      {told.allowed && !told.resolved && <span className="warn">{t("not_resolved")}</span>}
    </p>
  );
}
