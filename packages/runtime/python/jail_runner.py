"""Serves one strategy over the jail's framing: u32 length, then {u8 callback, u8 0, u16 frames, u32 0} and ABI frames.

Arguments: folder of rumi_sdk, path of the strategy. Reply: u32 length, then {i32 status, u32 frames taken} and the
output records; a status below zero comes with one error_report that holds the tail of what went wrong. Several event
frames are taken in order until one says something (docs/formats/abi.md, "Jail").
The SDK's Host does the work; this file only carries bytes, as packages/runtime/src/strategy/process.ts expects them.
"""
import os
import sys
from struct import Struct

sys.path.insert(0, sys.argv[1])

from rumi_sdk import _generated as abi  # noqa: E402
from rumi_sdk._runner import Host, _LogWriter  # noqa: E402

_HEAD = Struct("<IiI")


def take_pipes():
    """Moves the transport off 0 and 1: what the strategy writes there goes to the bounded log (no /dev/null in the jail)."""
    source, sink = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    os.dup2(2, 0)
    return os.fdopen(source, "rb", 65_536), sink


def main():
    source, sink = take_pipes()
    host = Host(sys.argv[2])
    sys.stdin = None
    sys.stdout = _LogWriter(host.ctx, abi.LOG_LEVEL_INFO)
    sys.stderr = _LogWriter(host.ctx, abi.LOG_LEVEL_WARNING)
    while True:
        head = source.read(4)
        if len(head) < 4:
            os._exit(0)
        size = int.from_bytes(head, "little")
        message = source.read(size)
        if len(message) < size:
            os._exit(0)
        if message[0] == abi.CALLBACK_EVENT:
            status, output, taken = host.events(memoryview(message)[8:], int.from_bytes(message[2:4], "little") or 1)
        else:
            status, output = host.call(message[0], message[8:])
            taken = 1
        reply = _HEAD.pack(len(output) + 8, status, taken) + output
        written = os.write(sink, reply)
        while written < len(reply):
            written += os.write(sink, memoryview(reply)[written:])


main()
