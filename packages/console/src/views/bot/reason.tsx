/** A reason code with what it means in plain words, what to do, and the page that says more. */
import { useQuery } from "@tanstack/react-query";
import type { JSX } from "react";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { reasonRow, reasonRows, type ReasonRows } from "../../runbooks/reasons.ts";
import { RunbookLink } from "../runbook-link.tsx";
import { STATE_REASONS } from "./state-reasons.ts";

type Told = {
  readonly code: string;
  /** Of the runbook, where the API names one. */
  readonly page?: string | null;
  readonly tone?: "warn" | "bad" | "dim";
  /** `brief` leaves out what to do, for a line among many. */
  readonly look?: "whole" | "brief";
};

export function Reason({ code, page = null, tone = "warn", look = "whole" }: Told): JSX.Element {
  const { t, language } = useConsole();
  const own = ownReason(code);
  const rows = useReasonRows(own === undefined);
  const row = rows === undefined ? undefined : reasonRow(rows, code);
  const shown = page ?? row?.page ?? own?.page ?? null;
  return (
    <span className="reason" data-testid="reason">
      <span className={`mono ${tone}`}>{code}</span> {own !== undefined && <span>{t(own.word)}</span>}
      {row !== undefined && (
        <span lang={language === "en" ? undefined : "en"}>
          {row.what}
          {look === "whole" && row.action !== "" && <span className="dim"> → {row.action}</span>}
        </span>
      )}{" "}
      {shown !== null && <RunbookLink page={shown} />}
    </span>
  );
}

/** The runbooks are a part of the bundle of their own: they come with the first reason that needs them. */
function useReasonRows(isWanted: boolean): ReasonRows | undefined {
  return useQuery({
    queryKey: ["reason-rows"],
    queryFn: async () => reasonRows((await import("../../runbooks/pages.ts")).runbookPages()),
    enabled: isWanted,
    staleTime: Infinity,
    gcTime: Infinity,
  }).data;
}

type Own = { readonly word: Word; readonly page: string | null };

/** By the whole code, else by the longest beginning of it that is known. */
export function ownReason(code: string): Own | undefined {
  const parts = code.split(".");
  for (let length = parts.length; length > 0; length -= 1) {
    const known = STATE_REASONS[parts.slice(0, length).join(".")];
    if (known !== undefined) return { word: known[0], page: known[1] ?? null };
  }
  return undefined;
}
