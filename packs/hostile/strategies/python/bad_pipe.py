"""Hostile fixture: writes a reply of four gigabytes straight into the pipe."""
import os

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        for descriptor in range(3, 16):
            try:
                os.write(descriptor, b"\\xf8\\xff\\xff\\xff\\0\\0\\0\\0")
            except OSError:
                pass
