/** Sends a file and tells how far it is: what `fetch` cannot say of what goes out. It comes with the page that sends files. */
import { refusal } from "../answers/answers.ts";
import { record, ShapeError } from "../answers/shape.ts";
import { RefusedError, type Body, type Call } from "./call.ts";

export type FileSent = {
  readonly key: string;
  readonly onProgress: (sent: number, whole: number) => void;
  /** Takes it back while it is on its way. */
  readonly signal: AbortSignal;
  /** What is said where the connection ends before there is an answer. */
  readonly cutOff: string;
};

export function sendFile({ headers }: Call, path: string, file: Blob, sent: FileSent): Promise<Body> {
  const { key, onProgress, signal, cutOff } = sent;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    const all = { ...headers, "content-type": "application/zip", "idempotency-key": key };
    for (const [name, value] of Object.entries(all)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total));
    const fail = (): void => reject(new Error(cutOff));
    request.addEventListener("error", fail);
    request.addEventListener("abort", fail);
    request.addEventListener("load", () => {
      try {
        const answer = record(parsed(request.responseText, path), path);
        if (answer["success"] !== true) throw new RefusedError(refusal(answer, path));
        resolve(record(answer["data"], path));
      } catch (problem) {
        reject(problem instanceof Error ? problem : new Error(String(problem)));
      }
    });
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function parsed(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ShapeError(path, `JSON (${String(cause)})`);
  }
}
