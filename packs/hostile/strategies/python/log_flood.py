"""Hostile fixture: prints a hundred megabytes."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        for _ in range(100_000):
            print("x" * 1_000)
