/** Somebody's tokens, without what they are: revoked here, and issued, where the new one is shown once. */
import { useQuery } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { IssuedToken, Token, User } from "../../answers/people.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import type { Ask } from "./people-page.tsx";

const DAYS = 90;
const MOST_DAYS = 365;
const LABEL_CHARACTERS = 128;

export function Tokens(props: { readonly user: User; readonly mayIssue: boolean; readonly onAsk: Ask }): JSX.Element {
  const { api, t } = useConsole();
  const { user, mayIssue, onAsk } = props;
  const { user_id } = user;
  const [issued, setIssued] = useState<IssuedToken | null>(null);
  const tokens = useQuery({ queryKey: ["users", user_id], queryFn: async () => (await api.tokensOf(user_id)).tokens });
  if (tokens.error !== null) return <ProblemNote problem={tokens.error} t={t} />;
  return (
    <>
      {issued !== null && (
        <div className="refusal asked" data-testid="issued-token">
          <p className="warn wrap">{t(issued.token === null ? "token_lost" : "token_once")}</p>
          {issued.token !== null && <CopyLine line={issued.token} testId="token-text" />}
          <button type="button" onClick={() => setIssued(null)}>
            {t("token_kept")}
          </button>
        </div>
      )}
      {mayIssue && <IssueForm user={user} onAsk={onAsk} onIssued={setIssued} />}
      <ul className="rows tight" data-testid="tokens">
        {tokens.data?.length === 0 && <li className="dim">{t("no_tokens")}</li>}
        {(tokens.data ?? []).map((token) => (
          <TokenRow key={token.token_id} token={token} onAsk={onAsk} />
        ))}
      </ul>
      <CopyLine line={commandText("tokens list", [user_id])} />
    </>
  );
}

function IssueForm(props: {
  readonly user: User;
  readonly onAsk: Ask;
  readonly onIssued: (issued: IssuedToken) => void;
}): JSX.Element {
  const { api, t } = useConsole();
  const { user, onAsk, onIssued } = props;
  const { user_id, display_name } = user;
  const [label, setLabel] = useState("");
  const [days, setDays] = useState(String(DAYS));
  const wanted = Number(days);
  const isTime = /^\d{1,3}$/.test(days) && wanted >= 1 && wanted <= MOST_DAYS;
  return (
    <form
      className="inline-form"
      data-testid="token-issue-form"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({
          title: t("ask_token", { name: display_name, days }),
          tone: "danger",
          line: (reason) =>
            commandText("tokens issue", [user_id], {
              label: label.trim() === "" ? null : label.trim(),
              valid_for_seconds: String(wanted * 86_400),
              reason,
            }),
          onYes: async (wish) => {
            onIssued(await api.issueToken(user_id, label.trim(), wanted, wish));
            setLabel("");
          },
        });
      }}
    >
      <input
        value={label}
        maxLength={LABEL_CHARACTERS}
        aria-label={t("token_for")}
        placeholder={t("token_for")}
        onChange={(event) => setLabel(event.target.value)}
      />
      <label>
        {t("token_days")}{" "}
        <input
          className="mono"
          inputMode="numeric"
          size={4}
          value={days}
          aria-invalid={!isTime}
          onChange={(event) => setDays(event.target.value)}
        />
      </label>
      <button type="submit" disabled={!isTime}>
        {t("issue_token")}
      </button>
    </form>
  );
}

function TokenRow({ token, onAsk }: { readonly token: Token; readonly onAsk: Ask }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const { token_id, label, expires_at, revoked_at } = token;
  const name = label === "" ? token_id : label;
  const isOver = revoked_at !== null || Date.parse(expires_at) <= Date.now();
  return (
    <li className="row-head">
      <span className={`mono ${isOver ? "dim" : ""}`}>{name}</span>
      <span className="mono dim">
        {revoked_at === null
          ? t("valid_until", { day: dayText(expires_at) })
          : t("revoked", { day: dayText(revoked_at) })}
      </span>
      <span className="row-actions end">
        {!isOver && may.ask("tokens.revoke") && (
          <button
            type="button"
            className="danger"
            onClick={() =>
              onAsk({
                title: t("ask_revoke", { label: name }),
                detail: token_id,
                tone: "danger",
                line: (reason) => commandText("tokens revoke", [token_id], { reason }),
                onYes: (wish) => api.revokeToken(token_id, wish),
              })
            }
          >
            {t("revoke")}
          </button>
        )}
      </span>
    </li>
  );
}
