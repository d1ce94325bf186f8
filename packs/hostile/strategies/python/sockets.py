"""Hostile fixture: opens sockets; answers 1 for each kind that could be made or connected."""
import socket

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        made = 0
        for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM)):
            try:
                socket.socket(family, kind).close()
                made += 1
            except OSError:
                pass
        ctx.telemetry("hostile.sockets", made)
        try:
            socket.create_connection(("127.0.0.1", 9), timeout=0.2).close()
            ctx.telemetry("hostile.connected", 1)
        except ConnectionRefusedError:
            ctx.telemetry("hostile.reached", 1)
        except OSError:
            ctx.telemetry("hostile.connected", 0)
