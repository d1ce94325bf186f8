"""Hostile fixture: a thousand orders in each event."""
import rumi_sdk as rumi

RISK = rumi.RiskContext(10, 1_000_000, 1, 1)


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        for _ in range(1_000):
            ctx.order(RISK, rumi.SIDE_BUY, 1)
