"""Hostile fixture: reads what is not its own; answers how many files it could read."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        read = 0
        for path in ("/etc/passwd", "/etc/shadow", "/proc/1/environ", "/proc/self/environ", "/etc/hostname"):
            try:
                with open(path, "rb") as source:
                    if path != "/proc/self/environ":
                        read += len(source.read(16)) > 0
            except OSError:
                pass
        ctx.telemetry("hostile.files", read)
