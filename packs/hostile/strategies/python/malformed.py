"""Hostile fixture: puts malformed records out: event c does attack c % 5."""
import struct

import rumi_sdk as rumi


class Hostile(rumi.Strategy):
    def on_event(self, ctx, event):
        attack = ctx.header.cursor % 5
        ctx.log("before the attack")
        ctx._out.append((
            struct.pack("<HHI8x", 999, 0, 16), struct.pack("<HHI8x", 19, 0, 4), struct.pack("<HHI8x", 19, 0, 17),
            struct.pack("<HHI8x", 19, 0, 4096), struct.pack("<HHI8x", 19, 0, 0xFFFFFFF8),
        )[attack])
