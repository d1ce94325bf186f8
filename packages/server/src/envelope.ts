/** The two shapes of every JSON answer. */
import { type Failure, type Language, failureText } from "@rumi/kernel";
import type { Answer } from "@rumi/operations";
import type { RunbookOf } from "./ports.ts";

export type ErrorEnvelope = Readonly<Record<string, unknown>> & {
  readonly success: false;
  readonly error: string;
  readonly error_code: string;
  readonly suggestion: string;
  readonly status_code: number;
  readonly trace_id: string;
};

export function errorEnvelope(
  of: Failure,
  status: number,
  language: Language,
  trace_id: string,
  runbook: string | undefined,
  extras: Readonly<Record<string, unknown>> = {},
): ErrorEnvelope {
  const filled = of.code === "RUMI-SYS-001" ? { ...of, params: { ...of.params, trace_id } } : of;
  const { text, next } = failureText(filled, language);
  return {
    ...extras,
    success: false,
    error: text,
    error_code: of.code,
    ...(of.reasonCode === undefined ? {} : { reason_code: of.reasonCode }),
    suggestion: next,
    ...(runbook === undefined ? {} : { runbook }),
    status_code: status,
    trace_id,
    ...(of.details === undefined ? {} : { details: of.details }),
  };
}

export type EnvelopeForm = {
  /** The command's id belongs to the answer because the request carried it. */
  readonly command: "in_body" | "in_header" | "none";
  readonly flat: boolean;
};

/** The body of an answer; for commands with their id in the body, `data` says which command and what became of it. */
export function answerEnvelope(
  answer: Answer,
  form: EnvelopeForm,
  language: Language,
  trace_id: string,
  runbookOf: RunbookOf,
): Readonly<Record<string, unknown>> {
  const suppressed = answer.duplicate_suppressed ? { duplicate_suppressed: true } : {};
  const training = answer.training === true ? { training: true } : {};
  const named = form.command === "in_body" && answer.command_id !== null ? { command_id: answer.command_id } : {};
  if (answer.kind === "refused") {
    const runbook = runbookOf(answer.failure.code, answer.failure.reasonCode);
    return errorEnvelope(answer.failure, answer.status, language, trace_id, runbook, {
      ...answer.extras,
      ...named,
      ...suppressed,
      ...training,
    });
  }
  const object = typeof answer.data === "object" && answer.data !== null && !Array.isArray(answer.data);
  if (form.flat && object) return { success: true, ...answer.data, ...suppressed, ...training };
  if (form.command !== "in_body" || answer.command_id === null || !object)
    return { success: true, data: answer.data, ...suppressed, ...training };
  return {
    success: true,
    data: { ...named, status: "applied", ...answer.data, ...suppressed },
    ...suppressed,
    ...training,
  };
}

/** The first of en and ja that the reader asks for; English where neither is. */
export function languageOf(header: string | undefined): Language {
  const wanted = (header ?? "").split(",").map((part) => {
    const [tag = "", ...parameters] = part.trim().toLowerCase().split(";");
    const quality = parameters.map((text) => /^\s*q=([0-9.]+)\s*$/.exec(text)?.[1]).find((text) => text !== undefined);
    return { tag: tag.split("-")[0], weight: quality === undefined ? 1 : Number(quality) };
  });
  const best = wanted
    .filter(({ tag, weight }) => (tag === "en" || tag === "ja") && weight > 0)
    .toSorted((a, b) => b.weight - a.weight)[0];
  return best?.tag === "ja" ? "ja" : "en";
}
