/** The house itself: policies and their simulation, guardrails, runners, health, support bundles. */
import * as answers from "../answers/settings.ts";
import { tried, type Body, type Call, type Wish } from "./call.ts";

export function settingsCalls({ get, post, document }: Call) {
  return {
    health: async () => answers.health(JSON.parse(await document("/health")) as unknown, "/health"),
    runnersSeen: () => get(answers.runnersSeen, "/api/runners"),
    policy: () => get(answers.policyAnswer, "/api/policies"),
    policyVersions: () => get(answers.policyVersions, "/api/policies/versions?limit=20"),
    simulatePolicy: async (cedar: string) =>
      answers.simulation(await post("/api/policies/simulate", { cedar }), "/api/policies/simulate"),
    setPolicy: (cedar: string, { id, reason }: Wish) => post("/api/policies/set", { command_id: id, cedar, reason }),
    tryPolicy: (cedar: string, { id, reason }: Wish) =>
      tried(post, "/api/policies/set", { command_id: id, cedar, reason }),
    guardrails: () => get(answers.guardrails, "/api/guardrails/policy"),
    setGuardrails: (policy: Body, { id, reason }: Wish) =>
      post("/api/guardrails/policy/set", { ...policy, command_id: id, reason }),
    tryGuardrails: (policy: Body, { id, reason }: Wish) =>
      tried(post, "/api/guardrails/policy/set", { ...policy, command_id: id, reason }),
    supplyPolicy: () => get(answers.supplyPolicy, "/api/supply_chain/policy"),
  };
}
