/** A pack from this browser's machine: chosen or dropped, named by its hash before it is sent, and seen on its way. */
import { useEffect, useRef, useState, useSyncExternalStore, type JSX } from "react";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useQuestion } from "../use-question.tsx";
import { usePackCalls } from "./pack-queries.ts";
import { bytesText } from "./pack-words.tsx";
import { createSending, type Sending } from "./sending.ts";

export function UploadForm({ limit }: { readonly limit: number }): JSX.Element {
  const { t } = useConsole();
  const calls = usePackCalls();
  const { ask, dialog } = useQuestion("packs");
  const [file, setFile] = useState<File | null>(null);
  const [isOver, setIsOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const isTooLong = file !== null && file.size > limit;
  const choose = (chosen: File | null | undefined): void => setFile(chosen ?? null);
  const send = async (chosen: File): Promise<void> => {
    const sha256 = await digestOf(chosen);
    const sending = createSending();
    ask({
      title: t("ask_upload", { name: chosen.name }),
      detail: (
        <>
          <p>{t("import_means")}</p>
          <p className="mono wrap" data-testid="upload-digest">
            {bytesText(chosen.size)} · sha256 {sha256 ?? t("not_hashed")}
          </p>
          <Progress of={sending} />
        </>
      ),
      tone: "primary",
      line: (reason) => commandText("packs upload", [], { file: chosen.name, name: chosen.name, sha256, reason }),
      onYes: (wish) =>
        calls
          .upload(chosen, sha256, wish, {
            onProgress: sending.tell,
            signal: sending.begin(),
            cutOff: t("upload_cut_off"),
          })
          .finally(sending.end),
      onDone: () => {
        choose(null);
        if (input.current !== null) input.current.value = "";
      },
    });
  };
  return (
    <>
      <form
        className={`inline-form drop ${isOver ? "over" : ""}`}
        data-testid="upload-form"
        onDragOver={(event) => {
          event.preventDefault();
          setIsOver(true);
        }}
        onDragLeave={() => setIsOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setIsOver(false);
          choose(event.dataTransfer.files.item(0));
        }}
        onSubmit={(event) => {
          event.preventDefault();
          if (file !== null) void send(file);
        }}
      >
        <label className="grow">
          {t("upload_file")}
          <input
            ref={input}
            type="file"
            accept=".zip,.rumipack,application/zip"
            onChange={(event) => choose(event.target.files?.item(0))}
          />
        </label>
        <button type="submit" className="primary" disabled={file === null || isTooLong}>
          {t("send")}
        </button>
        {file !== null && (
          <p className="mono small wrap" data-testid="upload-chosen">
            {file.name} · {bytesText(file.size)}
          </p>
        )}
        {isTooLong && (
          <p className="bad small" role="status" data-testid="upload-too-long">
            {t("upload_too_long", { limit: bytesText(limit) })}
          </p>
        )}
      </form>
      {dialog}
    </>
  );
}

/** Leaving the dialog takes back what is still on its way. */
function Progress({ of }: { readonly of: Sending }): JSX.Element | null {
  const { t } = useConsole();
  const share = useSyncExternalStore(of.subscribe, of.share);
  useEffect(() => of.cancel, [of]);
  if (share === null) return null;
  return (
    <p role="status" data-testid="upload-progress">
      <progress className="long" max={1} value={share} aria-label={t("sending")} />
      {t(share < 1 ? "sent_so_far" : "being_judged", { percent: Math.floor(share * 100) })}
    </p>
  );
}

/** Null where this browser does not hash: over plain HTTP from another machine. */
async function digestOf(file: Blob): Promise<string | null> {
  if (!window.isSecureContext) return null;
  const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
