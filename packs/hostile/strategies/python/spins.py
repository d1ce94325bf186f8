"""Hostile fixture: never returns."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        while True:
            pass
