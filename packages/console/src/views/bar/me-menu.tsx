/** Who one is, in which roles, what one may ask for by its name in the API, and how the page looks to oneself. */
import { useId, useRef, useState, type JSX } from "react";
import type { Me } from "../../answers/people.ts";
import { useConsole } from "../../context.ts";
import { grouped } from "../../grouped.ts";
import { useMe } from "../../may.ts";
import { keepTheme, keptTheme, THEMES, type Theme } from "../../theme.ts";
import { dropToken } from "../../token.ts";
import { Badge } from "../badge.tsx";

/** Weakest first; the strongest stands in the bar, all of them in the menu. */
const ROLES = ["view_only", "operator", "break_glass", "admin"];
const THEME_WORD = { system: "theme_system", dark: "theme_dark", light: "theme_light" } as const;

export function MeMenu(props: { readonly onLanguage: () => void }): JSX.Element {
  const { t } = useConsole();
  const { data: me } = useMe();
  const id = useId();
  const menu = useRef<HTMLDivElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      {me?.training != null && (
        <Badge tone="warn" look="filled" text={t("training")} title={t("training_means")} testId="in-training" />
      )}
      <button
        type="button"
        className="me"
        popoverTarget={id}
        aria-expanded={isOpen}
        title={me?.roles.join(" + ")}
        data-testid="myself"
      >
        {strongest(me)} ▾
      </button>
      <div
        id={id}
        ref={menu}
        popover="auto"
        className="menu"
        role="dialog"
        aria-label={t("you")}
        data-testid="me-menu"
        onToggle={(event) => setIsOpen(event.newState === "open")}
      >
        {me !== undefined && <Who me={me} />}
        <Looks />
        <div className="buttons">
          <button type="button" onClick={props.onLanguage}>
            {t("language")}
          </button>
          <button
            type="button"
            onClick={() => {
              dropToken();
              window.location.reload();
            }}
          >
            {t("forget_token")}
          </button>
        </div>
        {isOpen && me !== undefined && <Allowed me={me} />}
      </div>
    </>
  );
}

function strongest(me: Me | undefined): string {
  const first = ROLES.findLast((role) => me?.roles.includes(role)) ?? me?.roles[0] ?? "?";
  const more = (me?.roles.length ?? 1) - 1;
  return more > 0 ? `${first} +${more}` : first;
}

function Who({ me }: { readonly me: Me }): JSX.Element {
  const { t } = useConsole();
  return (
    <dl className="facts">
      <div>
        <dt>{t("you")}</dt>
        <dd className="mono">{me.user_id}</dd>
      </div>
      <div>
        <dt>{t("roles")}</dt>
        <dd className="mono" data-testid="my-roles">
          {me.roles.join(" + ")}
        </dd>
      </div>
      <div>
        <dt>{t("environment")}</dt>
        <dd className="mono">{me.environment}</dd>
      </div>
    </dl>
  );
}

function Looks(): JSX.Element {
  const { t } = useConsole();
  const [theme, setTheme] = useState<Theme>(keptTheme);
  return (
    <div role="group" aria-label={t("theme")} className="chips" data-testid="theme">
      {THEMES.map((one) => (
        <button
          key={one}
          type="button"
          className="chip choice"
          aria-pressed={one === theme}
          onClick={() => {
            keepTheme(one);
            setTheme(one);
          }}
        >
          {t(THEME_WORD[one])}
        </button>
      ))}
    </div>
  );
}

/** By noun, so that a hundred names can be read. */
function Allowed({ me }: { readonly me: Me }): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <Names title={t("you_may")} names={me.may} testId="my-operations" />
      {me.may_tighten.length > 0 && (
        <Names title={t("you_may_tighten")} names={me.may_tighten} testId="my-tightenings" />
      )}
    </>
  );
}

function Names(props: {
  readonly title: string;
  readonly names: readonly string[];
  readonly testId: string;
}): JSX.Element {
  const { title, names, testId } = props;
  const nouns = grouped(names, (name) => name.slice(0, name.lastIndexOf(".")));
  return (
    <section className="allowed" data-testid={testId}>
      <h3>
        {title} <span className="mono dim">{names.length}</span>
      </h3>
      <dl className="facts">
        {[...nouns].map(([noun, those]) => (
          <div key={noun}>
            <dt className="mono">{noun}</dt>
            <dd className="mono">{those.map((name) => name.slice(noun.length + 1)).join(", ")}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
