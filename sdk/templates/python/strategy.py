"""In for fifty trades, out for fifty."""
import rumi_sdk as rumi


class Blinker(rumi.Strategy):
    STATE_VERSION = 1

    def on_init(self, ctx, config, restored):
        self.quantity = rumi.parse_decimal(config["order_quantity"], ctx.instruments[0].quantity_digits)
        self.risk = rumi.RiskContext(
            max_slippage_bps=50, max_latency_us=1_000_000, expected_holding_us=60_000_000,
            budget=rumi.parse_decimal("100000", rumi.MONEY_DIGITS),
        )
        self.seen = 0
        if restored is not None:
            _version, data = restored
            self.seen = int.from_bytes(data, "little")

    def on_event(self, ctx, event):
        if not isinstance(event, rumi.TradeEvent):
            return
        self.seen += 1
        if self.seen % 50 == 0:
            wants_in = self.seen // 50 % 2 == 1
            ctx.position(self.risk, self.quantity if wants_in else 0)

    def save_state(self):
        return self.seen.to_bytes(8, "little")
