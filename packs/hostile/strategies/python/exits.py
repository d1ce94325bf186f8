"""Hostile fixture: ends the process, politely and not."""
import os

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        if ctx.header.cursor % 2:
            raise SystemExit(7)
        os._exit(7)
