/** Principals with their roles, and their tokens without what they are; for whoever may read them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { User } from "../../answers/people.ts";
import { useConsole } from "../../context.ts";
import { useMay, useMe } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { Panel, ProblemNote } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

export function PeoplePage(): JSX.Element {
  const { api, t } = useConsole();
  const queries = useQueryClient();
  const users = useQuery({
    queryKey: ["users"],
    queryFn: async () => (await api.users()).users,
    refetchInterval: 15_000,
  });
  const [question, setQuestion] = useState<Question | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const ask = (asked: Omit<Question, "onDone" | "tone">): void =>
    setQuestion({ ...asked, tone: "danger", onDone: () => void queries.invalidateQueries({ queryKey: ["users"] }) });
  return (
    <Panel title={t("people")} name="people" problem={users.error}>
      <ul className="rows" data-testid="people">
        {(users.data ?? []).map((user) => (
          <UserRow
            key={user.user_id}
            user={user}
            isOpen={open === user.user_id}
            onToggle={() => setOpen(open === user.user_id ? null : user.user_id)}
            onAsk={ask}
          />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

type Ask = (asked: Omit<Question, "onDone" | "tone">) => void;

function UserRow(props: {
  readonly user: User;
  readonly isOpen: boolean;
  readonly onToggle: () => void;
  readonly onAsk: Ask;
}): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const me = useMe().data?.user_id;
  const { user, isOpen, onToggle, onAsk } = props;
  const { user_id, display_name, roles, state, bootstrap, created_at } = user;
  return (
    <li data-testid="person">
      <div className="row-head">
        <button type="button" className="name" aria-expanded={isOpen} onClick={onToggle}>
          {display_name}
        </button>
        {roles.map((role) => (
          <Badge key={role} tone={role === "admin" || role === "break_glass" ? "warn" : "info"} text={role} />
        ))}
        {state === "disabled" && <Badge tone="bad" text={t("disabled")} />}
        {user_id === me && <span className="dim">({t("you")})</span>}
        <span className="row-actions end">
          {!bootstrap && state === "active" && may.ask("users.disable") && (
            <button
              type="button"
              className="danger"
              onClick={() =>
                onAsk({
                  title: t("ask_disable", { name: display_name }),
                  detail: user_id,
                  onYes: (wish) => api.disableUser(user_id, wish),
                })
              }
            >
              {t("disable")}
            </button>
          )}
        </span>
      </div>
      <div className="mono dim wrap">
        {user_id}
        {created_at === null ? "" : ` · ${dayText(created_at)}`}
      </div>
      {isOpen && <Tokens userId={user_id} onAsk={onAsk} />}
    </li>
  );
}

function Tokens({ userId, onAsk }: { readonly userId: string; readonly onAsk: Ask }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const tokens = useQuery({ queryKey: ["users", userId], queryFn: async () => (await api.tokensOf(userId)).tokens });
  if (tokens.error !== null) return <ProblemNote problem={tokens.error} t={t} />;
  return (
    <ul className="rows tight" data-testid="tokens">
      {tokens.data?.length === 0 && <li className="dim">{t("no_tokens")}</li>}
      {(tokens.data ?? []).map(({ token_id, label, expires_at, revoked_at }) => {
        const isOver = revoked_at !== null || Date.parse(expires_at) < Date.now();
        return (
          <li key={token_id} className="row-head">
            <span className={`mono ${isOver ? "dim" : ""}`}>{label === "" ? token_id : label}</span>
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
                      title: t("ask_revoke", { label: label === "" ? token_id : label }),
                      detail: token_id,
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
      })}
    </ul>
  );
}
