/** Letting somebody in: a name and roles. What they come in with, a token, is issued afterwards. */
import { useState, type JSX } from "react";
import type { Role } from "../../answers/people.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Ask } from "./people-page.tsx";
import { RoleBoxes } from "./roles-form.tsx";

const NAME_CHARACTERS = 128;

export function PersonForm({ onAsk }: { readonly onAsk: Ask }): JSX.Element {
  const { api, t } = useConsole();
  const [typed, setTyped] = useState("");
  const [roles, setRoles] = useState<readonly Role[]>(["view_only"]);
  const name = typed.trim();
  return (
    <form
      className="inline-form"
      data-testid="person-form"
      onSubmit={(event) => {
        event.preventDefault();
        onAsk({
          title: t("ask_person", { name, roles: roles.join(" + ") }),
          tone: "primary",
          line: (reason) => commandText("users create", [], { display_name: name, roles, reason }),
          onYes: async (wish) => {
            await api.createUser(name, roles, wish);
            setTyped("");
          },
        });
      }}
    >
      <input
        value={typed}
        maxLength={NAME_CHARACTERS}
        aria-label={t("person_name")}
        placeholder={t("person_name")}
        onChange={(event) => setTyped(event.target.value)}
      />
      <RoleBoxes roles={roles} onRoles={setRoles} />
      <button type="submit" disabled={name === "" || roles.length === 0}>
        {t("add_person")}
      </button>
    </form>
  );
}
