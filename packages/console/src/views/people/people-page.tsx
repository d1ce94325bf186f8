/** Principals with their roles, and their tokens without what they are; for whoever may read them. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { User } from "../../answers/people.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay, useMe } from "../../may.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { PersonForm } from "./person-form.tsx";
import { RolesForm } from "./roles-form.tsx";
import "../../styles/work.css";
import { Tokens } from "./tokens.tsx";

export type Ask = (asked: Omit<Question, "onDone">) => void;

export function PeoplePage(): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const users = useQuery({
    queryKey: ["users"],
    queryFn: async () => (await api.users()).users,
    refetchInterval: 15_000,
  });
  const [question, setQuestion] = useState<Question | null>(null);
  const [open, setOpen] = useState<string | null>(null);
  const ask: Ask = (asked) =>
    setQuestion({ ...asked, onDone: () => void queries.invalidateQueries({ queryKey: ["users"] }) });
  return (
    <Panel title={t("people")} name="people" problem={users.error} line="rumi users list">
      {may.ask("users.create") && <PersonForm onAsk={ask} />}
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
  const isChangeable = !bootstrap && state === "active";
  return (
    <li data-testid="person" data-id={user_id}>
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
          {isChangeable && may.ask("users.disable") && (
            <button
              type="button"
              className="danger"
              onClick={() =>
                onAsk({
                  title: t("ask_disable", { name: display_name }),
                  detail: user_id,
                  tone: "danger",
                  line: (reason) => commandText("users disable", [user_id], { reason }),
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
      {isOpen && isChangeable && may.ask("users.roles_set") && (
        <RolesForm key={roles.join()} user={user} onAsk={onAsk} />
      )}
      {isOpen && <Tokens user={user} mayIssue={isChangeable && may.ask("tokens.issue")} onAsk={onAsk} />}
    </li>
  );
}
