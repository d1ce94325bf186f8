"""Hostile fixture: sends free text as telemetry."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        ctx.telemetry("Buy_NOW!because", 1.0)
