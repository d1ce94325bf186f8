/** What restrains bots: kill switch, gates, holds, break-glass sessions. */
import * as answers from "../answers/controls.ts";
import { of, tried, type Call, type Wish } from "./call.ts";

export function controlCalls({ get, post }: Call) {
  return {
    killSwitch: () => get(answers.killSwitch, "/api/killswitch"),
    gates: () => get(answers.gatesAnswer, "/api/gates"),
    holds: () => get(answers.holdsAnswer, "/api/holds"),
    sessions: () => get(answers.sessionsAnswer, "/api/break_glass?limit=10"),
    session: (session_id: string) => get(answers.sessionDetail, `/api/break_glass/${of(session_id)}`),
    setKill: (scope: answers.Scope, level: answers.KillLevel, { id, reason }: Wish) =>
      post("/api/killswitch/set", { command_id: id, scope, level, reason }),
    tryKill: (scope: answers.Scope, level: answers.KillLevel, { id, reason }: Wish) =>
      tried(post, "/api/killswitch/set", { command_id: id, scope, level, reason }),
    requireGate: (gate: string, act: "require" | "disable", { id, reason }: Wish) =>
      post(`/api/gates/${of(gate)}/${act}`, { command_id: id, reason }),
    tryDisableGate: (gate: string, { id, reason }: Wish) =>
      tried(post, `/api/gates/${of(gate)}/disable`, { command_id: id, reason }),
    setHold: (
      hold: { readonly kind: answers.HoldKind; readonly scope: answers.Scope; readonly seconds: number | null },
      { id, reason }: Wish,
    ) =>
      post("/api/holds", {
        command_id: id,
        kind: hold.kind,
        scope: hold.scope,
        ...(hold.seconds === null ? {} : { valid_for_seconds: hold.seconds }),
        reason,
      }),
    liftHold: (hold_id: string, { id, reason }: Wish) =>
      post(`/api/holds/${of(hold_id)}/lift`, { command_id: id, reason }),
    tryLift: (hold_id: string, { id, reason }: Wish) =>
      tried(post, `/api/holds/${of(hold_id)}/lift`, { command_id: id, reason }),
    openSession: (verbs: readonly string[], seconds: number, { id, reason }: Wish) =>
      post("/api/break_glass", { command_id: id, verbs, valid_for_seconds: seconds, reason }),
    tryOpenSession: (verbs: readonly string[], seconds: number, { id, reason }: Wish) =>
      tried(post, "/api/break_glass", { command_id: id, verbs, valid_for_seconds: seconds, reason }),
    endSession: (session_id: string, act: "close" | "review", { id, reason }: Wish) =>
      post(`/api/break_glass/${of(session_id)}/${act}`, { command_id: id, reason }),
  };
}
