"""Hostile fixture: starts threads until refused, and answers how many it had."""
import threading

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        made = 0
        try:
            while made < 1_000:
                threading.Thread(target=threading.Event().wait, daemon=True).start()
                made += 1
        except (RuntimeError, MemoryError):
            pass
        ctx.telemetry("hostile.threads", made)
