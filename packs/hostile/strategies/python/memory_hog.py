"""Hostile fixture: asks for four gigabytes."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        self.held = []
        for _ in range(64):
            self.held.append(bytearray(64 * 1024 * 1024))
        ctx.telemetry("hostile.held", len(self.held))
