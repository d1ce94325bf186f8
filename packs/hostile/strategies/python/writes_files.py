"""Hostile fixture: writes a gigabyte to /tmp; answers how many megabytes it could."""
import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        done = 0
        try:
            with open("/tmp/hostile", "wb", buffering=0) as sink:
                while done < 1_024:
                    sink.write(bytes(1024 * 1024))
                    done += 1
        except OSError:
            pass
        ctx.telemetry("hostile.megabytes", done)
