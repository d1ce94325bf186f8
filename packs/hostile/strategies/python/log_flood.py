"""Hostile fixture: prints a hundred megabytes at once, and a megabyte in each event after that."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    lines = 100_000

    def on_event(self, ctx, event):
        for _ in range(self.lines):
            print("x" * 1_000)
        self.lines = 1_000
