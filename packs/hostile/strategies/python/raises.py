"""Hostile fixture: raises in every event."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        raise ValueError("as I like")
