"""Hostile fixture: runs a program."""
import subprocess

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        subprocess.run(["/usr/bin/id"], check=True)
        ctx.telemetry("hostile.executed", 1)
