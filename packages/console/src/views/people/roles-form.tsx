/** Which roles somebody has: chosen, and asked for with a reason. */
import { useState, type JSX } from "react";
import { ROLES, type Role, type User } from "../../answers/people.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Ask } from "./people-page.tsx";

export function RolesForm({ user, onAsk }: { readonly user: User; readonly onAsk: Ask }): JSX.Element {
  const { api, t } = useConsole();
  const { user_id, display_name } = user;
  const before = ROLES.filter((role) => user.roles.includes(role));
  const [roles, setRoles] = useState<readonly Role[]>(before);
  return (
    <form
      className="inline-form"
      data-testid="roles-form"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({
          title: t("ask_roles", { name: display_name, roles: roles.join(" + ") }),
          detail: `${before.join(" + ")} → ${roles.join(" + ")}`,
          tone: "danger",
          line: (reason) => commandText("users roles-set", [user_id], { roles, reason }),
          onYes: (wish) => api.setRoles(user_id, roles, wish),
        });
      }}
    >
      <RoleBoxes roles={roles} onRoles={setRoles} />
      <button type="submit" disabled={roles.length === 0 || roles.join() === before.join()}>
        {t("roles_change")}
      </button>
    </form>
  );
}

export function RoleBoxes(props: {
  readonly roles: readonly Role[];
  readonly onRoles: (roles: readonly Role[]) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { roles, onRoles } = props;
  return (
    <span role="group" aria-label={t("roles")} className="row-head">
      {ROLES.map((role) => (
        <label key={role} className="check">
          <input
            type="checkbox"
            checked={roles.includes(role)}
            onChange={(event) =>
              onRoles(ROLES.filter((one) => (one === role ? event.target.checked : roles.includes(one))))
            }
          />{" "}
          <span className="mono">{role}</span>
        </label>
      ))}
    </span>
  );
}
