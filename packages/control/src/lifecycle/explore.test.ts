/** A bot through everything that may move it: the table of transitions, the judge of commands and the plan of its instance. */
import { explorationText, explore, micros, type Model } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import type { BotRow } from "../bots/tables.ts";
import { judgeCommand } from "../commands/model.ts";
import { planInstance, type PlanFacts } from "../instances/plan.ts";
import { BOT_STATES, isRunning, mayMove, TRANSITION_CAUSES, type BotState } from "./states.ts";

type State = {
  readonly bot: BotState;
  /** A person confirmed that it may be live, since it last could not be. */
  readonly confirmed: boolean;
  readonly moves_of_a_person: boolean;
};
const SYSTEM = TRANSITION_CAUSES.filter((cause) => cause !== "operator" && cause !== "dangerous");

/** Whether the real judge lets a command through; `approval_id` is what a confirmed challenge leaves. */
function judged(from: BotState, to: BotState, approval_id: string | null): boolean {
  const bot = { bot_id: "bot-1", state: from, retired_at: null } as BotRow;
  const input = {
    command_id: "",
    target: { bot_id: "bot-1" },
    requested_transition: { from, to },
    reason: "explored",
    trace_id: "",
    run_id: "",
    schema_version: 1 as const,
  };
  const by = { principal: { id: "user:root", roles: [] }, approval_id, now: micros(0) };
  try {
    return judgeCommand(input, { bot, venue_kind: "venue_sim" }, by).ok;
  } catch {
    return false; // it refuses to decide without the confirmation
  }
}

const lifecycle = (judge: typeof judged, may: typeof mayMove = mayMove): Model<State> => ({
  name: "state machine",
  start: [{ bot: "CREATED", confirmed: false, moves_of_a_person: false }],
  steps: ({ bot, confirmed }) => {
    const keeps = (to: BotState): boolean => to !== "IDLE" && to !== "QUARANTINED" && confirmed;
    const steps: { action: string; next: State }[] = [];
    for (const to of BOT_STATES) {
      for (const cause of SYSTEM)
        if (may(cause, bot, to))
          steps.push({ action: `${cause}: ${to}`, next: { bot: to, confirmed: keeps(to), moves_of_a_person: false } });
      for (const approval_id of [null, "challenge-1"])
        if (judge(bot, to, approval_id))
          steps.push({
            action: approval_id === null ? `asked: ${to}` : `confirmed: ${to}`,
            next: {
              bot: to,
              confirmed: keeps(to) || (approval_id !== null && mayMove("dangerous", bot, to) && to === "RUNNING_LIVE"),
              moves_of_a_person: true,
            },
          });
    }
    return steps;
  },
  always: { "live is confirmed": ({ bot, confirmed }) => bot !== "RUNNING_LIVE" || confirmed },
  everyStep: {
    "ERROR and QUARANTINED are left by persons alone": ({ bot: from }, _, { bot: to, moves_of_a_person }) =>
      from === to || moves_of_a_person || (from !== "QUARANTINED" && (from !== "ERROR" || to === "QUARANTINED")),
    "the system starts nothing": ({ bot: from }, _, { bot: to, moves_of_a_person }) =>
      moves_of_a_person || !isRunning(to) || from === to,
    "out of quarantine only by confirmation": ({ bot: from }, action, { bot: to }) =>
      from !== "QUARANTINED" || from === to || action.startsWith("confirmed"),
  },
  certain: {
    "a stop is reached from everywhere": ({ bot }) => bot === "IDLE",
    "quarantine is reached from everywhere": ({ bot }) => bot === "QUARANTINED",
    "a way back to live, through a confirmation": ({ bot, confirmed }) => bot === "RUNNING_LIVE" && confirmed,
  },
  reached: Object.fromEntries(
    BOT_STATES.filter((state) => state !== "RUNNING_PAPER").map((state) => [state, ({ bot }: State) => bot === state]),
  ),
});

/** What is so of one instance; the plan is asked in each. */
type Situation = {
  readonly desired: "running" | "paused" | "stopped";
  readonly holder: "a" | null;
  readonly reported: "none" | "ours" | "foreign" | "over";
  readonly phase: "running" | "paused" | "stopping";
  readonly lease_over: boolean;
  readonly inherited: boolean;
  readonly adopting: boolean;
  readonly owes_word: boolean;
};

const factsOf = ({ desired, holder, reported, phase, ...rest }: Situation): PlanFacts => {
  const instance = {
    run_id: "r",
    epoch: 2,
    holder,
    desired,
    next: null,
    breaker: null,
    config: null,
    stop_reason: null,
  };
  const status = { run_id: "r", epoch: reported === "foreign" ? 1 : 2, phase: reported === "over" ? "stopped" : phase };
  return {
    instance: instance as unknown as PlanFacts["instance"],
    reported:
      reported === "none"
        ? undefined
        : ({ runner_id: reported === "foreign" ? "b" : "a", status } as PlanFacts["reported"]),
    runners: ["a", "b"],
    ...rest,
  };
};

