"""Hostile fixture: writes a hundred megabytes past the SDK, to descriptors 1 and 2."""
import os

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        for _ in range(1_600):
            os.write(1, b"x" * 65_536)
            os.write(2, b"x" * 65_536)
