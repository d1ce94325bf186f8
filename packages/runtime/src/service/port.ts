/**
 * The port to models and signals (M-13.*): named contracts, structured questions and answers, one adapter behind each.
 *
 * How to think: a Compute strategy puts out a `service_request`; the machine lets it through only with the capability and
 * never on the low-latency lane; the port checks the question, asks the adapter, checks the answer, and hands back a
 * signal: a recorded input with the event time of the data it was made from. Nothing that a service says is ever an intent.
 * A request that a crash interrupted is answered by nothing; the strategy asks again.
 *
 * Invariants (service.test.ts)
 * - Free text is refused, both in a contract and in an answer; a refused answer reaches nobody but as its reason code.
 * - At most `waiting` questions wait for one service; more are refused at once, so a slow service costs no memory.
 */
import { err, failure, ok, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import type { MachineInput } from "../instance/input.ts";
import { schemaProblem, valueProblem } from "./schema.ts";
import type { ServiceSpec } from "./spec.ts";

export const SERVICE_LIMITS = { waiting: 16, timeout_ms: 600_000, per_instance: 16 } as const;
const NAME = /^[a-z][a-z0-9_]{0,31}$/;

export type ServiceRequest = {
  readonly service: string;
  readonly request_id: number;
  readonly json: string;
  readonly as_of_us: number;
};

/** Who answers: the text of one JSON value for one JSON value, or what went wrong with it. */
export interface ServiceAdapter {
  ask(request: JsonObject, timeout_ms: number): Promise<Result<Json, string>>;
  close(): void;
}

/** The first thing wrong with the contracts. */
export function judgeServices(services: readonly ServiceSpec[]): Result<null, Failure> {
  const no = (field: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-STR-027", { field: `services.${field}`, problem }, { reasonCode: "M.SERVICE.CONTRACT" }));
  if (services.length > SERVICE_LIMITS.per_instance) return no("", "there are too many");
  for (const { name, request, answer, timeout_ms } of services) {
    if (!NAME.test(name)) return no(name.slice(0, 32), "its name has not its form");
    if (services.filter((one) => one.name === name).length > 1) return no(name, "it is there twice");
    if (timeout_ms < 1 || timeout_ms > SERVICE_LIMITS.timeout_ms) return no(name, "its timeout is out of range");
    const problem = schemaProblem(request, "request") || schemaProblem(answer, "answer");
    if (problem !== "") return no(name, problem);
    if (request.type !== "object" || answer.type !== "object") return no(name, "question and answer are objects");
  }
  return ok(null);
}

export class ServicePort {
  readonly #services: ReadonlyMap<string, { readonly spec: ServiceSpec; readonly adapter: ServiceAdapter }>;
  readonly #waiting = new Map<string, number>();

  constructor(services: readonly ServiceSpec[], adapterOf: (spec: ServiceSpec) => ServiceAdapter) {
    this.#services = new Map(services.map((spec) => [spec.name, { spec, adapter: adapterOf(spec) }]));
  }

  /** The signal that answers; a failure answers too, with its reason code and nothing else. */
  async ask(request: ServiceRequest): Promise<MachineInput> {
    const { service, request_id, as_of_us } = request;
    const known = this.#services.get(service);
    const signal = (more: JsonObject): MachineInput => ({
      input: "signal",
      signal: { source: "service", service, request_id, as_of_us, ...more },
      actor: `service:${service}`,
      as_of_us,
      ...(known === undefined ? {} : { stale_after_us: known.spec.staleness_us }),
    });
    if (known === undefined) return signal({ error: "M.SERVICE.UNKNOWN" });
    const { spec, adapter } = known;
    const question = parsed(request.json);
    if (question === undefined || valueProblem(spec.request, question, "request") !== "")
      return signal({ error: "M.SERVICE.BAD_REQUEST" });
    const waiting = this.#waiting.get(service) ?? 0;
    if (waiting >= SERVICE_LIMITS.waiting) return signal({ error: "M.SERVICE.BUSY" });
    this.#waiting.set(service, waiting + 1);
    const answer = await adapter.ask(question as JsonObject, spec.timeout_ms);
    this.#waiting.set(service, (this.#waiting.get(service) ?? 1) - 1);
    if (!answer.ok) return signal({ error: answer.error });
    return valueProblem(spec.answer, answer.value, "answer") === ""
      ? signal({ answer: answer.value })
      : signal({ error: "M.SERVICE.BAD_ANSWER" });
  }

  close(): void {
    for (const { adapter } of this.#services.values()) adapter.close();
  }
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Lets a strategy's request through to the port; answers why not, empty when it went. */
export function askService(
  of: {
    readonly lane?: "ll" | "compute";
    readonly services?: readonly string[];
    readonly onService?: (request: ServiceRequest) => void;
  },
  { service, request_id, json }: Omit<ServiceRequest, "as_of_us">,
  as_of_us: number,
): string {
  if (of.lane === undefined) return "M.SERVICE.NOT_HERE";
  if (of.lane === "ll") return "M.SERVICE.LL_FORBIDDEN";
  if (of.services?.includes(service) !== true) return "M.SERVICE.NOT_ALLOWED";
  of.onService?.({ service, request_id, json, as_of_us });
  return "";
}
