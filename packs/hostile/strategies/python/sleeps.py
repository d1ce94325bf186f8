"""Hostile fixture: sleeps past every deadline."""
import time

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        time.sleep(3_600)
