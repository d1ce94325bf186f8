#!/usr/bin/python3 -s
"""Hostile fixture, a native program: writes outside of its own /tmp, ends when it can. What the kernel executes need not be compiled."""
import os
import struct


def take(count):
    got = b""
    while len(got) < count:
        chunk = os.read(0, count - len(got))
        if not chunk:
            os._exit(0)
        got += chunk
    return got


def on_event():
    for attempt in (
        lambda: open("/usr/written", "w"),
        lambda: open("/written", "w"),
        lambda: open(__file__, "w"),
        lambda: open("/dev/shm/written", "w"),
    ):
        try:
            attempt()
        except (OSError, ImportError, MemoryError, RuntimeError):
            continue
        raise SystemExit("it could")


os.write(1, bytes(4))
while True:
    message = take(struct.unpack("<I", take(4))[0])
    output = b""
    if message[0] == 2:
        output = on_event() or b""
    elif message[0] == 6:
        output = struct.pack("<6I", 20, 24, 1, 8, 0, 0)
    os.write(1, struct.pack("<IiI", len(output) + 8, 0, 1) + output)
