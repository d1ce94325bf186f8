/** A TypeScript strategy of the Compute lane: asks every five hundredth trade, and is in the market while the answer is high. */
import { type Context, serve, type Strategy, type StrategyEvent } from "../../../sdk/typescript/src/index.ts";

const RISK = { maxSlippageBps: 50, maxLatencyUs: 1_000_000, expectedHoldingUs: 1_000_000, budget: 100_000_00000000 };

class Asking implements Strategy {
  static readonly stateVersion = 1;
  private seen = 0;

  onInit(): void {
    // Nothing to begin with.
  }

  onEvent(context: Context, event: StrategyEvent): void {
    if (event.kind === "signal") {
      const { request_id, answer } = event.signal as {
        readonly request_id: number;
        readonly answer?: { score: number };
      };
      context.telemetry("answered", request_id);
      context.position(RISK, (answer?.score ?? 0) > 0 ? 1 : 0);
    }
    if (event.kind !== "trade") return;
    this.seen += 1;
    if (this.seen % 500 === 0) context.ask("score", this.seen, { up: true });
    // A question beyond its limit is refused before it is said.
    if (this.seen === 3_000) context.ask("score", 1, { long: "x".repeat(20_000) });
  }

  saveState(): Uint8Array {
    return new Uint8Array(0);
  }
}

serve(Asking);
