/**
 * Hard blocks: while this is so, that is not done, whoever asks and whoever approves. A closed vocabulary; each word says
 * what it looks at and what would have to change. Pure; what is looked at is gathered in scene.ts.
 */
import { isoFromMicros, type Micros, unreachable } from "@rumi/kernel";
import { Type, type Static } from "@sinclair/typebox";
import { CLOSED } from "../shared/fields.ts";
import { amountOf } from "../risk/model.ts";

export const ActionField = Type.String({
  pattern: "^[a-z][a-z0-9_]*(\\.[a-z][a-z0-9_]*)+$",
  maxLength: 128,
  description: "An operation by its name, e.g. bots.config_apply.",
});
const actions = Type.Array(ActionField, { minItems: 1, maxItems: 200, uniqueItems: true });
const HourField = Type.String({ pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", description: "UTC, e.g. 08:30." });
export const WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;

export const HardBlockField = Type.Union([
  Type.Object({ condition: Type.Literal("incident_open"), actions }, CLOSED),
  Type.Object({ condition: Type.Literal("stop_unproven"), actions }, CLOSED),
  Type.Object(
    {
      condition: Type.Literal("gate_not_pass"),
      actions,
      gates: Type.Optional(
        Type.Array(Type.String({ pattern: "^[a-z][a-z0-9_.-]{0,63}$" }), {
          minItems: 1,
          maxItems: 256,
          uniqueItems: true,
          description: "These; every gate of the home where none is named.",
        }),
      ),
    },
    CLOSED,
  ),
  Type.Object(
    {
      condition: Type.Literal("targets_over"),
      actions,
      targets: Type.Integer({ minimum: 1, maximum: 10_000, description: "It may be about so many bots." }),
    },
    CLOSED,
  ),
  Type.Object(
    {
      condition: Type.Literal("capital_over"),
      actions,
      capital: Type.String({
        pattern: "^\\d{1,15}(\\.\\d{1,8})?$",
        description: "It may be about so much, in the account's currency.",
      }),
    },
    CLOSED,
  ),
  Type.Object(
    {
      condition: Type.Literal("outside_hours"),
      actions,
      from: HourField,
      until: HourField,
      days: Type.Optional(
        Type.Array(Type.Union(WEEKDAYS.map((day) => Type.Literal(day))), {
          minItems: 1,
          maxItems: 7,
          uniqueItems: true,
        }),
      ),
    },
    CLOSED,
  ),
]);
export type HardBlock = Static<typeof HardBlockField>;

/** What is so now. */
export type Scene = {
  readonly now: Micros;
  /** Incidents in force on what the wish is about, as people say where. */
  readonly incidents: readonly string[];
  /** Bots that it is about (all of the home where it names none) whose stop is not proven. */
  readonly stopping: readonly string[];
  /** By name; a gate that nobody knows is not among them. */
  readonly gates: ReadonlyMap<string, "PASS" | "FAIL" | "UNKNOWN">;
  /** How many bots it is about. */
  readonly targets: number;
  /** Null where it is about none. */
  readonly capital: bigint | null;
};

/** Why it blocks now and what would have to change; undefined where it does not. */
export function problemOf(block: HardBlock, scene: Scene): string | undefined {
  switch (block.condition) {
    case "incident_open":
      return scene.incidents.length === 0
        ? undefined
        : `an incident is open (${listed(scene.incidents)}); it passes once that is lifted`;
    case "stop_unproven":
      return scene.stopping.length === 0
        ? undefined
        : `not proven stopped: ${listed(scene.stopping)}; it passes once their stop is attested`;
    case "gate_not_pass": {
      const asked = block.gates ?? [...scene.gates.keys()];
      const not = asked.flatMap((gate) => {
        const state = scene.gates.get(gate) ?? "UNKNOWN";
        return state === "PASS" ? [] : [`${gate} is ${state}`];
      });
      return not.length === 0 ? undefined : `${listed(not)}; it passes once these gates are reported PASS`;
    }
    case "targets_over":
      return scene.targets <= block.targets
        ? undefined
        : `it is about ${scene.targets} bots, more than ${block.targets}; name fewer at a time`;
    case "capital_over":
      return scene.capital === null || scene.capital <= amountOf(block.capital)
        ? undefined
        : `it is about more capital than ${block.capital}; make it smaller`;
    case "outside_hours":
      return isWithin(block, scene.now)
        ? undefined
        : `it is ${isoFromMicros(scene.now).slice(11, 16)} UTC; it passes from ${block.from} until ${block.until}${
            block.days === undefined ? "" : ` on ${block.days.join(", ")}`
          }`;
    default:
      return unreachable(block);
  }
}

/** The first ten, so that a text stays one that is read. */
function listed(items: readonly string[]): string {
  return items.length <= 10 ? items.join(", ") : `${items.slice(0, 10).join(", ")} and ${items.length - 10} more`;
}

/** Hours that end before they begin reach over midnight and belong to the day on which they began. */
function isWithin({ from, until, days }: Extract<HardBlock, { condition: "outside_hours" }>, now: Micros): boolean {
  const clock = isoFromMicros(now).slice(11, 16);
  const day = new Date(Math.floor(now / 1_000)).getUTCDay();
  const isOn = (of: number): boolean =>
    days === undefined || days.some((one) => WEEKDAYS.indexOf(one) === (of + 7) % 7);
  if (from <= until) return isOn(day) && clock >= from && clock < until;
  return (isOn(day) && clock >= from) || (isOn(day - 1) && clock < until);
}

/** Whether `after` blocks this action at least whenever `before` does. */
export function coversCondition(after: HardBlock, before: HardBlock, action: string): boolean {
  if (!after.actions.includes(action)) return false;
  if (after.condition === "targets_over" && before.condition === "targets_over") return after.targets <= before.targets;
  if (after.condition === "capital_over" && before.condition === "capital_over")
    return amountOf(after.capital) <= amountOf(before.capital);
  if (after.condition === "gate_not_pass" && before.condition === "gate_not_pass") {
    const { gates } = before;
    return gates === undefined
      ? after.gates === undefined
      : gates.every((gate) => after.gates?.includes(gate) === true);
  }
  if (after.condition === "outside_hours" && before.condition === "outside_hours")
    return after.from === before.from && after.until === before.until && String(after.days) === String(before.days);
  return after.condition === before.condition;
}
