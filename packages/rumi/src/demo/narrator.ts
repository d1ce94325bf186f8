/** What the demo prints: numbered steps, then one line for each intent, fill and change of profit. */
import type { LiveEvent } from "../cli/events.ts";
import type { Terminal } from "../cli/output.ts";

export type Narrator = {
  readonly step: (text: string) => void;
  readonly detail: (text: string) => void;
  readonly event: (event: LiveEvent) => void;
  /** Fills seen so far, by bot. */
  readonly fills: () => ReadonlyMap<string, number>;
};

type Fields = Readonly<Record<string, unknown>>;

export function narrator(terminal: Terminal): Narrator {
  let steps = 0;
  const fills = new Map<string, number>();
  const line = (text: string): void => terminal.out(`${text}\n`);
  return {
    step: (text) => {
      steps += 1;
      line(`\n[${steps}] ${text}`);
    },
    detail: (text) => line(`    ${text}`),
    event: ({ kind, data }) => {
      const bot = word(data, "bot_id");
      if (kind === "fill") {
        fills.set(bot, (fills.get(bot) ?? 0) + 1);
        line(`fill bot=${bot} ${fillWords(part(data, "fill"))}`);
      } else if (kind === "intent") {
        line(
          `intent bot=${bot} ${intentWords(part(data, "intent"))} verdict=${word(data, "verdict")}${optional(data, "reason_code", " reason=")}`,
        );
      } else if (kind === "bot") {
        line(`bot bot=${bot} state=${word(data, "state")}`);
      } else if (kind === "health") {
        line(`health bot=${bot} state=${word(data, "health_state")}${optional(data, "reason_code", " reason=")}`);
      }
    },
    fills: () => fills,
  };
}

function fillWords(fill: Fields): string {
  return `side=${word(fill, "side")} quantity=${word(fill, "quantity")} price=${word(fill, "price")} instrument=${word(fill, "instrument_id")} fee=${word(fill, "fee")} liquidity=${word(fill, "liquidity")} order=${word(fill, "client_order_id")}`;
}

function intentWords(intent: Fields): string {
  const shown = ["side", "quantity", "price", "target", "instrument_id"]
    .filter((name) => typeof intent[name] === "string")
    .map((name) => `${name === "instrument_id" ? "instrument" : name}=${word(intent, name)}`);
  return [`kind=${word(intent, "kind")}`, ...shown].join(" ");
}

function word(of: Fields, name: string): string {
  const value = of[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "-";
}

function optional(of: Fields, name: string, prefix: string): string {
  return typeof of[name] === "string" ? `${prefix}${of[name]}` : "";
}

function part(of: Fields, name: string): Fields {
  const value = of[name];
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}
