/**
 * The public API as this page uses it. The page is an ordinary client: it can do nothing that the API does not
 * offer to everybody with the same token.
 */
export type SafetyState = {
  readonly mode: "NORMAL" | "SAFE" | "EMERGENCY_STOP";
  readonly reason: string;
  readonly activated_by?: string | null;
  readonly activated_at: string;
};

export type Bot = {
  readonly bot_id: string;
  readonly display_name?: string | null;
  readonly state: string;
  readonly venue: string;
  readonly strategy: { readonly strategy_id: string; readonly strategy_version: string };
  readonly health_state?: string | null;
  readonly reason_code?: string | null;
};

export type Position = {
  readonly bot_id: string;
  readonly instrument_id: string;
  readonly quantity: string;
  readonly realised_profit: string;
  readonly unrealised_profit: string;
  readonly fees: string;
  readonly last_price: string;
};

export type Fill = {
  readonly bot_id: string;
  readonly instrument_id: string;
  readonly side: "buy" | "sell";
  readonly price: string;
  readonly quantity: string;
  readonly fee: string;
  readonly event_time: string;
};

export type AuditEvent = {
  readonly event_id: string;
  readonly log_index: number;
  readonly action: string;
  readonly actor: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly outcome: string;
  readonly occurred_at: string;
};

export type Refusal = {
  readonly error: string;
  readonly error_code: string;
  readonly reason_code?: string;
  readonly suggestion: string;
  readonly status_code: number;
  readonly details?: Readonly<Record<string, unknown>>;
};

export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.error);
    this.refusal = refusal;
  }
}

export interface Api {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T>;
}

export function createApi(token: string, language: string): Api {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const response = await fetch(path, {
      method,
      cache: "no-store",
      headers: {
        authorization: `Bearer ${token}`,
        "accept-language": language,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as {
      readonly success?: boolean;
      readonly data?: T;
    } & Partial<Refusal>;
    if (!response.ok) throw new RefusedError(answer as Refusal);
    return answer.data as T;
  };
  return { get: (path) => call("GET", path), post: (path, body) => call("POST", path, body) };
}

/** A fresh id for one wish; the same id never acts twice. */
export function commandId(): string {
  return crypto.randomUUID();
}

/** Asks a bot to change its state, from the state that the person saw. */
export function sendTransition(
  api: Api,
  wish: { readonly bot: Bot; readonly to: string; readonly reason: string },
): Promise<unknown> {
  return api.post("/api/commands", {
    command_id: commandId(),
    target: { bot_id: wish.bot.bot_id },
    requested_transition: { from: wish.bot.state, to: wish.to },
    reason: wish.reason,
    trace_id: commandId(),
    run_id: commandId(),
    schema_version: 1,
  });
}
