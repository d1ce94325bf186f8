import { useState, type JSX } from "react";
import type { Translate } from "../i18n.ts";

export function TokenForm(props: {
  readonly t: Translate;
  readonly onToken: (token: string) => void;
}): JSX.Element {
  const { t, onToken } = props;
  const [text, setText] = useState("");
  return (
    <dialog open style={{ marginTop: "18vh" }}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim() !== "") onToken(text.trim());
        }}
      >
        <h3>{t("token_title")}</h3>
        <label>
          {t("token_hint")}
          <input
            type="password"
            autoFocus
            autoComplete="off"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
        <div className="buttons">
          <button className="primary" type="submit">
            {t("token_use")}
          </button>
        </div>
      </form>
    </dialog>
  );
}
