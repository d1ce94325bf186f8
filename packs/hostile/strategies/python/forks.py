"""Hostile fixture: forks until refused, and answers how often it could."""
import os

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        made = 0
        try:
            while made < 1_000:
                if os.fork() == 0:
                    while True:
                        pass
                made += 1
        except OSError:
            pass
        ctx.telemetry("hostile.forks", made)