const BOOLEANS = [true, false] as const;
/** Every situation is a start: the plan looks at what is so, never at what was. */
const SITUATIONS: readonly Situation[] = (["running", "paused", "stopped"] as const).flatMap((desired) =>
  (["a", null] as const).flatMap((holder) =>
    (["none", "ours", "foreign", "over"] as const).flatMap((reported) =>
      (["running", "paused", "stopping"] as const).flatMap((phase) =>
        BOOLEANS.flatMap((lease_over) =>
          BOOLEANS.flatMap((inherited) =>
            BOOLEANS.flatMap((adopting) =>
              BOOLEANS.map((owes_word) => {
                const word = { owes_word: owes_word && desired === "stopped" };
                return { desired, holder, reported, phase, lease_over, inherited, adopting, ...word };
              }),
            ),
          ),
        ),
      ),
    ),
  ),
);

const planning = (plan: typeof planInstance): Model<Situation> => ({
  name: "instance plan",
  start: SITUATIONS,
  steps: () => [],
  always: {
    "nothing starts against a lease that runs for another": (of) => {
      const action = plan(factsOf(of));
      if (action.kind === "wind_up") return of.lease_over;
      return action.kind !== "start" || of.lease_over || (of.holder !== null && action.runner_id === of.holder);
    },
    "wound up is only what is to stand and whose venue has not spoken": (of) =>
      plan(factsOf(of)).kind !== "wind_up" || (of.desired === "stopped" && of.owes_word && of.reported !== "ours"),
    "nothing that is to stand starts or goes on": (of) =>
      of.desired !== "stopped" || !["start", "continue"].includes(plan(factsOf(of)).kind),
    "what a restart found is never started by itself": (of) =>
      !of.inherited || of.reported !== "none" || plan(factsOf(of)).kind !== "start",
    "what is to stand and runs is told to stop": (of) =>
      of.desired !== "stopped" ||
      of.reported !== "ours" ||
      of.phase === "stopping" ||
      plan(factsOf(of)).kind === "stop",
    "what nobody runs and nobody may run any more is gone, once its venue has spoken": (of) =>
      of.desired !== "stopped" ||
      of.holder === null ||
      of.reported !== "none" ||
      !of.lease_over ||
      of.adopting ||
      plan(factsOf(of)).kind === (of.owes_word ? "wind_up" : "gone"),
    "somebody else's run is stopped": (of) => of.reported !== "foreign" || plan(factsOf(of)).kind === "stop",
  },
  reached: {
    "a start": (of) => plan(factsOf(of)).kind === "start",
    "a stop": (of) => plan(factsOf(of)).kind === "stop",
    gone: (of) => plan(factsOf(of)).kind === "gone",
    "a wind-up": (of) => plan(factsOf(of)).kind === "wind_up",
  },
});

describe("every reachable state of the lifecycle", () => {
  it("[G-0.7] [G-2.1a] [G-2.1b] [L-49.2] live comes of a confirmation alone, the system starts nothing, and from every state a stop and a way back are reached", () => {
    for (const found of [explore(lifecycle(judged)), explore(planning(planInstance))]) {
      process.stdout.write(`${explorationText(found)}\n`);
      expect(explorationText(found)).not.toContain("broken");
      expect(found).toMatchObject({ complete: true, unreached: [] });
    }
  });

  it("[L-49.2] a planted fault is found: a judge that needs no confirmation, a plan that does not wait for a lease", () => {
    const lenient: typeof judged = (from, to) => judged(from, to, "challenge-1");
    const { counterexample } = explore(lifecycle(lenient));
    expect(counterexample?.path.map(({ action }) => action)).toEqual(["start", "safety: QUARANTINED", "asked: IDLE"]);
    const hasty: typeof planInstance = (facts) => planInstance({ ...facts, lease_over: true });
    expect(explore(planning(hasty)).counterexample?.broken).toBe(
      "nothing starts against a lease that runs for another",
    );
  });

  it("[G-0.7] [L-49.2] a planted fault is found: a table that leaves STOPPING to nobody, a plan that overlooks a wish to stop", () => {
    const stuck: typeof mayMove = (cause, from, to) => from !== "STOPPING" && mayMove(cause, from, to);
    const asked: typeof judged = (from, to, approval_id) => from !== "STOPPING" && judged(from, to, approval_id);
    const { counterexample } = explore(lifecycle(asked, stuck));
    expect(counterexample).toMatchObject({ broken: "a stop is reached from everywhere" });
    expect(counterexample?.path.at(-1)?.state.bot).toBe("STOPPING");
    const deaf: typeof planInstance = (facts) => {
      const action = planInstance(facts);
      return action.kind === "stop" ? { kind: "none", why: "overlooked" } : action;
    };
    expect(explore(planning(deaf)).counterexample).not.toBeNull();
  });
});
