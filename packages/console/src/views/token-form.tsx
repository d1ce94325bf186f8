import { useState, type JSX } from "react";
import type { Translate } from "../i18n.ts";

export function TokenForm(props: {
  readonly t: Translate;
  readonly wasRefused: boolean;
  readonly onToken: (token: string) => void;
}): JSX.Element {
  const { t, wasRefused, onToken } = props;
  const [text, setText] = useState("");
  return (
    <main className="token-page">
      <form
        className="card"
        data-testid="token-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") onToken(text.trim());
        }}
      >
        <h1>
          <img src="/favicon.svg" width="22" height="22" alt="" /> Rumi
        </h1>
        <h3>{t("token_title")}</h3>
        {wasRefused && (
          <p className="bad" role="alert">
            {t("token_refused")}
          </p>
        )}
        <label>
          {t("token_hint")}
          <input
            type="password"
            autoFocus
            autoComplete="off"
            aria-label={t("token_label")}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <div className="buttons">
          <button className="primary" type="submit" disabled={text.trim() === ""}>
            {t("token_use")}
          </button>
        </div>
      </form>
    </main>
  );
}
